"""Doors and small routes, seen on the wire."""

import asyncio
import json
import shutil
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from claude_openai_proxy.simulator import Cut, Script, Simulator
from claude_openai_proxy.simulator.message_events import message_start
from simulator.wire_client import message_request, sent
from upstreams.certificates import make_certificates


def plain(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: x", "connection: close", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("request_bytes", "status", "message"),
    [
        (message_request().replace(b"x-api-key: k\r\n", b""), 401, "x-api-key header is required"),
        (message_request().replace(b"x-api-key: k", b"x-api-key: bad"), 401, "invalid x-api-key"),
        (message_request().replace(b"x-api-key: k", b"authorization: Bearer bad"), 401, "Invalid bearer token"),
        (message_request().replace(b"anthropic-version: 2023-06-01\r\n", b""), 400, "anthropic-version: header is"),
        (message_request().replace(b"2023-06-01", b"1999-01-01"), 400, "is not a valid version"),
        (message_request().replace(b'{"model"', b'["model"', 1), 400, "The request body is not valid JSON"),
        (plain("GET", "/v1/nothing", "x-api-key: k"), 404, "Not found"),
    ],
)
async def test_a_door_stays_shut_with_the_api_s_words(request_bytes: bytes, status: int, message: str) -> None:
    async with Simulator(refuse_keys={"bad"}).serve() as url:
        answer = await sent(url, request_bytes)
    assert answer.head.startswith(f"HTTP/1.1 {status} ")
    error = json.loads(answer.body)
    assert error["type"] == "error"
    assert message in error["error"]["message"]
    assert f"request-id: {error['request_id']}" in answer.head


async def test_only_named_keys_pass_where_keys_are_named() -> None:
    async with Simulator(accept_keys={"k"}).serve() as url:
        assert (await sent(url, message_request())).head.startswith("HTTP/1.1 200")
        other = await sent(url, message_request().replace(b"x-api-key: k", b"x-api-key: other"))
    assert other.head.startswith("HTTP/1.1 401")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_root_answers_without_a_key(simulator_url: str, method: str) -> None:
    answer = await sent(simulator_url, plain(method, "/"))
    assert answer.head.startswith("HTTP/1.1 200 OK")
    assert bool(answer.body) == (method == "GET")


async def test_a_query_changes_no_route(simulator_url: str) -> None:
    answer = await sent(simulator_url, message_request().replace(b"/v1/messages", b"/v1/messages?beta=true"))
    assert b"message_stop" in answer.body


async def test_what_is_no_http_is_cut(simulator_url: str) -> None:
    assert (await sent(simulator_url, b"\x16\x03\x01 not http\r\n\r\n")).raw == b""


async def test_a_large_body_is_asked_for_before_it_comes(simulator_url: str) -> None:
    asking = message_request().replace(b"host: x", b"host: x\r\nexpect: 100-continue")
    assert (await sent(simulator_url, asking)).head == "HTTP/1.1 100 Continue"


async def test_it_speaks_tls_and_cuts_there_too(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    certificates = make_certificates(tmp_path, "IP:127.0.0.1")
    simulator = Simulator()
    simulator.play(Script.events([message_start(), Cut()]))
    async with simulator.serve(ssl=certificates.server()) as url:
        assert url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(certificates.ca_file))
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port, ssl=trust)
        writer.write(message_request())
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
