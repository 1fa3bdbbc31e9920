"""What only a real server and a real connection show."""

import asyncio
import gzip
import tracemalloc

import pytest

from claude_openai_proxy.errors import UpstreamStatusError
from robustness.whole_proxy import until
from web.direct import CHAT, HELLO, STREAM
from web.fake_service import FakeChat, Script
from web.raw_client import connected
from web.serving import served
from web.wired import Wired

FAST = 0.01


async def test_two_answers_on_one_connection() -> None:
    async with served(Wired().app()) as url, connected(url) as client:
        for _ in range(2):
            await client.send("POST", CHAT, HELLO)
            status, headers = await client.head()
            assert status == 200
            assert b'"content":"Hello"' in await client.sized_body(headers)
            assert "server" not in headers


async def test_a_stream_goes_out_batch_by_batch() -> None:
    more = asyncio.Event()
    wired = Wired(chat=FakeChat(Script(steps=["one", more, ["two", "three"]])))
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        status, headers = await client.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert b'"role":"assistant"' in await client.chunk()
        assert b'"content":"one"' in await client.chunk()
        more.set()
        both = await client.chunk()
        assert both.count(b"data: ") == 2
        assert (await client.rest()).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_a_client_that_leaves_before_the_first_token_cancels_the_work(body: bytes) -> None:
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])))
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, body)
        await wired.chat.entered.wait()
        client.leave()
        await wired.chat.cancelled.wait()
    assert wired.keeper.records[0].status == 499


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
async def test_a_client_that_leaves_in_the_middle_cancels_the_work(body: bytes) -> None:
    wired = Wired(chat=FakeChat(Script(steps=["one", asyncio.Event()])))
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, body)
        await wired.chat.answering.wait()
        if body is STREAM:
            await client.head()
            await client.chunk()
        client.leave()
        await wired.chat.cancelled.wait()
    assert wired.keeper.told[-1] == "ended"


async def test_silence_before_the_first_batch_is_filled_with_comments() -> None:
    first = asyncio.Event()
    wired = Wired(chat=FakeChat(Script(before=[first])), keep_alive_seconds=FAST)
    wired.clock.tick = FAST
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        status, headers = await client.head()
        assert status == 200
        assert "x-claude-model" not in headers
        assert await client.chunk() == b": keep-alive\n\n"
        assert await client.chunk() == b": keep-alive\n\n"
        first.set()
        rest = await client.rest()
        assert rest.replace(b": keep-alive\n\n", b"").startswith(b"data: {")
        assert rest.endswith(b"data: [DONE]\n\n")


async def test_an_error_after_a_keep_alive_is_an_event() -> None:
    more = asyncio.Event()
    script = Script(before=[more, UpstreamStatusError("Busy.", status=529)])
    wired = Wired(chat=FakeChat(script), keep_alive_seconds=FAST)
    wired.clock.tick = FAST
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        await client.chunk()
        more.set()
        rest = (await client.rest()).replace(b": keep-alive\n\n", b"")
        assert rest.startswith(b'data: {"error":{"message":"Busy."')
        assert b"[DONE]" not in rest


async def test_silence_between_batches_is_filled_too() -> None:
    more = asyncio.Event()
    wired = Wired(chat=FakeChat(Script(steps=["one", more, "two"])), keep_alive_seconds=FAST)
    wired.clock.tick = FAST
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        while await client.chunk() != b": keep-alive\n\n":
            pass
        more.set()
        assert b'"content":"two"' in await client.rest()


async def test_a_client_that_leaves_after_a_keep_alive_cancels_the_work() -> None:
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])), keep_alive_seconds=FAST)
    wired.clock.tick = FAST
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        client.leave()
        await wired.chat.cancelled.wait()


async def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    wired = Wired(body_limit=1000)
    async with served(wired.app()) as url, connected(url) as client:
        await client.send("POST", CHAT, b"{", content_length="5000000")
        status, headers = await client.head()
        assert (status, headers["connection"]) == (413, "close")
        assert b"MAX_BODY_MB" in await client.sized_body(headers)
        assert wired.chat.requests == []


