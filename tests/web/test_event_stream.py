"""The bytes of a streamed answer, and where errors stand in it."""

import asyncio

import msgspec
import pytest

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_chat_response import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.web.asgi import HTTPScope, ReceiveEvent, SendEvent
from claude_openai_proxy.web.chunk_encoder import ChunkEncoder
from claude_openai_proxy.web.event_stream import EventStream
from claude_openai_proxy.web.exchange import Exchange
from web.direct import HELLO, STREAM, call
from web.fake_service import FakeAnswer, FakeChat, Head, Script
from web.wired import NOW, Clock, Wired

WITH_USAGE = STREAM[:-1] + b',"stream_options":{"include_usage":true}}'


def data_lines(body: bytes) -> list[bytes]:
    """The data of each event; the body must be nothing but events."""
    *events, last = body.split(b"\n\n")
    assert last == b""
    assert all(event.startswith(b"data: ") and b"\n" not in event for event in events)
    return [event.removeprefix(b"data: ") for event in events]


def chunks(body: bytes) -> list[dict[str, object]]:
    """The chunks before [DONE]."""
    *lines, done = data_lines(body)
    assert done == b"[DONE]"
    return [msgspec.json.decode(line, type=dict[str, object]) for line in lines]


async def test_every_chunk_repeats_id_created_and_model() -> None:
    answer = await call(Wired().app(), body=STREAM)
    for chunk in chunks(answer.body):
        assert (chunk["id"], chunk["object"]) == ("chatcmpl-1", "chat.completion.chunk")
        assert (chunk["created"], chunk["model"]) == (1_700_000_000, "custom-claude-4-opus")
        assert chunk["system_fingerprint"] is None
        assert "usage" not in chunk


async def test_every_chunk_is_what_the_typed_chunk_says() -> None:
    answer = await call(Wired().app(), body=STREAM)
    typed = [msgspec.json.decode(line, type=ChatCompletionChunk) for line in data_lines(answer.body)[:-1]]
    assert [chunk.choices[0].delta.content for chunk in typed[:-1]] == ["", "Hello"]
    assert typed[-1].choices[0].finish_reason == "stop"


async def test_asked_for_usage_is_null_on_all_chunks_but_the_last() -> None:
    wired = Wired(chat=FakeChat(Script(service_tier="priority")))
    *others, last = chunks((await call(wired.app(), body=WITH_USAGE)).body)
    assert [chunk["usage"] for chunk in others] == [None, None, None]
    assert last["choices"] == []
    assert msgspec.convert(last["usage"], CompletionUsage).total_tokens == 5
    assert last["service_tier"] == "priority"


async def test_all_of_one_batch_go_out_in_one_write() -> None:
    wired = Wired(chat=FakeChat(Script(steps=[["a", "b", "c"]])))
    answer = await call(wired.app(), body=STREAM)
    assert [write.count(b"data: ") for write in answer.writes] == [1, 3, 1, 1]


async def test_the_headers_of_a_stream_keep_proxies_from_holding_it_back() -> None:
    answer = await call(Wired().app(), body=STREAM)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-claude-model"] == "claude-test-1"
    assert "content-length" not in answer.headers


async def test_characters_that_some_clients_take_for_line_breaks_are_escaped() -> None:
    text = "a\u2028b\u2029c\u0085d é 漢字 🎉"
    answer = await call(Wired(chat=FakeChat(Script(steps=[text]))).app(), body=STREAM)
    assert all(character not in answer.body.decode() for character in "\u2028\u2029\u0085")
    assert "é 漢字 🎉" in answer.body.decode()
    choice = msgspec.json.decode(data_lines(answer.body)[1], type=ChatCompletionChunk).choices[0]
    assert choice.delta.content == text


async def test_an_error_before_the_first_batch_has_its_own_status() -> None:
    error = UpstreamStatusError("Slow down.", status=429, retry_after=7)
    answer = await call(Wired(chat=FakeChat(Script(before=[error]))).app(), body=STREAM)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["content-type"] == "application/json"
    assert answer.error.type == "rate_limit_error"


async def test_an_error_after_it_is_an_event_and_the_end_without_done() -> None:
    wired = Wired(chat=FakeChat(Script(steps=["Hello", UpstreamConnectionError("Claude's side hung up.")])))
    answer = await call(wired.app(), body=STREAM)
    last = data_lines(answer.body)[-1]
    assert answer.status == 200
    assert msgspec.json.decode(last)["error"]["message"] == "Claude's side hung up."
    assert b"[DONE]" not in answer.body
    assert wired.keeper.records[0].error == "UpstreamConnectionError"


