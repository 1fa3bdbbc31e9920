"""Every way to Claude, made for the URL of a (simulated) Messages API."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType

from claude_openai_proxy.upstreams.http import HTTPClient
from claude_openai_proxy.upstreams.interface import Upstream
from claude_openai_proxy.upstreams.messages_api import MessagesAPI
from upstreams.fixed_credentials import FixedCredentials

UpstreamFactory = Callable[[str, float], AbstractAsyncContextManager[Upstream]]
"""Takes the URL and the seconds of silence that are borne; checks on leaving that nothing is left behind."""


@asynccontextmanager
async def messages_api(url: str, silence: float) -> AsyncIterator[Upstream]:
    client = HTTPClient()
    upstream = MessagesAPI(client=client, credentials=FixedCredentials(url), timeout=silence, pause=0)
    yield upstream
    await upstream.aclose()
    assert client.open_connections == 0


FACTORIES: Mapping[str, UpstreamFactory] = MappingProxyType({"messages_api": messages_api})
