"""What goes out: framing for every client, clients that half-close, leave, or take nothing."""

import asyncio
import time
from dataclasses import replace

import pytest

from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.web.asgi import HTTPScope, Receive, Send
from serving.raw import Echo, answer, client_of, get, parsed, post, serving, stream, talking
from web.serving import served

PIECES = [b"data: one\n\n", b"data: two\n\n"]


async def in_pieces(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
    await stream(send, PIECES)


async def test_http_1_0_gets_a_stream_without_chunks() -> None:
    async with talking(serving(in_pieces)) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = (await client.everything()).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"".join(PIECES)


async def test_http_1_1_gets_chunks() -> None:
    async with talking(serving(in_pieces)) as client:
        await client.send(get("/", "Connection: close"))
        everything = await client.everything()
    assert everything.endswith(b"b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n")


async def test_a_piece_is_written_at_once_only_between_two_others() -> None:
    told: list[bool] = []

    async def at_once(scope: HTTPScope, _receive: Receive, send: Send) -> None:
        server = scope["extensions"]["claude_openai_proxy"]
        told.append(server.write_now(b"before the head"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        told.append(server.write_now(b"before the first"))
        await send({"type": "http.response.body", "body": PIECES[0], "more_body": True})
        told.append(server.write_now(PIECES[1]))
        told.append(server.write_now(b""))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        told.append(server.write_now(b"behind the last"))

    async with talking(serving(at_once)) as client:
        await client.send(get("/", "Connection: close"))
        everything = await client.everything()
        old_told, told[:] = list(told), []
    assert everything.endswith(b"b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n")
    assert old_told == [False, False, True, False, False]
    async with talking(serving(at_once)) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.everything()).endswith(b"\r\n\r\n" + PIECES[0])
    assert told == [False] * 5


async def test_nothing_is_written_at_once_to_a_client_that_does_not_read() -> None:
    stopped = asyncio.Event()

    async def much(scope: HTTPScope, _receive: Receive, send: Send) -> None:
        server = scope["extensions"]["claude_openai_proxy"]
        await stream_begins(send)
        while server.write_now(bytes(65_536)):
            pass
        stopped.set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with talking(serving(much)) as client:
        await client.send(get("/", "Connection: close"))
        await stopped.wait()
        assert (await client.everything()).endswith(b"\r\n0\r\n\r\n")


async def stream_begins(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": PIECES[0], "more_body": True})


@pytest.mark.parametrize("request_", [get().replace(b"1.1", b"1.0"), get("/", "Connection: close")])
async def test_an_answer_with_a_length_ends_the_connection_where_the_client_wants_it(request_: bytes) -> None:
    async with talking(Echo()) as client:
        await client.send(request_)
        got = await client.answer()
        assert got.headers["connection"] == "close"
        assert await client.everything() == b""


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_no_framing(status: int) -> None:
    async def bare(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with talking(serving(bare)) as client:
        await client.send(get("/", "Connection: close"))
        head = await client.everything()
    assert head.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in head


async def test_head_and_body_of_an_answer_are_one_write() -> None:
    async with talking(Echo()) as client:
        await client.send(post(b"hello"))
        assert (await client.reader.read(65_536)).endswith(b"\r\n\r\nhello")


async def test_an_application_that_fails_closes_the_connection_and_the_server_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_scope: HTTPScope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("a bug")

    async with served(serving(fail)) as url:
        for _ in range(2):
            async with client_of(url) as client:
                await client.send(get())
                assert await client.everything() == b""
    assert caplog.text.count("the application failed") == 2


@pytest.mark.parametrize("value", [b"a\r\nx-injected: 1", b"a\n", b"a\r"])
async def test_a_header_never_becomes_two(value: bytes) -> None:
    async def inject(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        with pytest.raises(ValueError, match="line break"):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", value)]})
        await answer(send)

    async with talking(serving(inject)) as client:
        await client.send(get())
        assert (await client.answer()).body == b"ok"


async def test_a_client_that_waits_gets_the_go_ahead_once() -> None:
    async with talking(Echo()) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hi")
        assert (await client.answer()).body == b"hi"


# ---- half-closed ----------------------------------------------------------------------------------------------------


async def test_a_client_that_half_closes_gets_its_answer() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        asked.set()
        await go_on.wait()
        await answer(send, b"late")

    async with talking(serving(slow)) as client:
        await client.send(get())
        client.half_close()
        await asked.wait()
        # What the server sends to find out whether anybody is there is the beginning of the answer.
        first = await client.reader.readexactly(1)
        go_on.set()
        assert parsed(first + await client.everything()) == (200, b"late")


async def test_a_client_that_half_closes_gets_its_stream() -> None:
    go_on = asyncio.Event()

    async def slow(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with talking(serving(slow)) as client:
        await client.send(get())
        before = await client.reader.readuntil(b"one\r\n")
        client.half_close()
        before += await client.reader.readexactly(2)
        go_on.set()
        assert parsed(before + await client.everything()) == (200, b"onetwo")


async def test_all_of_a_pipeline_are_answered_to_a_client_that_half_closes() -> None:
    async with talking(Echo()) as client:
        await client.send(post(b"one") + post(b"two"))
        client.half_close()
        assert [(await client.answer()).body for _ in range(2)] == [b"one", b"two"]
        assert await client.everything() == b""


async def test_a_client_that_closes_is_known_to_have_gone_before_anything_is_written() -> None:
    echo = Echo()
    async with talking(echo) as client:
        await client.send(get("/wait"))
        await echo.entered.wait()
        client.writer.close()
        await echo.gone.wait()


async def test_a_client_that_closes_before_its_body_is_there_has_gone() -> None:
    gone = asyncio.Event()

    async def read(_scope: HTTPScope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with talking(serving(read)) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
        client.half_close()
        await gone.wait()


# ---- clients that take nothing --------------------------------------------------------------------------------------

IMPATIENT = Limits(client_stall_seconds=0.05, sweep_seconds=0.01)


async def test_a_client_that_never_reads_is_cut_off() -> None:
    ended = asyncio.Event()

    async def endless(_scope: HTTPScope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        watching = asyncio.create_task(gone(receive))
        while not watching.done():
            await send({"type": "http.response.body", "body": b"a" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    async def gone(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async with served(serving(endless), IMPATIENT) as url, client_of(url) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(get())
        await ended.wait()


async def test_so_is_one_whose_whole_answer_is_written_already() -> None:
    async def large(scope: HTTPScope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/ended":
            await answer(send)
            return
        await answer(send, b"a" * 30_000_000, close=True)

    one_place = replace(IMPATIENT, most_connections=1)
    async with served(serving(large), one_place) as url, client_of(url) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(get())
        status = 0
        while status != 200:  # while the first has the only place, nobody else is let in
            async with client_of(url) as other:
                await other.send(get("/ended", "Connection: close"))
                status = int((await other.everything())[9:12] or 0)


async def test_a_slow_client_is_not() -> None:
    async def large(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await answer(send, b"a" * 20_000_000)

    async with talking(serving(large), IMPATIENT) as client:
        await client.send(get())
        got = await client.answer()
        assert len(got.body) == 20_000_000


async def test_nor_is_one_whom_a_server_that_stood_still_did_not_see_reading() -> None:
    written = asyncio.Event()

    async def large(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await answer(send, b"a" * 20_000_000)
        written.set()

    async with talking(serving(large), IMPATIENT) as client:
        await client.send(get())
        await written.wait()
        time.sleep(3 * IMPATIENT.client_stall_seconds)  # noqa: ASYNC251 - the loop is to stand still
        assert len((await client.answer()).body) == 20_000_000
