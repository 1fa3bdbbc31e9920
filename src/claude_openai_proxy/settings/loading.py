"""The settings of one start, read and checked once. Nothing below `app` knows of them: parts receive plain values."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from claude_openai_proxy.settings import table
from claude_openai_proxy.settings.batches import BatchSettings, read_batches
from claude_openai_proxy.settings.directories import config_directory
from claude_openai_proxy.settings.dotenv import DotenvFile, read_dotenv
from claude_openai_proxy.settings.errors import SettingsError
from claude_openai_proxy.settings.network import NetworkSettings, read_network
from claude_openai_proxy.settings.sources import (
    DEFAULT,
    ENVIRONMENT,
    Source,
    Sources,
    Unconfirmed,
    source_of,
    with_secrets_of_files,
)
from claude_openai_proxy.settings.storage import StorageSettings, read_storage
from claude_openai_proxy.settings.values import (
    LOCALHOST,
    ClientKey,
    FallbackKind,
    LogFormat,
    LogLevel,
    PlanMeterKind,
    Unsupported,
    is_loopback,
)
from claude_openai_proxy.settings.warnings import warnings
from claude_openai_proxy.trust import Trust, UpstreamName

_DOTENV_LOGIN = (table.ANTHROPIC_API_KEY, table.ANTHROPIC_AUTH_TOKEN, table.ANTHROPIC_BASE_URL)


@dataclass(frozen=True, slots=True)
class Flags:
    """The command line: texts by the name of the setting that each flag stands for."""

    texts: Mapping[str, str] = field(default_factory=dict)
    env_file: str | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting; `sources` says where each came from (`--port`, `the environment`, `.env`, `default`)."""

    host: str
    port: int
    upstream: UpstreamName
    demo: bool
    workspace_id: str | None
    timeout: float
    total_timeout: float | None
    aliases: Mapping[str, str]
    default_model: str | None
    client_keys: tuple[ClientKey, ...]
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    unsupported_parameters: Unsupported
    max_body_mb: int
    client_stall_seconds: float
    drain_seconds: int
    websocket: bool
    max_concurrent_requests: int
    workers: int
    queue_seconds: int
    upstream_retries: int
    log_level: LogLevel
    log_format: LogFormat
    claude_cli_path: str | None
    claude_pool_size: int
    claude_pool_max: int | None
    """None: by the number of cores."""
    single_user: bool
    plan_meter: PlanMeterKind
    plan_only: bool
    fallback: FallbackKind
    fallback_budget: float
    """US dollars a day."""
    model_fallbacks: Mapping[str, str]
    storage: StorageSettings
    batches: BatchSettings
    network: NetworkSettings
    login_sources: tuple[Source, ...]
    """Where a login may be found besides Claude Code's own settings files; most trusted first."""
    environment: Mapping[str, str] = field(repr=False)
    """What the proxy was started with, for programs that it starts: each is given only what it needs of it."""
    dotenv_path: Path
    """The file that was read, or would be if it existed."""
    files: tuple[str, ...]
    """The files that were read, as a person calls them."""
    sources: Mapping[str, str]
    shown: Mapping[str, str]
    """Each value as it was written, the default in words, `***` for a secret."""
    unconfirmed: tuple[Unconfirmed, ...] = ()
    """What counts only for the credential of the same file."""
    warnings: tuple[str, ...] = ()
    """What works, but not as it was meant or not safely; a sentence each."""

    @property
    def public(self) -> bool:
        """True where other machines can reach the proxy."""
        return not is_loopback(self.host)

    @property
    def name_for_clients(self) -> str:
        """A name that the proxy answers to; an address to listen on, such as 0.0.0.0, need not be one."""
        if not self.public:
            return f"[{self.host}]" if ":" in self.host else self.host
        return next((name for name in self.allowed_hosts if name != "*"), LOCALHOST)