async def test_a_model_name_cannot_break_out_of_the_template() -> None:
    body = STREAM.replace(b"custom-claude-4-opus", b'x\\",\\n{}%s%d')
    answer = await call(Wired().app(), body=body)
    assert {chunk["model"] for chunk in chunks(answer.body)} == {'x",\n{}%s%d'}


async def test_rate_limits_have_openais_names() -> None:
    limits = (
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2027-01-15T08:01:30Z"),
        ("anthropic-ratelimit-input-tokens-limit", "1000"),
        ("anthropic-ratelimit-output-tokens-remaining", "900"),
        ("anthropic-ratelimit-tokens-reset", "no time"),
        ("anthropic-ratelimit-unified-status", "allowed"),
    )
    assert NOW == 1_800_000_000  # 2027-01-15T08:00:00Z
    headers = (await call(Wired(chat=FakeChat(Script(head=Head(rate_limits=limits)))).app(), body=HELLO)).headers
    assert {name: value for name, value in headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "1m30s",
        "x-ratelimit-limit-input-tokens": "1000",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-output-tokens": "900",
        "x-ratelimit-reset-tokens": "no time",
    }


async def test_of_a_plans_limits_the_reset_is_told_and_that_nothing_is_left() -> None:
    limits = (
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", "1800000090"),
        ("anthropic-ratelimit-unified-5h-reset", "1800000090"),
    )
    headers = (await call(Wired(chat=FakeChat(Script(head=Head(rate_limits=limits)))).app(), body=HELLO)).headers
    assert {name: value for name, value in headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m30s",
    }


@pytest.mark.parametrize(
    ("ignored", "header"),
    [
        (("seed", "logit_bias"), "seed, logit_bias"),
        (("messages[0].content[1].image_url.detail",), "messages[0].content[1].image_url.detail"),
        (("a\r\nset-cookie: x", "b,c", "漢"), "a%0D%0Aset-cookie%3A%20x, b%2Cc, %E6%BC%A2"),
        (("x" * 100,), "x" * 64),
    ],
)
async def test_ignored_parameters_are_named(ignored: tuple[str, ...], header: str) -> None:
    answer = await call(Wired(chat=FakeChat(Script(head=Head(ignored=ignored)))).app(), body=HELLO)
    assert answer.headers["x-ignored-parameters"] == header


async def test_a_client_that_does_not_read_gets_no_comments_on_top() -> None:
    reads, writing = asyncio.Event(), asyncio.Event()
    clock = Clock()

    async def send(event: SendEvent) -> None:
        writing.set()
        await reads.wait()
        if event["type"] == "http.response.body":
            written.append(event["body"])

    async def receive() -> ReceiveEvent:
        raise AssertionError

    written: list[bytes] = []
    scope: HTTPScope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    exchange = Exchange(scope, receive, send, clock=clock, new_id=lambda: "req-1")
    exchange.record.admitted = clock.now
    stream = EventStream(exchange, keep_alive_seconds=15, clock=clock)
    answer = FakeAnswer(Script(), ChatCompletionRequest(messages=[]))
    pump = asyncio.create_task(stream.send(answer, lambda chunks: b"x" * len(chunks), lambda: b"end"))
    await writing.wait()
    clock.now += 20
    await stream.keep_alive()
    assert stream.silence_left() == 15
    reads.set()
    await pump
    clock.now += 20
    await stream.keep_alive()
    assert b"".join(written).count(b"keep-alive") == 0


def test_the_encoder_makes_what_msgspec_would() -> None:
    choice = ChunkChoice(index=1, delta=ChoiceDelta(content='"quoted"\n'), finish_reason="length")
    encoder = ChunkEncoder(id_="chatcmpl-9", created=5, model="m", include_usage=True)
    typed = ChatCompletionChunk(id="chatcmpl-9", created=5, model="m", choices=[choice])
    encoded = encoder.encode([choice])
    assert msgspec.json.decode(encoded.removeprefix(b"data: "), type=ChatCompletionChunk) == msgspec.structs.replace(
        typed, usage=None, system_fingerprint=None
    )


async def test_who_waits_in_line_longer_than_a_silence_may_last_is_still_told_no_with_a_status() -> None:
    clock, sent = Clock(), list[SendEvent]()

    async def send(event: SendEvent) -> None:
        sent.append(event)

    async def receive() -> ReceiveEvent:
        raise AssertionError

    scope: HTTPScope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    exchange = Exchange(scope, receive, send, clock=clock, new_id=lambda: "req-1")
    stream = EventStream(exchange, keep_alive_seconds=15, clock=clock)
    clock.now += 20
    await stream.keep_alive()
    assert (sent, stream.silence_left()) == ([], 15)

    exchange.record.admitted = clock.now
    clock.now += 20
    await stream.keep_alive()
    assert [event["type"] for event in sent] == ["http.response.start", "http.response.body"]
