"""The client against a server that misbehaves: every end, every split, and connections that come and go."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamError, UpstreamProtocolError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from upstreams.wild_server import LAST_CHUNK, STREAM_HEAD, Visit, always, chunk, eventually, ok, once, wild_server

PATIENCE = Patience(silence=10)


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    client = HTTPClient()
    yield client
    await client.aclose()
    assert client.open_connections == 0


def get(url: str) -> Request:
    return Request("GET", URL.parse(url))


async def fetch(client: HTTPClient, request: Request) -> bytes:
    with await client.send(request, PATIENCE) as response:
        return await response.read_all()


async def fetch_url(client: HTTPClient, url: str) -> bytes:
    return await fetch(client, get(url))


async def settled(client: HTTPClient, open_connections: int) -> None:
    await eventually(lambda: client.open_connections == open_connections)


# ---- requests ------------------------------------------------------------------------------------------------------


async def test_the_request_goes_out_as_written(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        url = URL.parse(f"{server.url}/prefix/") / "v1/messages?beta=true"
        await fetch(client, Request("POST", url, (("x-api-key", "k"),), b"{}"))
        assert server.requests == [
            b"POST /prefix/v1/messages?beta=true HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\n"
            b"x-api-key: k\r\ncontent-length: 2\r\n\r\n{}" % server.port
        ]


async def test_requests_that_follow_each_other_have_their_own_heads(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        url = URL.parse(server.url)
        for headers, body in (((), b"1"), ((), b"22"), ((("x-api-key", "k"),), b"22"), ((), b"1")):
            await fetch(client, Request("POST", url / "a", headers, body))
        await fetch(client, Request("GET", url / "b"))
        begin = b"HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\n" % server.port
        assert server.requests == [
            b"POST /a %bcontent-length: 1\r\n\r\n1" % begin,
            b"POST /a %bcontent-length: 2\r\n\r\n22" % begin,
            b"POST /a %bx-api-key: k\r\ncontent-length: 2\r\n\r\n22" % begin,
            b"POST /a %bcontent-length: 1\r\n\r\n1" % begin,
            b"GET /b %b\r\n" % begin,
        ]


async def test_a_large_body_arrives_whole(client: HTTPClient) -> None:
    body = bytes(range(256)) * 40_000
    async with wild_server(always(ok())) as server:
        assert await fetch(client, Request("POST", URL.parse(server.url), (), body)) == b"ok"
        assert server.requests[0].endswith(b"\r\n\r\n" + body)


async def test_a_large_body_waits_for_a_server_that_reads_slowly(client: HTTPClient) -> None:
    may_read = asyncio.Event()

    async def reads_late(visit: Visit) -> None:
        await may_read.wait()
        await visit.request()
        await visit.send(ok())

    async with wild_server(reads_late) as server:
        sending = asyncio.create_task(fetch(client, Request("POST", URL.parse(server.url), (), b"x" * 20_000_000)))
        await settled(client, 1)
        (connection,) = client._connections
        await eventually(lambda: connection._writing_paused)
        assert connection.transport.get_write_buffer_size() < 1_000_000
        may_read.set()
        assert await sending == b"ok"


async def test_an_answer_in_the_middle_of_a_large_body_ends_the_upload(client: HTTPClient) -> None:
    async def too_large(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nless")
        await visit.caller_leaves()

    async with wild_server(too_large) as server:
        request = Request("POST", URL.parse(server.url), (), b"x" * 50_000_000)
        with await client.send(request, PATIENCE) as response:
            assert (response.status, await response.read_all()) == (413, b"less")
        await settled(client, 0)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "k\u20ac", "a\0b"])
async def test_a_header_that_cannot_be_sent_is_refused_before_connecting(client: HTTPClient, value: str) -> None:
    request = Request("GET", URL.parse("http://127.0.0.1:9"), (("x-api-key", value),))
    with pytest.raises(UpstreamConnectionError, match="'x-api-key' holds a character") as caught:
        await client.send(request, PATIENCE)
    assert not caught.value.reached
    assert "evil" not in caught.value.message


# ---- responses -----------------------------------------------------------------------------------------------------


async def test_every_byte_in_its_own_packet_is_the_same_response(client: HTTPClient) -> None:
    async def dribble(visit: Visit) -> None:
        await visit.request()
        for byte in b"HTTP/1.1 102 Processing\r\n\r\n" + STREAM_HEAD + chunk(b"hello") + chunk(b" you") + LAST_CHUNK:
            await visit.send(bytes([byte]))

    async with wild_server(dribble) as server:
        assert await fetch_url(client, server.url) == b"hello you"


async def test_what_came_together_is_read_together(client: HTTPClient) -> None:
    async with wild_server(
        always(STREAM_HEAD + chunk(b"one ") + chunk(b"two ") + chunk(b"three") + LAST_CHUNK)
    ) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            assert await response.read() == b"one two three"
            assert await response.read() == b""
            assert await response.read() == b""


async def test_a_piece_is_handed_over_while_the_rest_is_still_to_come(client: HTTPClient) -> None:
    go_on = asyncio.Event()

    async def two_pieces(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + chunk(b"first"))
        await go_on.wait()
        await visit.send(chunk(b"second") + LAST_CHUNK)

    async with wild_server(two_pieces) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            assert await response.read() == b"first"
            go_on.set()
            assert await response.read_all() == b"second"


async def test_headers_are_found_whatever_their_case(client: HTTPClient) -> None:
    async with wild_server(always(ok(b"", b"Request-ID: req_1", b"X-Name: \xe9"))) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            assert response.header("request-id") == "req_1"
            assert response.header("missing") is None
            assert response.headers() == (("content-length", "0"), ("request-id", "req_1"), ("x-name", "\xe9"))
            assert response.headers(b"x-") == (("x-name", "\xe9"),)


async def test_a_document_beyond_the_limit_is_refused(client: HTTPClient) -> None:
    async with wild_server(always(ok(b"x" * 1001))) as server:
        response = await client.send(get(server.url), PATIENCE)
        with response, pytest.raises(UpstreamProtocolError, match="more than 1000 bytes"):
            await response.read_all(limit=1000)


async def test_ten_megabytes_come_through_whole(client: HTTPClient) -> None:
    body = bytes(range(256)) * 40_000
    async with wild_server(
        always(STREAM_HEAD + chunk(body[:7_000_001]) + chunk(body[7_000_001:]) + LAST_CHUNK)
    ) as server:
        assert await fetch_url(client, server.url) == body


async def test_a_slow_reader_stops_the_server(client: HTTPClient) -> None:
    all_sent = asyncio.Event()

    async def floods(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD)
        for _ in range(640):
            await visit.send(chunk(b"x" * 65536))
        await visit.send(LAST_CHUNK)
        all_sent.set()

    async with wild_server(floods) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            (connection,) = client._connections
            await eventually(lambda: connection._reading_paused)
            assert connection.response is not None
            assert connection.response.buffered < 1_000_000
            assert not all_sent.is_set()
            assert len(await response.read_all(limit=50_000_000)) == 640 * 65536


# ---- failures ------------------------------------------------------------------------------------------------------


async def hangs_up(visit: Visit) -> None:
    await visit.request()


async def resets(visit: Visit) -> None:
    await visit.request()
    visit.reset()


async def test_a_server_that_hangs_up_without_a_word_is_told(client: HTTPClient) -> None:
    async with wild_server(hangs_up) as server:
        with pytest.raises(UpstreamConnectionError, match=r"127\.0\.0\.1:\d+ closed the connection before") as caught:
            await fetch_url(client, server.url)
        assert caught.value.reached
        assert server.visits == 1


async def test_a_server_that_resets_is_told(client: HTTPClient) -> None:
    async with wild_server(resets) as server:
        with pytest.raises(UpstreamConnectionError, match="before it answered"):
            await fetch_url(client, server.url)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"<html>", UpstreamProtocolError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, UpstreamProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", UpstreamConnectionError),
        (STREAM_HEAD + chunk(b"short"), UpstreamConnectionError),
        (STREAM_HEAD + b"5\r\nsho", UpstreamConnectionError),
        (STREAM_HEAD + b"nonsense\r\n", UpstreamProtocolError),
        (b"HTTP/1.1 200", UpstreamConnectionError),
    ],
)
async def test_half_an_answer_or_none_is_never_a_whole_one(
    client: HTTPClient, answer: bytes, error: type[UpstreamError]
) -> None:
    async with wild_server(once(answer)) as server:
        with pytest.raises(error):
            await fetch_url(client, server.url)
        await settled(client, 0)


async def test_the_body_before_a_cut_can_be_read(client: HTTPClient) -> None:
    async def cut(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + chunk(b"so far"))
        visit.reset()

    async with wild_server(cut) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            assert await response.read() == b"so far"
            with pytest.raises(UpstreamConnectionError, match="in the middle of its answer"):
                await response.read()


async def test_a_name_with_several_addresses_is_reached_at_the_one_that_answers(client: HTTPClient) -> None:
    async with wild_server(always(ok(b"here"))) as server:
        assert await fetch_url(client, f"http://localhost:{server.port}") == b"here"


async def test_a_closed_port_was_never_reached(client: HTTPClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(UpstreamConnectionError, match=rf"127\.0\.0\.1:{port} refuses connections") as caught:
        await fetch_url(client, f"http://127.0.0.1:{port}")
    assert not caught.value.reached


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "a..b.invalid"])
async def test_a_name_that_leads_nowhere_is_told(host: str) -> None:
    async def no_such_name(*_: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = HTTPClient(dial=no_such_name)
    with pytest.raises(UpstreamConnectionError, match="was not found") as caught:
        await fetch_url(client, f"http://{host}")
    assert not caught.value.reached


# ---- kept connections ----------------------------------------------------------------------------------------------


async def test_one_connection_serves_many_requests(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        for _ in range(20):
            assert await fetch_url(client, server.url) == b"ok"
        assert server.visits == 1


async def test_a_chunked_answer_that_was_read_to_its_end_keeps_the_connection(client: HTTPClient) -> None:
    async with wild_server(always(STREAM_HEAD + chunk(b"a") + LAST_CHUNK)) as server:
        for _ in range(3):
            assert await fetch_url(client, server.url) == b"a"
        assert server.visits == 1


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"ok", b"connection: close"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ok() + b"surplus",
        ok() + ok(b"never asked for"),
    ],
)
async def test_a_connection_that_cannot_be_trusted_is_not_kept(client: HTTPClient, answer: bytes) -> None:
    async with wild_server(always(answer)) as server:
        assert await fetch_url(client, server.url) == b"ok"
        await settled(client, 0)
        assert await fetch_url(client, server.url) == b"ok"
        assert server.visits == 2


async def test_bytes_on_a_resting_connection_end_it(client: HTTPClient) -> None:
    speak = asyncio.Event()

    async def speaks_unasked(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok())
        await speak.wait()
        await visit.send(ok(b"poison"))
        await visit.caller_leaves()

    async with wild_server(speaks_unasked, always(ok(b"fresh"))) as server:
        assert await fetch_url(client, server.url) == b"ok"
        speak.set()
        await settled(client, 0)
        assert await fetch_url(client, server.url) == b"fresh"


async def test_a_request_on_a_kept_connection_goes_out_once(client: HTTPClient) -> None:
    async def closes_on_the_second(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok())
        await visit.request()

    async with wild_server(closes_on_the_second, always(ok(b"second"))) as server:
        assert await fetch_url(client, server.url) == b"ok"
        with pytest.raises(UpstreamConnectionError, match="before it answered") as caught:
            await fetch_url(client, server.url)
        assert (len(server.requests), caught.value.reached) == (2, True)


async def test_a_farewell_that_the_loop_has_not_told_yet_is_seen_before_the_write(client: HTTPClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        answered, gone = threading.Event(), threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(ok())
            answered.wait(10)
            connection.close()
            gone.set()
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(ok(b"second"))
            connection.close()

        served = asyncio.create_task(asyncio.to_thread(serve))
        assert await fetch_url(client, url) == b"ok"
        answered.set()
        # The loop stands still meanwhile, so that it cannot have heard of it.
        gone.wait(10)
        assert await fetch_url(client, url) == b"second"
        await served


async def test_a_write_that_fails_has_reached_nobody() -> None:
    class Broken(asyncio.Transport):
        closing = False

        def write(self, data: object) -> None:  # noqa: ARG002 - the transport's signature
            self.closing = True

        def is_closing(self) -> bool:
            return self.closing

        def abort(self) -> None:
            self.closing = True

    async def dial(
        factory: Callable[[], asyncio.Protocol], *_: object
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        protocol, transport = factory(), Broken()
        protocol.connection_made(transport)
        asyncio.get_running_loop().call_soon(protocol.connection_lost, None)
        return transport, protocol

    broken = HTTPClient(dial=dial)
    with pytest.raises(UpstreamConnectionError, match="before the request") as caught:
        await fetch_url(broken, "http://api.test")
    assert not caught.value.reached


async def test_a_kept_connection_that_breaks_after_the_first_byte_is_not_tried_again(client: HTTPClient) -> None:
    async def begins_to_answer(visit: Visit) -> None:
        await visit.request()
        await visit.send(ok())
        await visit.request()
        await visit.send(b"HTTP/1.1 ")

    async with wild_server(begins_to_answer, always(ok(b"second"))) as server:
        assert await fetch_url(client, server.url) == b"ok"
        with pytest.raises(UpstreamConnectionError, match="in the middle of its headers"):
            await fetch_url(client, server.url)
        assert server.visits == 1


async def test_no_more_connections_are_kept_than_allowed() -> None:
    client = HTTPClient(idle_per_origin=2)
    async with wild_server(always(ok())) as server:
        responses = [await client.send(get(server.url), PATIENCE) for _ in range(5)]
        for response in responses:
            await response.read_all()
            response.close()
        await settled(client, 2)
        await client.aclose()
    assert client.open_connections == 0


async def test_a_connection_without_use_is_closed_after_a_while() -> None:
    client = HTTPClient(idle_seconds=0.01)
    async with wild_server(always(ok())) as server:
        await fetch_url(client, server.url)
        await settled(client, 0)
        assert await fetch_url(client, server.url) == b"ok"
        await client.aclose()


async def test_origins_do_not_share_connections(client: HTTPClient) -> None:
    async with wild_server(always(ok(b"a"))) as first, wild_server(always(ok(b"b"))) as second:
        assert [await fetch_url(client, url) for url in (first.url, second.url, first.url)] == [b"a", b"b", b"a"]
        assert (first.visits, second.visits) == (1, 1)


# ---- leaving -------------------------------------------------------------------------------------------------------


async def streams_for_ever(visit: Visit) -> None:
    await visit.request()
    await visit.send(STREAM_HEAD + chunk(b"first"))
    await visit.caller_leaves()


async def test_leaving_early_closes_the_connection(client: HTTPClient) -> None:
    async with wild_server(streams_for_ever) as server:
        with await client.send(get(server.url), PATIENCE) as response:
            assert await response.read() == b"first"
        async with asyncio.timeout(1):
            await server.left.wait()
        await settled(client, 0)


async def test_cancelling_before_the_head_closes_the_connection(client: HTTPClient) -> None:
    async def silent(visit: Visit) -> None:
        await visit.request()
        await visit.caller_leaves()

    async with wild_server(silent) as server:
        sending = asyncio.create_task(fetch_url(client, server.url))
        await server.asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        async with asyncio.timeout(1):
            await server.left.wait()
        await settled(client, 0)


async def leave_when_whole(client: HTTPClient, url: str) -> None:
    response = await client.send(get(url), PATIENCE)
    assert await response.read() == b"all"
    response.close(whole=True)


async def test_a_response_whose_end_comes_late_still_keeps_its_connection(client: HTTPClient) -> None:
    end = asyncio.Event()

    async def ends_late(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + chunk(b"all"))
        await end.wait()
        await visit.send(LAST_CHUNK)
        await visit.request()
        await visit.send(ok(b"again"))

    async with wild_server(ends_late) as server:
        await leave_when_whole(client, server.url)
        end.set()
        await eventually(lambda: bool(client._pool._idle))
        assert await fetch_url(client, server.url) == b"again"
        assert server.visits == 1


async def test_a_response_that_was_said_to_be_over_and_goes_on_is_closed(client: HTTPClient) -> None:
    over = asyncio.Event()

    async def never_ends(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + chunk(b"all"))
        await over.wait()
        while True:
            await visit.send(chunk(b"x" * 65536))

    async with wild_server(never_ends) as server:
        await leave_when_whole(client, server.url)
        over.set()
        await settled(client, 0)


async def test_closing_the_client_ends_what_is_under_way() -> None:
    client = HTTPClient()
    async with wild_server(streams_for_ever) as server:
        response = await client.send(get(server.url), PATIENCE)
        assert await response.read() == b"first"
        reading = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(UpstreamConnectionError):
            await reading
        assert client.open_connections == 0


# ---- many ----------------------------------------------------------------------------------------------------------


async def test_two_hundred_streams_at_once_do_not_mix(client: HTTPClient) -> None:
    async def echoes_its_path(visit: Visit) -> None:
        while True:
            path = (await visit.request()).split(b" ", 2)[1]
            await visit.send(STREAM_HEAD)
            for _ in range(5):
                await visit.send(chunk(path))
            await visit.send(LAST_CHUNK)

    async with wild_server(echoes_its_path) as server:
        for _ in range(2):
            bodies = await asyncio.gather(*(fetch_url(client, f"{server.url}/{number}") for number in range(200)))
            assert bodies == [b"/%d" % number * 5 for number in range(200)]
        assert server.visits <= 272
        assert client.open_connections <= 128


async def test_a_connection_sends_small_packets_at_once(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        with await client.send(get(server.url), PATIENCE):
            (connection,) = client._connections
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
