"""What comes in: offers of other protocols, limits, malformed requests, pipelines."""

import asyncio
from contextlib import suppress

import pytest

from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.web.asgi import HTTPScope, Receive, Send
from serving.raw import Echo, answer, get, post, serving, talking

BODY = b'{"model":"custom-claude-4-sonnet","messages":[{"role":"user","content":"hi"}]}'

CURL = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    b"content-type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)
JDK = (
    b"POST /v1/chat/completions HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: %d\r\n"
    b"Host: localhost\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAABgAGAAA\r\nUpgrade: h2c\r\n"
    b"User-Agent: Java-http-client/21.0.5\r\nContent-Type: application/json\r\n\r\n" % len(BODY)
)
CHUNKED = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABk\r\nTransfer-Encoding: chunked\r\n\r\n"
)
IN_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)

SOON = Limits(head_seconds=0.05, sweep_seconds=0.01, linger_seconds=0.05)


@pytest.mark.parametrize(
    "segments",
    [
        [CURL + BODY],
        [CURL, BODY],
        [CURL[:40], CURL[40:], BODY[:7], BODY[7:]],
        [JDK + BODY],
        [JDK, BODY],
        [CHUNKED + IN_CHUNKS],
        [CHUNKED, IN_CHUNKS],
    ],
    ids=["curl", "curl in two", "curl in four", "JDK", "JDK in two", "chunks", "chunks in two"],
)
async def test_an_offer_of_http2_costs_nothing(segments: list[bytes]) -> None:
    echo = Echo()
    async with talking(echo) as client:
        for _ in range(2):
            await client.send(*segments)
            got = await client.answer()
            assert (got.status, got.body) == (200, BODY)
            assert "connection" not in got.headers
    names = [name for name, _ in echo.scopes[0]["headers"]]
    assert b"host" in names
    assert not {b"upgrade", b"http2-settings"} & set(names)


async def test_an_offer_leaves_the_other_options_of_the_connection() -> None:
    async with talking(Echo()) as client:
        await client.send(get("/", "Connection: Upgrade, close", "Upgrade: h2c"))
        got = await client.answer()
        assert (got.status, got.headers["connection"]) == (200, "close")
        assert await client.everything() == b""


async def test_offers_in_a_pipeline_are_answered_in_order() -> None:
    async with talking(Echo()) as client:
        await client.send(CURL + BODY + CURL + BODY + post(b"last"))
        assert [(await client.answer()).body for _ in range(3)] == [BODY, BODY, b"last"]


async def test_a_websocket_that_nobody_takes_is_an_ordinary_request() -> None:
    async with talking(Echo()) as client:
        await client.send(get("/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"))
        assert (await client.answer()).status == 200


# ---- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (get("/", "X-Long: " + "a" * 70_000), 431),
        (get("/", *["X-Many: a"] * 20_000), 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: " + b"a" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX" + b"a" * 70_000, 431),
        (get("/" + "a" * 20_000), 414),
        (b"GET /" + b"a" * 70_000, 414),
    ],
    ids=["one header", "many headers", "a header without end", "a name without end", "URL", "URL without end"],
)
async def test_a_head_over_the_limit_is_refused(head: bytes, status: int) -> None:
    async with talking(Echo()) as client:
        await client.send(head)
        got = await client.answer()
        assert (got.status, got.headers["connection"]) == (status, "close")
        assert got.error.type == "invalid_request_error"
        assert await client.everything() == b""


async def test_a_head_just_below_the_limit_is_read() -> None:
    async with talking(Echo()) as client:
        await client.send(get("/", "X-Long: " + "a" * 65_000))
        assert (await client.answer()).status == 200


async def test_trailers_without_end_are_refused() -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    async with talking(Echo()) as client:
        await client.send(head)
        await client.send(*[b"X-Trailer: " + b"a" * 10_000 + b"\r\n"] * 20)
        got = await client.answer()
        assert (got.status, got.error.code) == (400, "malformed_http")


async def test_a_silent_connection_is_closed() -> None:
    async with talking(Echo(), SOON) as client:
        assert await client.everything() == b""


async def test_half_a_head_is_told_that_it_took_too_long() -> None:
    async with talking(Echo(), SOON) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: loc")
        got = await client.answer()
        assert (got.status, got.error.code) == (408, "request_timeout")
        assert await client.everything() == b""


async def test_a_second_head_has_its_own_time() -> None:
    async with talking(Echo(), SOON) as client:
        await client.send(get())
        assert (await client.answer()).status == 200
        await client.send(b"GET / HT")
        assert (await client.answer()).status == 408


