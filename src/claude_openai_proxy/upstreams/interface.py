"""What every way to Claude offers. An upstream speaks the Messages API's requests and events and nothing else."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from claude_openai_proxy.protocols.anthropic import MessagesRequest, ModelInfo, StreamEvent
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities

Payer = Literal["", "plan", "api", "gateway", "cloud"]
"""Who charges for an answer: "" where that is not known, or nobody does."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which upstream this is. `account` is a digest that tells logins apart and reveals none."""

    kind: str
    version: str
    account: str
    payer: Payer = ""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Processes of an upstream that works with some: how many do what now, and why others were ended."""

    size: int
    largest: int
    idle: int
    busy: int
    starting: int
    """Or about to be ready again."""
    served: int
    """Requests so far."""
    recycled: Mapping[str, int]
    """How many were ended, by reason."""


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """Free of charge. `login` and `billed` are words for a person (`ANTHROPIC_API_KEY from the environment`)."""

    logged_in: bool
    login: str
    kind: str = "none"
    """Told by an `UpstreamChoice`: the kind that is in use or would be (`api`, `claude-code`, `demo`)."""
    billed: str = ""
    reachable: bool | None = None
    """None where it was not asked."""
    detail: str = ""
    """A sentence that says what to do, where something is wrong."""
    pool: PoolStatus | None = None
    account: str = ""
    """As in `Identity`."""


@dataclass(slots=True)
class AnswerFacts:
    """What came with an answer beside its events. The service makes it, the upstream fills it in, on failure too."""

    request_id: str = ""
    account: str = ""
    """Of the login that was used, as in `Identity`."""
    rate_limits: tuple[tuple[str, str], ...] = ()
    """Upstream's `anthropic-ratelimit-*` headers as sent."""
    headers: tuple[tuple[str, str], ...] = ()
    """Of upstream's answer, as sent: those that clients of the Messages API read (`anthropic-*`, `retry-after`)."""
    repairs: list[str] = field(default_factory=list)
    """What was done to keep the request going, in the record's words (`connect_retried`): the record's own list."""

    def note(self, repair: str) -> None:
        """Each is told once."""
        if repair not in self.repairs:
            self.repairs.append(repair)


class MessageStream(Protocol):
    """One message under way. Iterating yields the events of each upstream read together, never an empty batch.

    The events end with `message_stop`; a stream that ends without it raises. Raises `UpstreamError` and its kinds,
    `NoLoginError`. An `error` event is raised as `UpstreamStatusError`, never yielded.
    """

    def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        """The batches."""
        ...


@runtime_checkable
class PassingStream(MessageStream, Protocol):
    """One that can hand its events on without a turn of the task that iterates."""

    def pass_on(self, take: Callable[[Sequence[StreamEvent]], bool]) -> None:
        """Give a batch that comes while somebody waits for the next one to `take`, on the spot: true, and the iteration
        goes on behind it; false, and it is the next one. The end, and what is wrong, is left to whoever iterates.
        """
        ...


class Upstream(Protocol):
    """One way to Claude."""

    @property
    def identity(self) -> Identity:
        """Which upstream this is."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can and cannot do, asked before anything is sent."""
        ...

    def stream(
        self, request: MessagesRequest, facts: AnswerFacts, *, whole: bool = False
    ) -> AbstractAsyncContextManager[MessageStream]:
        """Send `request`; entering returns once upstream has answered 200. Leaving cancels whatever still runs.

        Only a `verbatim` upstream takes a request that was `sent`; one that asks for no stream is answered by one
        `WholeAnswer`.

        `whole`: the answer may come in one piece, as the events that say the same (`may_come_whole`).
        """
        ...

    async def models(self) -> list[ModelInfo]:
        """The models that the login is offered, newest first: the login that `identity` names on return.

        Raises `UpstreamError` where upstream does not say, or where the login changed meanwhile.
        """
        ...

    async def count_tokens(self, request: MessagesRequest) -> int:
        """Input tokens of `request`, free of charge."""
        ...

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """Login and state; `deep` also asks upstream, without spending tokens. Never raises `ProxyError`."""
        ...

    async def aclose(self) -> None:
        """Close connections and processes."""
        ...


class UpstreamChoice(Protocol):
    """Which upstream answers now. Logins come and go while the server runs, so it is asked for each request."""

    async def current(self) -> Upstream:
        """The upstream for the login there is. Raises `NoLoginError`."""
        ...

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """Login and state of the current upstream, or that there is none. Never raises `ProxyError`."""
        ...

    async def aclose(self) -> None:
        """Close every upstream that was opened."""
        ...