async def test_the_refusal_of_a_large_body_reaches_a_client_that_sends_all_of_it_first() -> None:
    async with served(Wired(body_limit=1000).app()) as url, connected(url) as client:
        await client.send("POST", CHAT, b" " * 5_000_000)
        status, headers = await client.head()
        assert status == 413
        await client.sized_body(headers)
        assert await client.reader.read() == b""


async def test_a_body_without_a_length_is_counted() -> None:
    async with served(Wired(body_limit=1000).app()) as url, connected(url) as client:
        await client.send("POST", CHAT, content_type="application/json", transfer_encoding="chunked")
        client.writer.write(b"%x\r\n%b\r\n" % (2000, b" " * 2000))
        status, _ = await client.head()
        assert status == 413


async def test_an_upload_that_stalls_is_ended() -> None:
    async with served(Wired(idle_seconds=FAST).app()) as url, connected(url) as client:
        await client.send("POST", CHAT, b"{", content_length="100")
        status, headers = await client.head()
        assert (status, headers["connection"]) == (408, "close")


async def test_an_upload_that_trickles_is_ended() -> None:
    async with served(Wired(total_seconds=FAST).app()) as url, connected(url) as client:
        await client.send("POST", CHAT, b"{", content_length="1000000")
        while not client.reader._buffer:  # type: ignore[attr-defined]
            client.writer.write(b" ")
            await asyncio.sleep(0.001)
        status, headers = await client.head()
        assert (status, headers["connection"]) == (408, "close")


async def test_compressed_bodies_whose_clients_left_are_given_up() -> None:
    wired = Wired(body_limit=60_000_000)
    async with served(wired.app()) as url, connected(url) as client:
        bomb = gzip.compress(bytes(50_000_000), compresslevel=1) * 100
        await client.send("POST", CHAT, bomb, content_encoding="gzip")
        await wired.keeper.start.wait()
        client.leave()
        await wired.keeper.end.wait()
    assert wired.keeper.records[0].status in (413, 499)


async def test_a_client_that_leaves_while_it_uploads_is_a_499() -> None:
    wired = Wired()
    async with served(wired.app()) as url:
        async with connected(url) as client:
            await client.send("POST", CHAT, b"{", content_length="100")
            await wired.keeper.start.wait()
            client.leave()
        await wired.keeper.end.wait()
    assert wired.keeper.records[0].status == 499


async def test_a_body_is_kept_once_while_its_answer_is_made() -> None:
    size = 8_000_000
    text = HELLO.replace(b"Hi", b"a" * size)
    wired = Wired(body_limit=2 * size, chat=FakeChat(Script(steps=["one", asyncio.Event()])))
    async with served(wired.app()) as url, connected(url) as client:
        tracemalloc.start()
        try:
            await client.send("POST", CHAT, text)
            await wired.chat.answering.wait()
            async with asyncio.timeout(30):  # the thread that has decoded it lets go a moment later
                await until(lambda: size <= tracemalloc.get_traced_memory()[0] < 1.5 * size)
        finally:
            tracemalloc.stop()
        client.leave()


async def test_a_compressed_body_is_read() -> None:
    async with served(Wired().app()) as url, connected(url) as client:
        await client.send("POST", CHAT, gzip.compress(HELLO), content_encoding="gzip")
        status, _ = await client.head()
        assert status == 200


async def test_curl_that_waits_for_a_go_ahead_is_refused_without_one() -> None:
    async with served(Wired(body_limit=1000).app()) as url, connected(url) as client:
        await client.send(
            "POST", CHAT, expect="100-continue", content_type="application/json", content_length="5000000"
        )
        status, _ = await client.head()
        assert status == 413


async def test_a_refused_request_leaves_the_connection_usable() -> None:
    async with served(Wired(keys={"sk-1": "me"}).app()) as url, connected(url) as client:
        for _ in range(2):
            await client.send("POST", CHAT, HELLO)
            status, headers = await client.head()
            assert status == 401
            await client.sized_body(headers)


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with served(Wired().app()) as url, connected(url) as client:
        await client.send("GET", "/v1/models", x_request_id="first")
        await client.send("GET", "/v1/models", x_request_id="second")
        for id_ in ("first", "second"):
            _, headers = await client.head()
            assert headers["x-request-id"] == id_
            await client.sized_body(headers)
