"""The settings of one start, read and checked once. Nothing below `app` knows of them: parts receive plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from claude_openai_proxy.logins.layers import Layer, Trust
from claude_openai_proxy.logins.login import UpstreamName
from claude_openai_proxy.settings import table
from claude_openai_proxy.settings.errors import SettingsError
from claude_openai_proxy.settings.network import NetworkSettings, read_network
from claude_openai_proxy.settings.sources import ENVIRONMENT, DotenvFile, Sources, read_dotenv
from claude_openai_proxy.settings.values import (
    ClientKey,
    LogFormat,
    LogLevel,
    Unsupported,
    is_loopback,
)

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
    drain_seconds: int
    upstream_retries: int
    log_level: LogLevel
    log_format: LogFormat
    claude_cli_path: str | None
    claude_pool_size: int
    claude_pool_max: int | None
    """None: by the number of cores."""
    single_user: bool
    network: NetworkSettings
    login_layers: tuple[Layer, ...]
    """Where a login may be found besides Claude Code's own settings files; most trusted first."""
    environment: Mapping[str, str] = field(repr=False)
    """What the proxy was started with, for programs that it starts: each is given only what it needs of it."""
    dotenv_path: Path
    """The file that was read, or would be if it existed."""
    sources: Mapping[str, str]

    @property
    def public(self) -> bool:
        """True where other machines can reach the proxy."""
        return not is_loopback(self.host)


def load_settings(flags: Flags, environment: Mapping[str, str], cwd: Path) -> Settings:
    """Read everything once. Raises `SettingsError` for the first thing that is wrong."""
    dotenv = read_dotenv(cwd, flags.env_file)
    settings = _settings(Sources(flags.texts, environment, dotenv), flags, cwd)
    _refuse_open_door(settings)
    return settings


def _settings(found: Sources, flags: Flags, cwd: Path) -> Settings:
    return Settings(
        host=found.value(table.PROXY_HOST),
        port=found.value(table.PORT),
        upstream=found.value(table.CLAUDE_UPSTREAM),
        demo=flags.demo,
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
        drain_seconds=found.value(table.DRAIN_SECONDS),
        upstream_retries=found.value(table.UPSTREAM_RETRIES),
        log_level=found.value(table.LOG_LEVEL),
        log_format=found.value(table.LOG_FORMAT),
        claude_cli_path=found.value(table.CLAUDE_CLI_PATH),
        claude_pool_size=found.value(table.CLAUDE_POOL_SIZE),
        claude_pool_max=found.value(table.CLAUDE_POOL_MAX),
        single_user=found.value(table.CLAUDE_CODE_SINGLE_USER),
        network=NetworkSettings() if flags.demo else read_network(found.environment),
        login_layers=_login_layers(found),
        environment=found.environment,
        dotenv_path=cwd / found.dotenv.name,
        sources=found.used,
    )


def _login_layers(found: Sources) -> tuple[Layer, ...]:
    for setting in _DOTENV_LOGIN:
        found.value(setting)
    return (
        Layer(ENVIRONMENT, Trust.ENVIRONMENT, found.environment),
        Layer(found.dotenv.name, Trust.DOTENV, _only_login(found.dotenv)),
    )


def _only_login(dotenv: DotenvFile) -> Mapping[str, str]:
    names = [setting.name for setting in _DOTENV_LOGIN]
    return {name: dotenv.variables[name] for name in names if name in dotenv.variables}


def _refuse_open_door(settings: Settings) -> None:
    if settings.public and not settings.client_keys:
        raise SettingsError(
            f"PROXY_HOST is {settings.host!r} (from {settings.sources['PROXY_HOST']}), so that other machines could "
            "use your Claude login. Give clients a key first: PROXY_API_KEYS=name:a-long-random-key"
        )
