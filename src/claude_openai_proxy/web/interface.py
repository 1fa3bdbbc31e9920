"""What the web asks of the service, in its own words: so it can be tried with anything that answers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import UnsetType

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletion, ChunkChoice, CompletionUsage, Model
from claude_openai_proxy.records import RequestRecord


class AnswerHead(Protocol):
    """What is known of an answer before its first chunk."""

    @property
    def model_used(self) -> str:
        """Claude's id of the model."""
        ...

    @property
    def upstream(self) -> str:
        """Which way to Claude was taken."""
        ...

    @property
    def upstream_request_id(self) -> str:
        """Upstream's own id, "" where it gave none."""
        ...

    @property
    def rate_limits(self) -> tuple[tuple[str, str], ...]:
        """Upstream's `anthropic-ratelimit-*` headers as sent."""
        ...

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of request fields without effect."""
        ...


class ChatAnswer(Protocol):
    """An answer under way. `created` in seconds since 1970; `model` as the client asked."""

    id: str
    created: int
    model: str
    include_usage: bool

    @property
    def head(self) -> AnswerHead:
        """What is known already."""
        ...

    def __aiter__(self) -> AsyncIterator[list[ChunkChoice]]:
        """Chunks, those of one upstream read together; raises the kinds of `ProxyError`."""
        ...

    @property
    def usage(self) -> CompletionUsage:
        """Final once the iteration has ended."""
        ...

    @property
    def service_tier(self) -> str | None:
        """Final once the iteration has ended."""
        ...

    async def completion(self) -> ChatCompletion:
        """Read to the end and put together."""
        ...


class ChatService(Protocol):
    """Serves chat completions."""

    def chat(
        self, request: ChatCompletionRequest, *, unknown: tuple[str, ...], record: RequestRecord
    ) -> AbstractAsyncContextManager[ChatAnswer]:
        """Entering returns once upstream has answered; leaving cancels what still runs there."""
        ...


class ModelCatalog(Protocol):
    """The models on offer."""

    async def list(self) -> list[Model]:
        """Aliases first."""
        ...

    async def get(self, name: str, /) -> Model:
        """One of them. Raises `ModelNotFoundError`."""
        ...


class HealthReport(Protocol):
    """The state of the proxy, a msgspec Struct; `status` is `ok`, `checking`, `no_login` or `unreachable`."""

    @property
    def status(self) -> str:
        """In one word."""
        ...

    @property
    def version(self) -> str:
        """Of the proxy."""
        ...

    @property
    def uptime_seconds(self) -> int:
        """Since the start."""
        ...

    @property
    def upstream(self) -> str:
        """Which way to Claude is taken."""
        ...

    @property
    def login(self) -> str:
        """In words for a person; no secret."""
        ...

    @property
    def billed(self) -> str | UnsetType:
        """Who pays, in words."""
        ...

    @property
    def detail(self) -> str | UnsetType:
        """What to do, where something is wrong."""
        ...

    @property
    def models(self) -> Mapping[str, str]:
        """Alias -> the model id it stands for now."""
        ...


class HealthService(Protocol):
    """Knows the state."""

    async def health(self, *, deep: bool) -> HealthReport:
        """The report; `deep` also asks Claude's side, without spending tokens."""
        ...

    async def readiness(self) -> str:
        """The report's `status` in a look at Claude's side that need not be of this moment."""
        ...
