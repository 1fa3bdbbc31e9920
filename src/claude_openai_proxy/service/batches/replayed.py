"""An upstream that asks nobody: it answers from results that are there, and notes what would have to be asked.

What is noted is answered by a placeholder, so that the whole way of a request is gone to its end; who finds something
noted throws away what came of it. The same service, run again with more results, comes to the same requests.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Final

import msgspec

from claude_openai_proxy.errors import UpstreamError
from claude_openai_proxy.protocols.anthropic import MessagesRequest, ModelInfo, StreamEvent
from claude_openai_proxy.protocols.anthropic_batches import (
    MessageBatchErroredResult,
    MessageBatchResult,
    MessageBatchSucceededResult,
)
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.request_body import encode_request
from claude_openai_proxy.translate.messages_api.whole_answer import events_of
from claude_openai_proxy.upstreams.api.errors import event_error
from claude_openai_proxy.upstreams.interface import AnswerFacts, Identity, MessageStream, Upstream, UpstreamStatus

_MESSAGE: Final = (
    b'{"id":"msg_none","type":"message","role":"assistant","model":"none","content":%b,"stop_reason":"%b",'
    b'"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}'
)
_PLACEHOLDER: Final = _MESSAGE % (b'[{"type":"text","text":"."}]', b"max_tokens")
"""It ends in a way after which nothing more is asked, and nothing kept."""
_STILL_PAUSED: Final = _MESSAGE % (b"[]", b"pause_turn")
"""What a turn gets that may not go on."""

decode_result: Final = msgspec.json.Decoder(MessageBatchResult).decode
encode_result: Final = msgspec.json.Encoder().encode


class _Events:
    def __init__(self, events: Sequence[StreamEvent]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        yield self._events


class ReplayedUpstream:
    """In front of `upstream`, whose models and capabilities it has.

    `results` by number: requests are counted in the order in which they were first noted, round after round. `first`:
    how many the first round has.
    """

    def __init__(self, upstream: Upstream, results: Mapping[int, bytes], *, first: int) -> None:
        self._upstream = upstream
        self._results = results
        self._in_order = first <= 1
        self._last = False
        self._asked = 0
        self._known: dict[bytes, list[int]] = {}
        """By a digest of their bodies, where several may be under way at once."""
        self._left: dict[bytes, list[int]] = {}
        self._numbered = 0
        self._failure: UpstreamError | None = None
        self.noted: list[bytes] = []
        """Bodies of requests, in order."""

    def again(self) -> bool:
        """Number what was noted; whether results of it are there, so that it is worth to go the way again."""
        fresh, self.noted = self.noted, []
        there = 0
        for number, body in enumerate(fresh, self._numbered):
            there += number in self._results
            self._known.setdefault(sha256(body).digest(), []).append(number)
        if not there:
            self.noted = fresh
            return False
        self._numbered += len(fresh)
        self.rewind()
        return True

    def no_more(self) -> None:
        """There will be no other round: the way is gone again with what is there."""
        self._last, self.noted = True, []
        self.rewind()

    def rewind(self) -> None:
        """The way is gone once more from its beginning."""
        self._asked = 0
        self._left = {digest: list(numbers) for digest, numbers in self._known.items()}

    @property
    def identity(self) -> Identity:
        """See `Upstream.identity`."""
        return self._upstream.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the upstream; what it answers within a day goes on later than a cache lives."""
        return replace(self._upstream.capabilities, waited_for=False)

    def stream(
        self, request: MessagesRequest, facts: AnswerFacts, *, whole: bool = False
    ) -> AbstractAsyncContextManager[MessageStream]:
        """See `Upstream.stream`."""
        del whole
        return self._answered(request, facts)

    @asynccontextmanager
    async def _answered(self, request: MessagesRequest, facts: AnswerFacts) -> AsyncIterator[MessageStream]:
        facts.account = self.identity.account
        yield _Events(events_of(self._message(request)))

    def _message(self, request: MessagesRequest) -> bytes:
        body = encode_request(request, streamed=False)
        result = self._result(body)
        if result is None:
            return self._none(body)
        decoded = decode_result(result)
        if isinstance(decoded, MessageBatchErroredResult):
            self._failure = event_error(decoded.error, request_id="", rate_limits=())
            raise self._failure
        assert isinstance(decoded, MessageBatchSucceededResult), "what was not run has been told apart before"
        return bytes(decoded.message)

    def _none(self, body: bytes) -> bytes:
        if not self._last:
            self.noted.append(body)
            return _PLACEHOLDER
        if self._failure is not None:
            raise self._failure
        return _STILL_PAUSED

    def _result(self, body: bytes) -> bytes | None:
        if self._in_order:
            self._asked += 1
            return self._results.get(self._asked - 1)
        numbers = self._left.get(sha256(body).digest(), [])
        return self._results.get(numbers.pop(0)) if numbers else None

    async def models(self) -> list[ModelInfo]:
        """See `Upstream.models`."""
        return await self._upstream.models()

    async def count_tokens(self, request: MessagesRequest) -> int:
        """See `Upstream.count_tokens`."""
        return await self._upstream.count_tokens(request)

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `Upstream.status`."""
        return await self._upstream.status(deep=deep)

    async def aclose(self) -> None:
        """It is another's to close."""

    async def current(self) -> Upstream:
        """It is its own `UpstreamChoice`. Raises nothing."""
        return self