async def test_an_idle_connection_is_kept_for_longer_than_a_head_may_take() -> None:
    async with talking(Echo(), Limits(head_seconds=0.02, sweep_seconds=0.01, keep_alive_seconds=60)) as client:
        await client.send(get())
        await client.answer()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.everything()
        await client.send(get())
        assert (await client.answer()).status == 200


async def test_a_connection_that_rests_for_long_is_closed() -> None:
    async with talking(Echo(), Limits(head_seconds=60, sweep_seconds=0.01, keep_alive_seconds=0.02)) as client:
        await client.send(get())
        assert (await client.answer()).status == 200
        assert await client.everything() == b""


async def test_a_refused_body_is_not_swallowed_without_limit() -> None:
    async def refuse(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await answer(send, b"no", status=401)

    sent = 0
    async with talking(serving(refuse), Limits(linger_bytes=1_000_000)) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000000\r\n\r\n")
        assert (await client.answer()).status == 401
        with suppress(ConnectionError):
            for _ in range(1_000):
                await client.send(b"a" * 100_000)
                sent += 100_000
    assert sent < 50_000_000


async def test_nor_for_ever() -> None:
    async def refuse(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await answer(send, b"no", status=401)

    async with talking(serving(refuse), Limits(linger_seconds=0.05, sweep_seconds=0.01)) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        assert (await client.answer()).status == 401
        assert await client.everything() == b""


async def test_after_a_refused_body_the_connection_goes_on() -> None:
    async def first_is_refused(scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await answer(send, scope["path"].encode(), status=401)

    async with talking(serving(first_is_refused)) as client:
        await client.send(post(b"a" * 300_000, "/one") + post(b"b", "/two"))
        assert [(await client.answer()).body for _ in range(2)] == [b"/one", b"/two"]


# ---- malformed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        (b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n", 400),
        (b"GET relative HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n bad: folded\r\n\r\n", 400),
    ],
)
async def test_what_is_no_http_gets_an_error_in_json(request_: bytes, status: int) -> None:
    async with talking(Echo()) as client:
        await client.send(request_)
        got = await client.answer()
        assert (got.status, got.headers["connection"]) == (status, "close")
        assert (got.headers["content-type"], got.error.type) == ("application/json", "invalid_request_error")
        assert await client.everything() == b""


async def test_an_error_waits_for_the_answers_before_it() -> None:
    go_on = asyncio.Event()

    async def slow(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await go_on.wait()
        await answer(send)

    async with talking(serving(slow)) as client:
        await client.send(get() + b"no http at all\r\n\r\n")
        go_on.set()
        assert [(await client.answer()).status for _ in range(2)] == [200, 400]
        assert await client.everything() == b""


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("/a%20b?x=1&y", "/a b", b"x=1&y", b"localhost"),
        ("/%E6%BC%A2", "/漢", b"", b"localhost"),
        ("/%ff", "/\ufffd", b"", b"localhost"),
        ("//two", "//two", b"", b"localhost"),
        ("http://other:81/a?b", "/a", b"b", b"other:81"),
        ("http://other", "/", b"", b"other"),
        ("http://other?b", "/", b"b", b"other"),
    ],
)
async def test_targets(target: str, path: str, query: bytes, host: bytes) -> None:
    echo = Echo()
    async with talking(echo) as client:
        await client.send(get(target))
        assert (await client.answer()).status == 200
    scope = echo.scopes[0]
    assert (scope["path"], scope["query_string"]) == (path, query)
    assert [value for name, value in scope["headers"] if name == b"host"] == [host]


# ---- pipelines ------------------------------------------------------------------------------------------------------


async def test_the_first_of_a_pipeline_learns_that_its_client_left() -> None:
    echo = Echo()
    async with talking(echo) as client:
        await client.send(get("/wait") + get("/second") + get("/third"))
        await echo.entered.wait()
        client.leave()
        await echo.gone.wait()
    assert [scope["path"] for scope in echo.scopes] == ["/wait"]


async def test_more_than_is_kept_behind_an_answer_ends_the_connection_after_it() -> None:
    async with talking(Echo(), Limits(pipelined=2)) as client:
        await client.send(b"".join(get(f"/{number}") for number in range(5)))
        assert (await client.answer()).status == 200
        assert (await client.answer()).headers["connection"] == "close"
        assert await client.everything() == b""


async def test_a_large_body_behind_an_answer_is_not_kept() -> None:
    go_on = asyncio.Event()

    async def slow(_scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await go_on.wait()
        await answer(send)

    async with talking(serving(slow)) as client:
        await client.send(get(), post(b"a" * 1_000_000))
        go_on.set()
        assert (await client.answer()).headers["connection"] == "close"
        assert await client.everything() == b""
