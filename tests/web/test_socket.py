"""Responses over a WebSocket: one after the other, behind the same doors as any request."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.web.responses import socket as responses_socket
from claude_openai_proxy.web.socket import RESTARTING, Socket
from web.serving import served

Json = dict[str, Any]
MODEL = "custom-claude-4-sonnet"
ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def item_of(type_: str) -> str:
    """A request whose only item says that it carries what is no text."""
    item = {"type": type_, "id": "rs_1", "encrypted_content": {}}
    return json.dumps({"type": "response.create", "model": MODEL, "input": [item]})


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    settings = load_settings(Flags(demo=True), {"HOME": str(tmp_path), "STATE": "memory"}, tmp_path)
    async with served(create_app(settings), Limits(message_bytes=100_000)) as url:
        yield url.replace("http", "ws") + "/v1/responses"


async def ask(socket: ClientConnection, **members: object) -> list[Json]:
    """What comes back, to its end."""
    await socket.send(json.dumps({"type": "response.create", "model": MODEL, **members}))
    events: list[Json] = []
    while not events or events[-1]["type"] not in ENDS:
        events.append(json.loads(await socket.recv()))
    return events


async def test_responses_come_one_after_the_other_each_with_numbers_from_zero(address: str) -> None:
    async with connect(address) as socket:
        first, second = await ask(socket, input="One", stream=True), await ask(socket, input="Two")
    assert [event["type"] for event in first[:2]] == ["response.created", "response.in_progress"]
    for events in (first, second):
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert events[-1]["type"] == "response.completed"
    assert second[-1]["response"]["output"][-1]["content"][0]["text"].endswith("You said: Two")


async def test_what_nobody_keeps_can_be_gone_on_from_on_the_same_socket_alone(address: str) -> None:
    async with connect(address) as socket, connect(address) as other:
        (*_, first) = await ask(socket, input="One", store=False)
        id_ = first["response"]["id"]
        (*_, second) = await ask(socket, input="Two", store=False, previous_response_id=id_)
        assert second["response"]["previous_response_id"] == id_
        assert second["response"]["usage"]["input_tokens"] > first["response"]["usage"]["input_tokens"]
        (lost,) = await ask(other, input="Two", previous_response_id=id_)
    assert (lost["status"], lost["error"]["code"]) == (400, "previous_response_not_found")


async def test_what_could_not_be_gone_on_from_is_forgotten(address: str) -> None:
    stray = {"type": "function_call_output", "call_id": "toolu_none", "output": "x"}
    async with connect(address) as socket:
        (*_, first) = await ask(socket, input="One", store=False)
        id_ = first["response"]["id"]
        (refused,) = await ask(socket, input=[stray], store=False, previous_response_id=id_)
        (lost,) = await ask(socket, input="Two", store=False, previous_response_id=id_)
    assert "No tool call found" in refused["error"]["message"]
    assert lost["error"]["code"] == "previous_response_not_found"


async def test_what_is_kept_goes_on_on_any_socket(address: str) -> None:
    async with connect(address) as socket:
        (*_, first) = await ask(socket, input="One")
    async with connect(address) as socket:
        (*_, second) = await ask(socket, input="Two", previous_response_id=first["response"]["id"])
    assert second["type"] == "response.completed"


async def test_a_socket_can_be_warmed_up_without_an_answer(address: str) -> None:
    async with connect(address) as socket:
        events = await ask(socket, input="Read this", generate=False, store=False)
        assert [event["type"] for event in events] == [
            "response.created",
            "response.in_progress",
            "response.completed",
        ]
        assert events[-1]["response"]["output"] == []
        id_ = events[-1]["response"]["id"]
        (*_, next_) = await ask(socket, input="Go", store=False, previous_response_id=id_)
    assert next_["type"] == "response.completed"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no JSON", None),
        ("[]", None),
        ('{"type": 5}', "invalid_type"),
        ('{"type": "response.create", "input": ' + "[" * 5000 + "]" * 5000 + "}", None),
        (json.dumps({"type": "response.create", "model": MODEL, "input": "Hi", "tools": [5]}), None),
        (item_of("reasoning"), None),
        (item_of("item_reference"), None),
        ('{"type": "response.steer"}', "unsupported"),
        (b"\xff", None),
    ],
)
async def test_a_message_that_is_no_request_is_told_and_the_socket_stays_open(
    address: str, message: str | bytes, code: str | None
) -> None:
    async with connect(address) as socket:
        await socket.send(message)
        told = json.loads(await socket.recv())
        assert (told["type"], told["status"], told["error"]["code"]) == ("error", 400, code)
        assert (await ask(socket, input="Hi"))[-1]["type"] == "response.completed"


async def test_half_a_character_is_replaced_as_in_a_body(address: str) -> None:
    async with connect(address) as socket:
        await socket.send(json.dumps({"type": "response.create", "model": MODEL, "input": "Hi \ud83d"}))
        events = [json.loads(await socket.recv())]
        while events[-1]["type"] not in ENDS:
            events.append(json.loads(await socket.recv()))
    assert events[-1]["response"]["output"][-1]["content"][0]["text"].endswith("You said: Hi \ufffd")


async def test_what_waits_is_not_begun_for_a_client_that_has_gone() -> None:
    """The server tells it first where a message is sent: what has not been read stands before the goodbye."""
    events = iter([{"type": "websocket.receive", "text": "one"}, {"type": "websocket.receive", "text": "two"}])
    never = asyncio.Event()

    async def receive() -> Json:
        if (event := next(events, None)) is None:
            await never.wait()
        return event or {}

    async def send(_: Json) -> None:
        raise ConnectionError

    async def serve(*_: object) -> None:
        raise AssertionError

    socket = Socket({}, receive, send, serve)
    heard = []
    async for message in socket.messages(silence_seconds=60):
        heard.append(message)
        await socket.say("An answer")
    assert heard == ["one"]


async def test_an_error_has_its_status_and_the_socket_stays_open(address: str) -> None:
    async with connect(address) as socket:
        (lost,) = await ask(socket, model="nobody", input="Hi")
        assert (lost["type"], lost["status"], lost["error"]["code"]) == ("error", 404, "model_not_found")
        assert (await ask(socket, input="Hi"))[-1]["type"] == "response.completed"


async def test_a_message_is_bounded_like_a_body(address: str) -> None:
    async with connect(address) as socket:
        await socket.send(json.dumps({"type": "response.create", "model": MODEL, "input": "x" * 200_000}))
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_another_sites_page_is_not_let_in(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, origin="https://evil.example"):  # type: ignore[arg-type]
            pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["error"]["code"] == "origin_not_allowed"


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[str]:
    """Where a key is needed."""
    environment = {"HOME": str(tmp_path), "STATE": "memory", "PROXY_API_KEYS": "me:sk-mine"}
    async with served(
        create_app(load_settings(Flags(demo=True), environment, tmp_path)), Limits(message_bytes=100_000)
    ) as url:
        yield url.replace("http", "ws") + "/v1/responses"


MINE = {"authorization": "Bearer sk-mine"}


async def test_a_key_is_needed(guarded: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(guarded):
            pass
    assert refused.value.response.status_code == 401
    async with connect(guarded, additional_headers=MINE) as socket:
        assert (await ask(socket, input="Hi"))[-1]["type"] == "response.completed"


async def test_sockets_of_one_key_are_bounded(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_socket, "MOST_SOCKETS", 1)
    async with connect(guarded, additional_headers=MINE) as socket:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(guarded, additional_headers=MINE):
                pass
        assert refused.value.response.status_code == 429
        assert (await ask(socket, input="Hi"))[-1]["type"] == "response.completed"
    async with connect(guarded, additional_headers=MINE) as socket:
        assert (await ask(socket, input="Hi"))[-1]["type"] == "response.completed"


async def test_an_hour_is_the_longest(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_socket, "LONGEST_SECONDS", -1.0)
    async with connect(address) as socket:
        (told,) = await ask(socket, input="Hi")
        assert told["error"]["code"] == "websocket_connection_limit_reached"
        with pytest.raises((ConnectionClosedOK, ConnectionClosedError)):
            await socket.recv()


async def test_a_socket_on_which_nothing_is_asked_is_closed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_socket, "SILENCE_SECONDS", 0.01)
    async with connect(address) as socket:
        with pytest.raises((ConnectionClosedOK, ConnectionClosedError)):
            await socket.recv()


class Server:
    """The server's side of a socket, by hand."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[Json] = asyncio.Queue()
        self.sent: list[Json] = []

    async def receive(self) -> Json:
        return await self.coming.get()

    async def send(self, event: Json) -> None:
        self.sent.append(event)


async def test_a_server_that_stops_lets_what_runs_finish() -> None:
    server, seen = Server(), list[object]()

    async def serve(scope: Json, receive: object, send: object) -> None:  # noqa: ARG001
        socket: Socket = scope["extensions"]["claude_openai_proxy_socket"]
        await socket.accept()
        async for message in socket.messages(silence_seconds=60):
            server.coming.put_nowait({"type": "websocket.stopping"})
            await asyncio.sleep(0)
            await socket.say(f"finished {message!s}")
            seen.append(message)

    for event in ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "one"}):
        server.coming.put_nowait(event)
    await Socket({"path": "/v1/responses", "headers": []}, server.receive, server.send, serve).offer()
    assert seen == ["one"]
    assert server.sent == [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "finished one"},
        {"type": "websocket.close", "code": RESTARTING},
    ]


async def test_without_an_upgrade_the_path_says_what_it_wants(address: str) -> None:
    host = address.removeprefix("ws://").partition("/")[0]
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(b"GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nupgrade: websocket" in head
    assert json.loads(body)["error"]["code"] == "websocket_required"
