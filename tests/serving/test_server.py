"""What surrounds the connections: descriptors, the hand-over to WebSockets, what is relied on of uvicorn."""

import asyncio
import inspect
import resource
from typing import cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from claude_openai_proxy.serving.descriptors import most_connections, raise_descriptor_limit
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.serving.server import server_config
from serving.raw import Echo, client_of, get, post
from web.serving import serving_with

OFFER = get("/v1/responses?a=b", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")


class Taker(asyncio.Protocol):
    """What uvicorn calls a WebSocket protocol, as far as the hand-over goes: answers with what it was given."""

    def __init__(self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, object]) -> None:
        assert config.loaded
        assert app_state == {}
        self.connections = server_state.connections
        self.said = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        assert not self.connections
        self.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self.said += data
        self.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.connections.discard(self)

    def shutdown(self) -> None:
        self.transport.close()


@pytest.mark.parametrize("behind", [b"", b"\x81\x02hi"])
async def test_a_websocket_is_handed_over_with_what_came_behind_its_head(behind: bytes) -> None:
    config = server_config(Echo(), Limits(head_seconds=0.05, sweep_seconds=0.01))
    config.ws = Taker
    async with serving_with(config) as url, client_of(url) as client:
        await client.send(OFFER + behind)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"GET /v1/responses?a=b HTTP/1.1\r\nhost: localhost\r\n")
        assert b"upgrade: websocket\r\n" in head
        assert await client.reader.readexactly(len(behind)) == behind
        await client.send(b"more")
        assert await client.reader.readexactly(4) == b"more"


async def test_an_offer_of_another_protocol_is_not() -> None:
    config = server_config(Echo(), Limits())
    config.ws = Taker
    async with serving_with(config) as url, client_of(url) as client:
        await client.send(post(b"body", "/", "Connection: Upgrade", "Upgrade: h2c"))
        assert (await client.answer()).body == b"body"


def test_the_limit_of_descriptors_is_raised_and_never_lowered() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert raise_descriptor_limit(1_000) == 1_000
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1_000, before[1])
        assert raise_descriptor_limit(500) == 1_000
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1_000, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("descriptors", "connections"), [(65_536, 49_152), (1_024, 768), (4, 16)])
def test_some_descriptors_are_left_for_everything_else(descriptors: int, connections: int) -> None:
    assert most_connections(descriptors) == connections


def test_uvicorn_is_as_it_was_when_this_was_written() -> None:
    assert [*inspect.signature(uvicorn.Server.startup).parameters] == ["self", "sockets"]
    assert [*inspect.signature(uvicorn.Server.shutdown).parameters] == ["self", "sockets"]
    assert [*inspect.signature(uvicorn.Server.handle_exit).parameters] == ["self", "sig", "frame"]
    assert {"total_requests", "connections", "tasks", "default_headers"} <= vars(ServerState()).keys()
