"""Every setting, once, as data.

A new one is a `Setting` here with its place in `SETTINGS` at the end, and a row in `.env.example`, in
`docs/configuration.md` and in its Chinese counterpart; tests compare all of them, and say what else is missing there
for a secret, a flag, or one that a `.env` may not set. What it means to a server is a field where it is read
(`loading`, `storage`, `batches`), handed on by `app`; a test finds one that nobody reads. One with a flag changes the
shells' completions, which are written again (`tests/cli/completions.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from claude_openai_proxy.settings import values
from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.settings.values import (
    BatchesKind,
    ClientKey,
    FallbackKind,
    KeptKind,
    LogFormat,
    LogLevel,
    PlanMeterKind,
    StateKind,
    Unsupported,
)
from claude_openai_proxy.trust import ANTHROPIC_URL, Trust, UpstreamName, header_text
from claude_openai_proxy.urls import api_base_url

Value_co = TypeVar("Value_co", covariant=True)

BUILT_IN_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"custom-claude-4-opus": "opus", "custom-claude-4-sonnet": "sonnet"}
)


@dataclass(frozen=True, slots=True)
class Setting(Generic[Value_co]):
    """`read` raises ValueError for what is not `allowed`; `shown_default` is the default in words.

    `least_trusted` is the least trusted source that may set it. What opens the door, turns the road of requests or
    moves secrets counts from a `.env` of the working directory only when the user confirmed that file, unless the
    value is one of the `harmless` ones (the default always is).
    """

    name: str
    read: Callable[[str], Value_co]
    default: Value_co
    allowed: str
    description: str
    shown_default: str = "none"
    flag: str = ""
    secret: bool = False
    least_trusted: Trust = Trust.DOTENV
    also_harmless: Callable[[object], bool] = lambda _: False
    only_beside: str = ""
    """Other programs use the name, too: in a `.env` of some working directory it is ours beside this setting only."""

    @property
    def in_dotenv(self) -> bool:
        """Whether a `.env` of some working directory may set it at all."""
        return self.least_trusted < Trust.ENVIRONMENT

    @property
    def file_variable(self) -> str:
        """For a secret: the variable that names a file with it."""
        return f"{self.name}_FILE"

    def harmless(self, value: object) -> bool:
        """Whether `value` may be set by anybody."""
        return value == self.default or self.also_harmless(value)


PROXY_HOST = Setting(
    name="PROXY_HOST",
    read=values.bind_host,
    default=values.LOCALHOST,
    allowed="localhost, an IP address or a host name",
    shown_default="localhost (127.0.0.1 and ::1)",
    description="Address to listen on. Anything but a loopback address needs PROXY_API_KEYS.",
    flag="--host",
    least_trusted=Trust.CONFIRMED,
    also_harmless=lambda host: values.is_loopback(str(host)),
)
PORT = Setting(
    name="PORT",
    read=values.whole_number(0, 65_535),
    default=3000,
    allowed="a whole number from 0 to 65535 (0: any free port)",
    shown_default="3000",
    description="Port to listen on; 0 takes any free one.",
    flag="--port",
)
CLAUDE_UPSTREAM: Setting[UpstreamName] = Setting(
    name="CLAUDE_UPSTREAM",
    read=values.one_of("auto", "api", "claude-code"),
    default="auto",
    allowed="auto, api or claude-code",
    shown_default="auto",
    description="The way to Claude: the API with a key, Claude Code with its own login, or whichever login is found.",
    flag="--upstream",
)
ANTHROPIC_API_KEY: Setting[Secret | None] = Setting(
    name="ANTHROPIC_API_KEY",
    read=values.header_secret,
    default=None,
    allowed="visible ASCII characters without blanks",
    description="API key, sent as `x-api-key`.",
    secret=True,
)
ANTHROPIC_AUTH_TOKEN: Setting[Secret | None] = Setting(
    name="ANTHROPIC_AUTH_TOKEN",
    read=values.header_secret,
    default=None,
    allowed="visible ASCII characters without blanks",
    description="Token of a gateway, sent as `Authorization: Bearer`. Comes before ANTHROPIC_API_KEY.",
    secret=True,
)
ANTHROPIC_BASE_URL: Setting[str | None] = Setting(
    name="ANTHROPIC_BASE_URL",
    read=api_base_url,
    default=None,
    allowed="an http or https URL without user, query or fragment",
    shown_default="https://api.anthropic.com",
    description="Where Messages API requests go. A credential goes only to a URL from the same or a more trusted "
    "source.",
    least_trusted=Trust.CONFIRMED,
    also_harmless=lambda url: url == ANTHROPIC_URL,
)
ANTHROPIC_WORKSPACE_ID: Setting[str | None] = Setting(
    name="ANTHROPIC_WORKSPACE_ID",
    read=header_text,
    default=None,
    allowed="the id of a workspace (wrkspc_...)",
    description="The workspace whose limits count and that pays, for an API key that works in several; sent as "
    "`anthropic-workspace-id`.",
    least_trusted=Trust.CONFIRMED,
)
CLAUDE_API_TIMEOUT = Setting(
    name="CLAUDE_API_TIMEOUT",
    read=values.seconds,
    default=60.0,
    allowed="seconds, more than 0 and at most 86400",
    shown_default="60",
    description=(
        "Seconds without a byte from Claude before a request is given up; three times as many for a short answer in "
        "one piece."
    ),
)
CLAUDE_API_TOTAL_TIMEOUT: Setting[float | None] = Setting(
    name="CLAUDE_API_TOTAL_TIMEOUT",
    read=values.seconds_or_none,
    default=None,
    allowed="none, or seconds, more than 0 and at most 86400",
    description="Seconds that one answer may take in all.",
)
MODEL_ALIASES: Setting[Mapping[str, str]] = Setting(
    name="MODEL_ALIASES",
    read=values.model_aliases,
    default=MappingProxyType({}),
    allowed="name=target pairs, comma-separated, each name once",
    shown_default="custom-claude-4-opus=opus,custom-claude-4-sonnet=sonnet",
    description="More model names (`name=target,...`). A target is a line (opus, sonnet, haiku, fable) or a model id. "
    "The two built-in names stay and may be given another target.",
)
DEFAULT_MODEL: Setting[str | None] = Setting(
    name="DEFAULT_MODEL",
    read=values.model_name,
    default=None,
    allowed="an alias, a line or a model id, without blanks",
    description="Model for requests that name none or an unknown one: an alias, a line or a model id.",
)
PROXY_API_KEYS: Setting[tuple[ClientKey, ...]] = Setting(
    name="PROXY_API_KEYS",
    read=values.client_keys,
    default=(),
    allowed="keys or name:key pairs, comma-separated, without blanks, each key and name once",
    description="Keys that clients must present (`key` or `name:key`, comma-separated). Without any, all are fine.",
    secret=True,
    least_trusted=Trust.CONFIRMED,
)
ALLOWED_HOSTS: Setting[tuple[str, ...]] = Setting(
    name="ALLOWED_HOSTS",
    read=values.host_names,
    default=(),
    allowed="host names without scheme and port, comma-separated, or *",
    description="Names by which clients may reach the proxy, besides the loopback ones.",
    least_trusted=Trust.CONFIRMED,
)
ALLOWED_ORIGINS: Setting[tuple[str, ...]] = Setting(
    name="ALLOWED_ORIGINS",
    read=values.origins,
    default=(),
    allowed="origins such as https://app.example, comma-separated, or *",
    description="Web pages that may call the proxy from a browser (`https://app.example`, comma-separated).",
    least_trusted=Trust.CONFIRMED,
)
TRUSTED_PROXIES: Setting[tuple[str, ...]] = Setting(
    name="TRUSTED_PROXIES",
    read=values.networks,
    default=(),
    allowed="addresses or networks such as 127.0.0.1 or 10.0.0.0/8, comma-separated",
    description="Reverse proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed. Without any, none is.",
    least_trusted=Trust.CONFIRMED,
)
UNSUPPORTED_PARAMETERS: Setting[Unsupported] = Setting(
    name="UNSUPPORTED_PARAMETERS",
    read=values.one_of("report", "reject"),
    default="report",
    allowed="report or reject",
    shown_default="report",
    description="OpenAI parameters that Claude has no word for: named in a response header, or refused with 400.",
)
MAX_BODY_MB = Setting(
    name="MAX_BODY_MB",
    read=values.whole_number(1, 1024),
    default=32,
    allowed="a whole number from 1 to 1024",
    shown_default="32",
    description="Largest request body in megabytes, after decompression.",
)
DRAIN_SECONDS = Setting(
    name="DRAIN_SECONDS",
    read=values.whole_number(0, 86_400),
    default=30,
    allowed="a whole number from 0 to 86400",
    shown_default="30",
    description="Seconds that running answers may take when the server is told to stop.",
)
MAX_CONCURRENT_REQUESTS = Setting(
    name="MAX_CONCURRENT_REQUESTS",
    read=values.whole_number(1, 100_000),
    default=1000,
    allowed="a whole number from 1 to 100000",
    shown_default="1000",
    description="Answers of Claude's under way at the same time, those of one request counted each; more wait in line.",
)
QUEUE_SECONDS = Setting(
    name="QUEUE_SECONDS",
    read=values.whole_number(0, 3600),
    default=10,
    allowed="a whole number from 0 to 3600",
    shown_default="10",
    description="Seconds that a request waits in line for a place, or for a Claude Code process, before it gets 503.",
)
WORKERS = Setting(
    name="WORKERS",
    read=values.whole_number(1, 64),
    default=1,
    allowed="a whole number from 1 to 64",
    shown_default="1",
    description="Processes that serve the port together; bounds such as MAX_CONCURRENT_REQUESTS are shared out.",
    flag="--workers",
)
CLIENT_STALL_SECONDS = Setting(
    name="CLIENT_STALL_SECONDS",
    read=values.seconds,
    default=60.0,
    allowed="seconds, more than 0 and at most 86400",
    shown_default="60",
    description="Seconds that a client may take nothing of its answer before it is cut off and the answer cancelled.",
)
UPSTREAM_RETRIES = Setting(
    name="UPSTREAM_RETRIES",
    read=values.whole_number(0, 10),
    default=1,
    allowed="a whole number from 0 to 10",
    shown_default="1",
    description="Repeats after a 5xx of Claude's before the first event; 0 turns every repeat off.",
)
LOG_LEVEL: Setting[LogLevel] = Setting(
    name="LOG_LEVEL",
    read=values.one_of("debug", "info", "warning", "error"),
    default="info",
    allowed="debug, info, warning or error",
    shown_default="info",
    description="How much is logged. Prompts, answers and secrets never are.",
    flag="--log-level",
)
LOG_FORMAT: Setting[LogFormat] = Setting(
    name="LOG_FORMAT",
    read=values.one_of("auto", "console", "json"),
    default="auto",
    allowed="auto, console or json",
    shown_default="auto",
    description="Lines to read, or JSON lines; auto: console on a terminal, JSON otherwise.",
)
CLAUDE_CLI_PATH: Setting[str | None] = Setting(
    name="CLAUDE_CLI_PATH",
    read=values.plain_text,
    default=None,
    allowed="the path of the claude program",
    shown_default="found by itself",
    description="The Claude Code program. Not from `.env`: a file in a working directory must not choose programs.",
    least_trusted=Trust.ENVIRONMENT,
)
CLAUDE_POOL_SIZE = Setting(
    name="CLAUDE_POOL_SIZE",
    read=values.whole_number(0, 64),
    default=2,
    allowed="a whole number from 0 to 64",
    shown_default="2",
    description="Claude Code processes that are kept ready for requests; 0 starts a fresh one for each request.",
)
CLAUDE_POOL_MAX: Setting[int | None] = Setting(
    name="CLAUDE_POOL_MAX",
    read=values.whole_number_or_auto(1, 256),
    default=None,
    allowed="auto, or a whole number from 1 to 256",
    shown_default="auto",
    description="Claude Code processes under load, each with one request; more requests wait. auto: 6 per core, 8 or "
    "more.",
)
CLAUDE_CODE_SINGLE_USER = Setting(
    name="CLAUDE_CODE_SINGLE_USER",
    read=values.yes_or_no,
    default=False,
    allowed="yes or no",
    shown_default="no",
    description="`yes` says that a subscription behind a public address or several client keys serves one person.",
    least_trusted=Trust.CONFIRMED,
)

PLAN_METER: Setting[PlanMeterKind] = Setting(
    name="PLAN_METER",
    read=values.one_of("events", "off"),
    default="events",
    allowed="events or off",
    shown_default="events",
    description="Whether what Claude's side tells of the login's limits is kept and shown (`GET /usage/plan`).",
)
PLAN_ONLY = Setting(
    name="PLAN_ONLY",
    read=values.yes_or_no,
    default=False,
    allowed="yes or no",
    shown_default="no",
    description="`yes` refuses what anything but a plan would pay for, as far as Claude's side has told.",
)
CLAUDE_FALLBACK_UPSTREAM: Setting[FallbackKind] = Setting(
    name="CLAUDE_FALLBACK_UPSTREAM",
    read=values.one_of("none", "api", "claude-code"),
    default="none",
    allowed="none, api or claude-code",
    shown_default="none",
    description="The way that answers while the first is exhausted, overloaded or gone; `api` costs money.",
    least_trusted=Trust.CONFIRMED,
)
FALLBACK_BUDGET = Setting(
    name="FALLBACK_BUDGET",
    read=values.dollars,
    default=5.0,
    allowed="US dollars, from 0 to 100000",
    shown_default="5",
    description="US dollars that a fallback paid by tokens may cost on a day (UTC), by list price; 0 turns it off.",
    least_trusted=Trust.CONFIRMED,
)
MODEL_FALLBACKS: Setting[Mapping[str, str]] = Setting(
    name="MODEL_FALLBACKS",
    read=values.model_fallbacks,
    default=MappingProxyType({}),
    allowed="name>name pairs, comma-separated, each first name once, none leading back to itself",
    description="Models that answer while others are limited (`opus>sonnet,...`): aliases, lines or model ids.",
)
STATE: Setting[StateKind] = Setting(
    name="STATE",
    read=values.one_of("sqlite", "memory"),
    default="sqlite",
    allowed="sqlite or memory",
    shown_default="sqlite",
    description="Where what outlives a request is kept: a file in STATE_DIR, or nothing beyond the process's memory.",
    least_trusted=Trust.CONFIRMED,
)
STATE_DIR: Setting[str | None] = Setting(
    name="STATE_DIR",
    read=values.plain_text,
    default=None,
    allowed="the path of a directory of your own on a local disk",
    description="The directory with `state.db`, which holds client keys and, sealed, what was said. Without it, the "
    "platform's place for state.",
    least_trusted=Trust.CONFIRMED,
)
DATABASE_URL: Setting[Secret | None] = Setting(
    name="DATABASE_URL",
    read=values.database_url,
    default=None,
    allowed="none, or postgresql://user:password@host:port/database",
    description="A PostgreSQL database that several proxies share, instead of `state.db`. Needs the extra `postgres`, "
    "and STORAGE_KEY; beyond loopback its certificate is checked unless `sslmode` says otherwise.",
    secret=True,
    least_trusted=Trust.CONFIRMED,
    only_beside="STORAGE_KEY",
)
STORAGE_KEY: Setting[Secret | None] = Setting(
    name="STORAGE_KEY",
    read=values.storage_key,
    default=None,
    allowed="at least 16 visible ASCII characters without blanks",
    description="What seals the content in the database; for `state.db` one is made where none is set. With another "
    "key it cannot be read any more.",
    secret=True,
    least_trusted=Trust.CONFIRMED,
)
FILES_MB = Setting(
    name="FILES_MB",
    read=values.whole_number(0, 1_048_576),
    default=1024,
    allowed="a whole number from 0 to 1048576",
    shown_default="1024",
    description="Most megabytes that all uploaded files together may have; 0 keeps none.",
)

REASONING_STORE: Setting[KeptKind] = Setting(
    name="REASONING_STORE",
    read=values.one_of("sqlite", "memory", "off"),
    default="sqlite",
    allowed="sqlite, memory or off",
    shown_default="sqlite",
    description="Where Claude's signed thinking is kept until a client comes back with its turn. `STATE=memory` makes "
    "memory of sqlite.",
)
REASONING_TTL = Setting(
    name="REASONING_TTL",
    read=values.span,
    default=86_400.0,
    allowed="a span of time such as 90m, 24h or 7d, at most 366d",
    shown_default="24h",
    description="For how long it is kept.",
)
RESPONSES_STORE: Setting[KeptKind] = Setting(
    name="RESPONSES_STORE",
    read=values.one_of("sqlite", "memory", "off"),
    default="sqlite",
    allowed="sqlite, memory or off",
    shown_default="sqlite",
    description="Where responses, conversations and stored chat completions are kept, for clients that continue or "
    "read them. `STATE=memory` makes memory of sqlite.",
)
WEBSOCKET = Setting(
    name="WEBSOCKET",
    read=values.yes_or_no,
    default=True,
    allowed="yes or no",
    shown_default="yes",
    description="Whether `/v1/responses` is offered as a WebSocket too, for clients that prefer that.",
)
LEDGER_DAYS = Setting(
    name="LEDGER_DAYS",
    read=values.whole_number(0, 36_500),
    default=400,
    allowed="a whole number from 0 to 36500",
    shown_default="400",
    description="Days for which the ledger keeps what each request used and cost, without its content; 0 keeps none.",
    least_trusted=Trust.CONFIRMED,  # fewer days delete what was kept
    also_harmless=lambda days: isinstance(days, int) and days >= 400,
)

BATCHES: Setting[BatchesKind] = Setting(
    name="BATCHES",
    read=values.one_of("auto", "native", "emulated", "off"),
    default="auto",
    allowed="auto, native, emulated or off",
    shown_default="auto",
    description="How lines of batches are answered: by Claude's Message Batches at half price (`native`), one by one "
    "at the lowest priority (`emulated`), or as the way to Claude allows (`auto`).",
    least_trusted=Trust.CONFIRMED,
)
BATCH_POLL_SECONDS = Setting(
    name="BATCH_POLL_SECONDS",
    read=values.seconds,
    default=30.0,
    allowed="seconds, more than 0 and at most 86400",
    shown_default="30",
    description="Seconds between two looks at a Message Batch; twice as many after ten minutes.",
)
BATCH_ADOPT_SECONDS = Setting(
    name="BATCH_ADOPT_SECONDS",
    read=values.seconds,
    default=180.0,
    allowed="seconds, more than 0 and at most 86400",
    shown_default="180",
    description="For how long a Message Batch that may have been made is looked for before it is made again.",
)
BATCH_DELETE_UPSTREAM = Setting(
    name="BATCH_DELETE_UPSTREAM",
    read=values.yes_or_no,
    default=False,
    allowed="yes or no",
    shown_default="no",
    description="`yes` erases requests and results at Claude's side once they are kept here; else they stay 29 days.",
)
BATCH_QUEUED_LINES = Setting(
    name="BATCH_QUEUED_LINES",
    read=values.whole_number(1, 10_000_000),
    default=100_000,
    allowed="a whole number from 1 to 10000000",
    shown_default="100000",
    description="Most lines of batches that may wait for one client key.",
)
BATCH_EMULATED_LINES = Setting(
    name="BATCH_EMULATED_LINES",
    read=values.whole_number(1, 50_000),
    default=2000,
    allowed="a whole number from 1 to 50000",
    shown_default="2000",
    description="Most lines of one emulated batch.",
)
BATCH_CONCURRENCY = Setting(
    name="BATCH_CONCURRENCY",
    read=values.whole_number(1, 100),
    default=2,
    allowed="a whole number from 1 to 100",
    shown_default="2",
    description="Most lines of emulated batches that are answered at once.",
)
BATCH_PLAN_SHARE = Setting(
    name="BATCH_PLAN_SHARE",
    read=values.whole_number(0, 100),
    default=50,
    allowed="a whole number from 0 to 100",
    shown_default="50",
    description="Percent of a plan's window from which on emulated batches wait for its reset.",
)

SETTINGS: Final[tuple[Setting[object], ...]] = (
    PROXY_HOST,
    PORT,
    PROXY_API_KEYS,
    ALLOWED_HOSTS,
    ALLOWED_ORIGINS,
    TRUSTED_PROXIES,
    CLAUDE_UPSTREAM,
    ANTHROPIC_API_KEY,
    ANTHROPIC_AUTH_TOKEN,
    ANTHROPIC_BASE_URL,
    ANTHROPIC_WORKSPACE_ID,
    CLAUDE_CLI_PATH,
    CLAUDE_POOL_SIZE,
    CLAUDE_POOL_MAX,
    CLAUDE_CODE_SINGLE_USER,
    PLAN_METER,
    PLAN_ONLY,
    CLAUDE_FALLBACK_UPSTREAM,
    FALLBACK_BUDGET,
    MODEL_ALIASES,
    DEFAULT_MODEL,
    MODEL_FALLBACKS,
    UNSUPPORTED_PARAMETERS,
    CLAUDE_API_TIMEOUT,
    CLAUDE_API_TOTAL_TIMEOUT,
    UPSTREAM_RETRIES,
    MAX_BODY_MB,
    MAX_CONCURRENT_REQUESTS,
    QUEUE_SECONDS,
    CLIENT_STALL_SECONDS,
    DRAIN_SECONDS,
    WORKERS,
    STATE,
    STATE_DIR,
    DATABASE_URL,
    STORAGE_KEY,
    REASONING_STORE,
    REASONING_TTL,
    RESPONSES_STORE,
    WEBSOCKET,
    FILES_MB,
    LEDGER_DAYS,
    BATCHES,
    BATCH_POLL_SECONDS,
    BATCH_ADOPT_SECONDS,
    BATCH_DELETE_UPSTREAM,
    BATCH_QUEUED_LINES,
    BATCH_EMULATED_LINES,
    BATCH_CONCURRENCY,
    BATCH_PLAN_SHARE,
    LOG_LEVEL,
    LOG_FORMAT,
)
