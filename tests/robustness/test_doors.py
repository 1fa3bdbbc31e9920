"""The doors of the whole proxy, tried as pages of other sites, rebound names and strangers would try them."""
# ruff: noqa: E501

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from robustness.requests import encoded
from robustness.whole_proxy import WholeProxy, whole_proxy
from web.direct import CHAT, HELLO, STREAM, call
from web.raw_client import connected
from web.serving import served
from web.wired import Wired

REBOUND = {"host": "evil.example:3000", "origin": "http://evil.example:3000"}
FOREIGN = {"origin": "https://evil.example"}


@pytest.mark.parametrize(
    "headers", [REBOUND, FOREIGN, {"origin": "null"}, {"host": ""}, {"host": "localhost.evil.example"}]
)
@pytest.mark.parametrize(("method", "path"), [("POST", CHAT), ("GET", "/v1/models"), ("GET", "/health?deep=1"), ("GET", "/"), ("OPTIONS", CHAT)])  # fmt: skip
async def test_a_page_of_another_site_gets_nothing(
    proxy: WholeProxy, headers: dict[str, str], method: str, path: str
) -> None:
    answer = await call(proxy.app, method, path, HELLO if method == "POST" else b"", headers=headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers
    assert not proxy.simulator.requests


async def test_a_page_cannot_send_without_asking_first(proxy: WholeProxy) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert (await call(proxy.app, body=HELLO, headers={"content-type": content_type})).status == 415
    assert not proxy.simulator.requests


async def test_an_allowed_page_asks_sends_and_reads(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    page = {"origin": "https://app.example"}
    environment |= {"ALLOWED_ORIGINS": "https://app.example"}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        asks = page | {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-a"}
        preflight = await call(proxy.app, "OPTIONS", CHAT, headers=asks)
        answer = await call(proxy.app, body=HELLO, headers=page)
        other = await call(proxy.app, "OPTIONS", CHAT, headers=asks | FOREIGN)
    assert (preflight.status, answer.status, other.status) == (204, 200, 403)
    assert preflight.headers["access-control-allow-headers"] == "authorization,x-a"
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


async def test_a_public_bind_answers_strangers_one_word(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    environment |= {"PROXY_HOST": "0.0.0.0", "PROXY_API_KEYS": "me:sk-one,you:sk-two", "ALLOWED_HOSTS": "proxy.example"}
    named = {"host": "proxy.example"}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        for method, path, body in (
            ("POST", CHAT, HELLO),
            ("GET", "/v1/models", b""),
            ("GET", "/", b""),
            ("GET", "/x", b""),
        ):
            for key in (
                {},
                {"authorization": "Bearer sk-three"},
                {"authorization": "Bearer sk-on"},
                {"x-api-key": "é"},
            ):
                answer = await call(proxy.app, method, path, body, headers=named | key)
                assert (answer.status, answer.error.code) == (401, "invalid_api_key")
                assert not any(secret in answer.body for secret in (b"sk-one", b"sk-two", b"sk-three"))
        assert (await call(proxy.app, "GET", "/health", headers=named)).body == b'{"status":"ok"}'
        assert (await call(proxy.app, "GET", "/health?deep=1", headers=named)).status == 401
        assert (await call(proxy.app, body=HELLO, headers=named | {"authorization": "Bearer sk-two"})).status == 200
    assert proxy.ledger.records[-1].principal.name == "you"


INJECTIONS = (
    "a\r\nset-cookie: x=1",
    "a\nb",
    "\r\n\r\n<html>",
    "é\u2028漢字",
    "a" * 100_000,
    "\x00\x1b[31m",
    "%0d%0a",
    "\x85",
)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("stream", [False, True])
async def test_no_name_of_the_client_breaks_out_of_a_header(proxy: WholeProxy, text: str, stream: bool) -> None:
    named = {
        "model": "custom-claude-4-opus",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": stream,
        text: 1,
    }
    ids = {"x-request-id": text.encode("ascii", "replace").decode(), "user-agent": "é" * 5000}
    async with served(proxy.app) as url, connected(url) as client:
        for body in (encoded(named), encoded(named | {"model": text})):
            await client.send("POST", CHAT, body)
            status, headers = await client.head()
            assert status in {200, 404}
            assert "set-cookie" not in headers
            assert max(map(len, headers.values())) < 4000
            await (client.sized_body(headers) if "content-length" in headers else client.rest())
    answer = await call(proxy.app, body=encoded(named), headers=ids)
    assert answer.headers["x-request-id"].isprintable()
    assert len(answer.headers["x-request-id"]) <= 128


HEADS = st.dictionaries(
    st.sampled_from(["host", "origin", "content-type", "authorization", "x-api-key", "x-request-id", "user-agent",
                     "content-encoding", "access-control-request-headers", "access-control-request-method", "accept",
                     "content-length", "connection", "expect", "api-key", "accept-language", "sec-fetch-site",
                     "sec-fetch-mode", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]),
    st.text(st.characters(max_codepoint=255), max_size=30) | st.just("x" * 70_000),
    max_size=6,
)  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headers=HEADS, method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "X"]), tail=st.text(max_size=8))
async def test_no_head_makes_it_fail(proxy: WholeProxy, headers: dict[str, str], method: str, tail: str) -> None:
    for path in (CHAT, f"/v1/models/{tail}", f"/{tail}", f"/health?{tail}"):
        answer = await call(proxy.app, method, path, HELLO, headers=headers)
        assert 200 <= answer.status < 500
        assert all(value.isprintable() for value in answer.headers.values())


@settings(max_examples=300)
@given(headers=HEADS, path=st.text("/v1openaidlymtschrf%.x\x00é", max_size=30))
async def test_no_head_and_no_path_makes_the_doors_fail(headers: dict[str, str], path: str) -> None:
    for wired in (Wired(trusted_proxies=("127.0.0.1",), allowed_hosts=("*",)), Wired(keys={"sk-one": "one"})):
        for where in (
            "/",
            "/health?deep=1",
            "/ready",
            "/readme",
            f"/{path}",
            f"/openai/deployments/{path}/chat/completions",
        ):
            answer = await call(wired.app(), "GET", where, headers={"accept": "text/html"} | headers)
            assert 200 <= answer.status < 500
            assert all(value.isprintable() for value in answer.headers.values())
        assert all(record.address.isprintable() and record.path.isprintable() for record in wired.keeper.records)


ODD_REQUESTS = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.0\r\n\r\n",
    b"GET /health HTTP/9.9\r\nhost: localhost\r\n\r\n",
    b"GET /health\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /%ff%00%2e%2e/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: localhost\r\n x: folded\r\n\r\n",
    b"GET /health HTTP/1.1\nhost: localhost\n\n",
    b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
)


@pytest.mark.parametrize("request_", ODD_REQUESTS)
async def test_what_is_hardly_http_neither_fails_nor_hangs(proxy: WholeProxy, request_: bytes) -> None:
    async with served(proxy.app) as url:
        async with connected(url) as client:
            client.writer.write(request_)
            client.writer.write_eof()
            said = await client.reader.read(100_000)
        statuses = [line for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.1 5")]
        assert all(status.startswith(b"HTTP/1.1 505 ") for status in statuses), (
            "a version that is not spoken is no failure"
        )
        async with connected(url) as client:
            await client.send("POST", CHAT, STREAM)
            assert (await client.head())[0] == 200
            await client.rest()