def load_settings(flags: Flags, environment: Mapping[str, str], cwd: Path, *, platform: str = sys.platform) -> Settings:
    """Read everything once. Raises `SettingsError` that tells everything that is wrong."""
    files = _files(flags, environment, cwd, platform)
    problems: list[str] = []
    environment_itself = Source(ENVIRONMENT, Trust.ENVIRONMENT, environment)
    sources = [environment_itself, *(source_of(file, trust) for file, trust in files)]
    found = Sources(
        flags.texts, [with_secrets_of_files(source, cwd, problems) for source in sources], problems=problems
    )
    settings = _settings(found, flags, environment, [file for file, _ in files], platform)
    _refuse_unsaid_spending(settings, found.problems)
    if settings.workers > 1:
        found.problems.extend(_workers_refusals(settings, platform))
    if found.problems:
        raise SettingsError(*dict.fromkeys(found.problems))
    if settings.unconfirmed and settings.upstream == "claude-code" and not settings.demo:
        _refuse_unconfirmed(settings)
    told = warnings([file for file, _ in files], settings.client_keys if settings.public else (), environment)
    return replace(settings, warnings=tuple(told))


def _files(flags: Flags, environment: Mapping[str, str], cwd: Path, platform: str) -> list[tuple[DotenvFile, Trust]]:
    """The file of this start, then the user's own; the latter stands for both where the proxy is started beside it."""
    own = config_directory(environment, platform)
    users = [] if own is None else [(read_dotenv(str(own / ".env"), own / ".env"), Trust.ENVIRONMENT)]
    if flags.env_file is not None:
        named = read_dotenv(flags.env_file, cwd / flags.env_file, must_exist=True)
        return [(named, Trust.ENVIRONMENT), *users]
    if own is not None and own.resolve() == cwd.resolve():
        return users
    return [(read_dotenv(".env", cwd / ".env"), Trust.DOTENV), *users]


def _settings(
    found: Sources, flags: Flags, environment: Mapping[str, str], files: Sequence[DotenvFile], platform: str
) -> Settings:
    return _with_rows_of_table(found)(
        demo=flags.demo,
        batches=read_batches(found),
        storage=read_storage(found, environment, demo=flags.demo, platform=platform),
        network=NetworkSettings() if flags.demo else read_network(environment, found.problems),
        login_sources=_login_sources(found),
        environment=environment,
        dotenv_path=files[0].path,
        files=tuple(file.name for file in files if file.exists),
        sources=found.used,
        shown=found.shown,
        unconfirmed=tuple(found.unconfirmed),
    )


def _with_rows_of_table(found: Sources) -> Callable[..., Settings]:
    return partial(
        Settings,
        host=found.value(table.PROXY_HOST),
        port=found.value(table.PORT),
        upstream=found.value(table.CLAUDE_UPSTREAM),
        workspace_id=found.value(table.ANTHROPIC_WORKSPACE_ID),
        timeout=found.value(table.CLAUDE_API_TIMEOUT),
        total_timeout=found.value(table.CLAUDE_API_TOTAL_TIMEOUT),
        aliases=MappingProxyType({**table.BUILT_IN_ALIASES, **found.value(table.MODEL_ALIASES)}),
        default_model=found.value(table.DEFAULT_MODEL),
        client_keys=found.value(table.PROXY_API_KEYS),
        allowed_hosts=found.value(table.ALLOWED_HOSTS),
        allowed_origins=found.value(table.ALLOWED_ORIGINS),
        trusted_proxies=found.value(table.TRUSTED_PROXIES),
        unsupported_parameters=found.value(table.UNSUPPORTED_PARAMETERS),
        max_body_mb=found.value(table.MAX_BODY_MB),
        client_stall_seconds=found.value(table.CLIENT_STALL_SECONDS),
        drain_seconds=found.value(table.DRAIN_SECONDS),
        websocket=found.value(table.WEBSOCKET),
        max_concurrent_requests=found.value(table.MAX_CONCURRENT_REQUESTS),
        workers=found.value(table.WORKERS),
        queue_seconds=found.value(table.QUEUE_SECONDS),
        upstream_retries=found.value(table.UPSTREAM_RETRIES),
        log_level=found.value(table.LOG_LEVEL),
        log_format=found.value(table.LOG_FORMAT),
        claude_cli_path=found.value(table.CLAUDE_CLI_PATH),
        claude_pool_size=found.value(table.CLAUDE_POOL_SIZE),
        claude_pool_max=found.value(table.CLAUDE_POOL_MAX),
        single_user=found.value(table.CLAUDE_CODE_SINGLE_USER),
        plan_meter=found.value(table.PLAN_METER),
        plan_only=found.value(table.PLAN_ONLY),
        fallback=found.value(table.CLAUDE_FALLBACK_UPSTREAM),
        fallback_budget=found.value(table.FALLBACK_BUDGET),
        model_fallbacks=found.value(table.MODEL_FALLBACKS),
    )


