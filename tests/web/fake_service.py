"""A service that runs: it answers from a script, and remembers what became of each request."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType
from msgspec import field as msgspec_field

from claude_openai_proxy.errors import ModelNotFoundError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import (
    ChatCompletion,
    ChatCompletionMessage,
    Choice,
    ChoiceDelta,
    ChunkChoice,
    Model,
)
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import AnswerHead
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.chat import ChatAnswer, ChatService
from claude_openai_proxy.service.completions import CompletionService
from claude_openai_proxy.service.health import HealthReport, HealthService
from claude_openai_proxy.service.messages import MessagesService
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.responses import ResponsesService

USAGE = CompletionUsage(prompt_tokens=3, completion_tokens=2, total_tokens=5)


class Head(AnswerHead, frozen=True, kw_only=True):
    model_used: str = "claude-test-1"
    upstream: str = "fake"
    upstream_request_id: str = "req_up"
    rate_limits: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()


HEAD = Head()


@dataclass(slots=True)
class Script:
    """What the service does with a request: batches of texts, exceptions to raise, events to wait for."""

    steps: Sequence[str | list[str] | BaseException | asyncio.Event] = ("Hello",)
    before: Sequence[BaseException | asyncio.Event] = ()
    head: AnswerHead = HEAD
    service_tier: str | None = None


@dataclass
class FakeChat(ChatService):
    script: Script = field(default_factory=Script)
    requests: list[ChatCompletionRequest] = field(default_factory=list)
    unknown: list[tuple[str, ...]] = field(default_factory=list)
    large: list[bool] = field(default_factory=list)
    in_line: bool = False
    """No place is free: what comes before the answer is played without one."""
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def chat(
        self, request: ChatCompletionRequest, *, unknown: tuple[str, ...], record: RequestRecord, large: bool = False
    ) -> AsyncIterator["FakeAnswer"]:
        self.requests.append(request)
        self.large.append(large)
        self.unknown.append(unknown)
        record.model_asked = request.model or ""
        record.stream = bool(request.stream)
        if not self.in_line:
            record.admitted = record.started
        self.entered.set()
        try:
            for step in self.script.before:
                await _play(step)
            self.answering.set()
            yield FakeAnswer(self.script, request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.left.set()


class FakeAnswer(ChatAnswer):
    id = "chatcmpl-1"
    created = 1_700_000_000
    usage = USAGE

    def __init__(self, script: Script, request: ChatCompletionRequest) -> None:
        self._script = script
        self._take: Callable[[list[ChunkChoice]], bool] | None = None
        self.head = script.head
        self.model = request.model or ""
        self.include_usage = bool(request.stream_options and request.stream_options.include_usage)

    @property
    def service_tier(self) -> str | None:
        return self._script.service_tier

    async def __aiter__(self) -> AsyncIterator[list[ChunkChoice]]:
        yield [ChunkChoice(index=0, delta=ChoiceDelta(role="assistant", content=""))]
        for step in self._script.steps:
            if isinstance(step, str | list):
                texts = [step] if isinstance(step, str) else step
                batch = [ChunkChoice(index=0, delta=ChoiceDelta(content=text)) for text in texts]
                if self._take is None or not self._take(batch):
                    yield batch
            else:
                await _play(step)
        yield [ChunkChoice(index=0, delta=ChoiceDelta(), finish_reason="stop")]

    def pass_on(self, take: Callable[[list[ChunkChoice]], bool]) -> None:
        self._take = take

    async def completion(self) -> ChatCompletion:
        text = ""
        async for batch in self:
            text += "".join(chunk.delta.content or "" for chunk in batch)
        message = ChatCompletionMessage(role="assistant", content=text, refusal=None, annotations=[])
        choices = [Choice(index=0, message=message, finish_reason="stop")]
        return ChatCompletion(id=self.id, created=self.created, model=self.model, choices=choices, usage=self.usage)


class FakeCompletions(CompletionService):
    """Asked for nothing."""

    def __init__(self) -> None:
        pass


class FakeMessages(MessagesService):
    """Asked for nothing."""

    def __init__(self) -> None:
        pass


class FakeResponses(ResponsesService):
    """Asked for nothing."""

    def __init__(self) -> None:
        pass


class FakeCatalog(ModelCatalog):
    def __init__(self) -> None:
        pass

    async def list(self, names: Collection[str] = ()) -> list[Model]:  # noqa: ARG002
        return [Model(id="custom-claude-4-opus", created=1, owned_by="anthropic", resolves_to="claude-test-1")]

    async def get(self, name: str) -> Model:
        if name == "broken":
            raise RuntimeError("a bug")
        if name != "org/claude-test-1":
            raise ModelNotFoundError(f"The model {name!r} does not exist.")
        return Model(id=name, created=1, owned_by="anthropic")


class Report(HealthReport, frozen=True, kw_only=True, omit_defaults=False):
    status: str = "ok"
    version: str = "1.2.3"
    uptime_seconds: int = 7_200
    upstream: str = "messages-api"
    login: str = "ANTHROPIC_API_KEY from the environment"
    billed: str | UnsetType = "by token"
    detail: str | UnsetType = UNSET
    models: dict[str, str] = msgspec_field(default_factory=lambda: {"custom-claude-4-opus": "claude-test-1"})


@dataclass
class FakeHealth(HealthService):
    report: Report = field(default_factory=Report)
    asked_deep: list[bool] = field(default_factory=list)
    stored: bool = True

    @property
    def storage_works(self) -> bool:
        return self.stored

    async def health(self, *, deep: bool = False) -> Report:
        self.asked_deep.append(deep)
        return self.report

    async def readiness(self) -> str:
        return self.report.status


async def _play(step: BaseException | asyncio.Event) -> None:
    if isinstance(step, asyncio.Event):
        await step.wait()
    else:
        raise step


class FakeLines:
    """An endpoint of batches whose lines nobody runs."""

    wanted = "messages"

    async def answer(self, body: bytes, admissions: Admissions, record: RequestRecord, *, keep: bool) -> bytes:
        raise NotImplementedError

    def keeps(self, body: bytes) -> bool:
        raise NotImplementedError
