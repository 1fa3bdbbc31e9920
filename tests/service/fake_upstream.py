"""An upstream that plays lists of events, batch by batch, and says what happened to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from claude_openai_proxy.errors import NoLoginError, ProxyError, UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    InputJSONDelta,
    Message,
    MessageDelta,
    MessageDeltaBody,
    MessagesRequest,
    MessageStart,
    MessageStop,
    ModelInfo,
    StreamEvent,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    Usage,
)
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.upstreams.interface import AnswerFacts, Identity, Payer, UpstreamStatus

Script = Sequence[Sequence[StreamEvent] | ProxyError]


def message(*blocks: Sequence[StreamEvent], stop_reason: str = "end_turn", output_tokens: int = 7) -> list[StreamEvent]:
    """The events of a whole message around the events of its blocks."""
    start = Message(id="msg_1", model="claude-sonnet-5-5", usage=Usage(input_tokens=10, output_tokens=1))
    end = MessageDelta(delta=MessageDeltaBody(stop_reason=stop_reason), usage=Usage(output_tokens=output_tokens))
    return [MessageStart(message=start), *(event for block in blocks for event in block), end, MessageStop()]


def text(*pieces: str, index: int = 0) -> list[StreamEvent]:
    """The events of a text block."""
    deltas = [ContentBlockDelta(index=index, delta=TextDelta(text=piece)) for piece in pieces]
    return [ContentBlockStart(index=index, content_block=TextBlock(text="")), *deltas, ContentBlockStop(index=index)]


def call(name: str, arguments: str, *, index: int = 0) -> list[StreamEvent]:
    """The events of a tool call."""
    block = ToolUseBlock(id=f"toolu_{index}", name=name)
    delta = ContentBlockDelta(index=index, delta=InputJSONDelta(partial_json=arguments))
    return [ContentBlockStart(index=index, content_block=block), delta, ContentBlockStop(index=index)]


class FakeStream:
    """A message under way: plays its batches, then hangs if told to."""

    def __init__(self, script: Script, *, hang: bool) -> None:
        self._script = script
        self._hang = hang

    async def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        for batch in self._script:
            if isinstance(batch, ProxyError):
                raise batch
            await asyncio.sleep(0)
            yield batch
        if self._hang:
            await asyncio.Event().wait()


class FakeUpstream:
    """Each request takes the next script; a script that begins with an error refuses the request."""

    capabilities: Capabilities = Capabilities()

    def __init__(self, *scripts: Script, models: Sequence[ModelInfo] | None = (), hang: bool = False) -> None:
        self.scripts = list(scripts)
        self.requests: list[MessagesRequest] = []
        self.left = 0
        self.most = 0
        """Requests that ran at once."""
        self.whole: list[bool] = []
        """Whether the answer to each request may come in one piece."""
        self.tried: list[str] = []
        """What each request is said to have cost beside the one try."""
        self.account = "account"
        self.payer: Payer = ""
        self.kind = "fake"
        self.listings = 0
        self._models = models
        self._hang = hang

    @property
    def identity(self) -> Identity:
        return Identity(kind=self.kind, version="1", account=self.account, payer=self.payer)

    @asynccontextmanager
    async def stream(
        self, request: MessagesRequest, facts: AnswerFacts, *, whole: bool = False
    ) -> AsyncIterator[FakeStream]:
        self.requests.append(request)
        self.whole.append(whole)
        facts.repairs += self.tried
        script = self.scripts.pop(0)
        if script and isinstance(script[0], ProxyError):
            raise script[0]
        facts.request_id = "req_1"
        self.most = max(self.most, len(self.requests) - self.left)
        try:
            yield FakeStream(script, hang=self._hang)
        finally:
            self.left += 1

    async def models(self) -> list[ModelInfo]:
        self.listings += 1
        if self._models is None:
            raise UpstreamProtocolError("no list")
        return list(self._models)

    async def count_tokens(self, request: MessagesRequest) -> int:
        return len(request.messages)

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        return UpstreamStatus(logged_in=True, login="made up", reachable=True if deep else None)

    async def aclose(self) -> None:
        return None


class FakeChoice:
    """Always the same upstream, or no login at all."""

    def __init__(self, upstream: FakeUpstream | None) -> None:
        self.upstream = upstream
        self.deep_looks = 0

    async def current(self) -> FakeUpstream:
        if self.upstream is None:
            raise NoLoginError("No Claude login found.")
        return self.upstream

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        self.deep_looks += deep
        if self.upstream is None:
            return UpstreamStatus(logged_in=False, login="", detail="No Claude login found.")
        return replace(await self.upstream.status(deep=deep), kind="fake")

    async def aclose(self) -> None:
        return None