def _login_sources(found: Sources) -> tuple[Source, ...]:
    for setting in _DOTENV_LOGIN:
        found.value(setting)
    environment, *files = found.files
    return environment, *(replace(file, variables=_only_login(file)) for file in files)


def _only_login(file: Source) -> Mapping[str, str]:
    names = [setting.name for setting in _DOTENV_LOGIN]
    return {name: file.variables[name] for name in names if name in file.variables}


def _refuse_unsaid_spending(settings: Settings, problems: list[str]) -> None:
    """Who wants nothing but the plan to pay must say what else may, not find out."""
    budget = table.FALLBACK_BUDGET.name
    if settings.plan_only and settings.fallback == "api" and settings.sources[budget] == DEFAULT:
        problems.append(
            f"PLAN_ONLY=yes and CLAUDE_FALLBACK_UPSTREAM=api say different things: set {budget} to the US dollars that "
            "the fallback may cost on a day."
        )


def _workers_refusals(settings: Settings, platform: str) -> list[str]:
    """Why several processes cannot serve these settings together."""
    many = f"WORKERS={settings.workers}"
    if platform == "win32":
        return [f"{many}: Windows has no way to start workers; set WORKERS to 1"]
    if settings.demo:
        return [f"{many}: the demo keeps everything in one process; set WORKERS to 1"]
    kept = settings.storage
    problems = [
        f"{many} and {name}=memory say different things: a worker cannot see another one's memory"
        for name, kind in (
            (table.STATE.name, kept.kind),
            (table.REASONING_STORE.name, kept.reasoning),
            (table.RESPONSES_STORE.name, kept.responses),
        )
        if kind == "memory"
    ]
    for name, bound in (
        (table.MAX_CONCURRENT_REQUESTS.name, settings.max_concurrent_requests),
        (table.CLAUDE_POOL_MAX.name, settings.claude_pool_max),
    ):
        if bound is not None and bound < settings.workers:
            problems.append(f"{many} and {name}={bound}: each worker needs one of them at least")
    return problems


def _refuse_unconfirmed(settings: Settings) -> None:
    """Through Claude Code it is not known before a request whether its own login or a key of the file is used."""
    doors = [one for one in settings.unconfirmed if one.name != table.ANTHROPIC_BASE_URL.name]
    if doors:
        raise SettingsError(confirmation(doors))


def confirmation(unconfirmed: Sequence[Unconfirmed]) -> str:
    """What a `.env` of the working directory would decide, and how to say that it may; "" where there is nothing."""
    if not unconfirmed:
        return ""
    named = ", ".join(f"{one.name} (line {one.line})" for one in unconfirmed)
    return (
        f"The .env of this directory sets {named}. Who may use your Claude login, and where it goes, is not said by a "
        "file that may have come with somebody else's project. If the file is yours, start with --env-file .env; "
        "otherwise take the line away"
    )
