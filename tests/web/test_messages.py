"""The route of the Messages API as far as it differs from chat completions: its signs of life, its words for errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from claude_openai_proxy.errors import (
    ClientRefusedError,
    NoLoginError,
    NotOfferedError,
    PersonalPlanError,
    ProxyError,
    QueueFullError,
    StoppingError,
    UpstreamConnectionError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.anthropic import MessageStop
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.messages import Batch, MessageAnswer, MessagesService
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.web.asgi import HTTPScope, ReceiveEvent, SendEvent
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.errors import INTERNAL_ERROR, to_failure
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange
from claude_openai_proxy.web.messages.dialect import MESSAGES
from claude_openai_proxy.web.messages.messages import Messages
from web.fake_service import HEAD
from web.wired import NOW, Clock

STREAM = b'{"model":"m","max_tokens":1,"messages":[],"stream":true}'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
RECORD = RequestRecord(id="req-1", principal=ANONYMOUS, method="POST", route="", started=0.0)


class Silent(MessagesService):
    """Says nothing until `goes_on` is set."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    @asynccontextmanager
    async def answer(
        self,
        asked: AskedMessage,  # noqa: ARG002 - the signature of the service
        *,
        record: RequestRecord,
        large: bool = False,  # noqa: ARG002 - the same
    ) -> AsyncIterator[MessageAnswer]:
        record.admitted = record.started
        yield MessageAnswer(HEAD, self._events())

    async def _events(self) -> AsyncIterator[Batch]:
        await self.goes_on.wait()
        yield [MessageStop()]


async def test_silence_is_filled_with_pings() -> None:
    service, written = Silent(), list[bytes]()
    body: list[ReceiveEvent] = [{"type": "http.request", "body": STREAM, "more_body": False}]

    async def receive() -> ReceiveEvent:
        if not body:
            await asyncio.Event().wait()
        return body.pop()

    async def send(event: SendEvent) -> None:
        if event["type"] == "http.response.body":
            written.append(event["body"])
            service.goes_on.set()

    headers = [(b"content-type", b"application/json")]
    scope: HTTPScope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    clock = Clock()
    messages = Messages(service, bodies=Bodies(limit=1000), clock=clock, keep_alive_seconds=0)
    await messages.create(Exchange(scope, receive, send, clock=clock, new_id=lambda: "req-1"))
    pings, stop = b"".join(written).split(STOP)
    assert stop == b""
    assert pings.startswith(b'event: ping\ndata: {"type": "ping"}\n\n')


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (QueueFullError("Full.", retry_after=5), 529, "overloaded_error"),
        (StoppingError(), 529, "overloaded_error"),
        (NoLoginError("Log in."), 401, "authentication_error"),
        (PersonalPlanError("One person's."), 403, "permission_error"),
        (NotOfferedError("Not here."), 501, "api_error"),
        (ClientRefusedError("Slow.", status=408), 408, "invalid_request_error"),
        (UpstreamConnectionError("Cut."), 502, "api_error"),
        (UpstreamTimeoutError("Silent.", phase="first byte"), 504, "timeout_error"),
    ],
)
def test_each_failure_has_the_type_that_anthropic_has_for_it(error: ProxyError, status: int, kind: str) -> None:
    failure = to_failure(error, now=NOW, retried=True)
    told = MESSAGES.failure(failure, error, RECORD)
    body = json.loads(told.body)
    assert (told.status, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["error"]["message"] == failure.error.message
    assert body["request_id"] == "req-1"
    assert (b"request-id", b"req-1") in told.headers
    assert set(failure.headers) <= set(told.headers)


def test_a_bug_is_an_api_error() -> None:
    assert json.loads(MESSAGES.failure(INTERNAL_ERROR, None, RECORD).body)["error"]["type"] == "api_error"
