"""One record per request, and who asked. It is announced when the request starts, at the first token and at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

CLIENT_LEFT: Final = 499
"""nginx's status for a client that closed the connection; only in records."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a client key may use; None: as much as it likes. Dollars are US dollars by list price, a day is UTC's."""

    requests_a_minute: int | None = None
    tokens_a_minute: int | None = None
    dollars_a_day: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return (self.requests_a_minute, self.tokens_a_minute, self.dollars_a_day) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asked. `name` is for people; what belongs to somebody is kept under `id`.

    A stored key's id is random, survives rotation, and is never that of a later key of the same name; one of
    PROXY_API_KEYS has a keyed digest of its name, or of itself where it has none.
    """

    name: str
    id: str
    models: tuple[str, ...] = ()
    """Names of models that may be asked; none: all of them."""
    limits: KeyLimits | None = None
    operator: bool = False
    """May see what belongs to others and to the installation."""


LOCAL: Final = Principal("local", "local", operator=True)
"""Whoever can reach the proxy, where no keys are set."""


class RequestRecord(Struct, eq=False):
    """What is known of one request. Times are seconds of one monotonic clock; token counts are Claude's own."""

    id: str
    """As the client knows it. It may have chosen it, and chosen it twice: nothing is kept under it."""
    principal: Principal
    method: str
    route: str
    started: float
    own_id: str = ""
    """Made here, for this request alone: what is kept of it is kept under this."""
    client: str = ""
    address: str = ""
    """Of the client, as far as it is known."""
    path: str = ""
    """As it was asked for, cut and printable."""
    model_asked: str = ""
    model_used: str = ""
    upstream: str = ""
    upstream_request_id: str = ""
    stream: bool = False
    status: int = 0
    finish_reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Read from the cache; within `input_tokens`, as those written to it are."""
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    """Those among them that stay for an hour and cost more."""
    thinking_tokens: int = 0
    """Within `output_tokens`."""
    thinking_put_back: int = 0
    """Earlier turns that went out with their thinking although the client's form cannot carry it."""
    thinking_left_out: str = ""
    """Why thinking of earlier turns did not: `edited`, `model`, `upstream`, `prefix`."""
    web_searches: int = 0
    """By Claude's side, billed one by one."""
    speed: str = ""
    """`fast` where Claude answered so, and charged more."""
    choices: int = 1
    """Answers that were asked for."""
    list_price: float = 0.0
    """US dollars that the tokens and searches cost by the API's price list, whoever charges for them."""
    has_list_price: bool = True
    """False of a model that the list does not have: then it is the dearest model's price."""
    rate_limits: tuple[tuple[str, str], ...] = ()
    """What upstream told of the login's limits, as in its headers."""
    account: str = ""
    """A digest of the login that was used."""
    billed: str = ""
    """Who charges for the answer: `plan`, `extra-usage`, `api`, `gateway`, `cloud`."""
    admitted: float | None = None
    """When there was a place with Claude for it; until then it waits in line."""
    waited: float = 0.0
    """Seconds in line, for a place."""
    batch: str = ""
    """The id of the batch that it is a line of."""
    first_token: float | None = None
    settled: bool = False
    """All is known that its answer's end tells: what was used, how it ended."""
    when_settled: "Callable[[RequestRecord], None] | None" = None
    """Called then, of work that lasts longer than its request: before what it came to is kept."""
    ended: float | None = None
    ignored: tuple[str, ...] = ()
    repairs: list[str] = []
    """Words such as `tool_choice_emulated` for what the proxy did on its own to keep the request going."""
    error: str = ""
    """The class of what went wrong, and upstream's `error.type`; never its message, which may quote a prompt."""
    code: str = ""
    """The error's `code` in OpenAI's body."""
    param: str = ""
    """Which field the error is about."""
    reason: str = ""
    """The proxy's own sentence on the error, without what it quotes of a request; "" where upstream's words tell it."""
    skipped_events: int = 0
    """Stream events of a kind that this version does not know."""


class RecordReader:
    """Log line, metrics, ledger: told of each record at those of three moments that it has a method of its own for.

    Must not block; raising disturbs nobody.
    """

    def started(self, record: RequestRecord) -> None:
        """The request has been let in."""

    def first_token(self, record: RequestRecord) -> None:
        """The first byte of the answer's body is on its way."""

    def ended(self, record: RequestRecord) -> None:
        """The answer is complete, failed, or its client has left; the record no longer changes.

        Told before the last of the answer goes out: whoever has all of it is in the books, whatever happens then.
        """


class LedgerRow(Struct, frozen=True, gc=False):
    """What the ledger keeps of one request: whole numbers and short words, nothing of what was said.

    `at` is when it came, in seconds since 1970; prices in US dollars; texts that clients choose are cut and printable.
    """

    id: str
    at: float
    principal: str
    key: str
    """The principal's name."""
    client: str
    route: str
    dialect: str
    model_asked: str
    model_used: str
    upstream: str
    billed: str
    status: int
    finish_reason: str
    error: str
    stream: bool
    choices: int
    speed: str
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    thinking_tokens: int
    web_searches: int
    list_price: float
    has_list_price: bool
    charged: float | None
    """Beyond a plan; None where whoever charges has a price of their own."""
    first_token_ms: int | None
    total_ms: int
    repairs: str
    upstream_request_id: str

    @property
    def failed(self) -> bool:
        """Not by the client's leaving."""
        return (self.status >= 400 and self.status != CLIENT_LEFT) or (self.status < 400 and self.error != "")
