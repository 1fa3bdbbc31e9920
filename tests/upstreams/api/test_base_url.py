"""An address that is not where the Messages API is says so, with the URL that was asked and the setting."""

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, TextBlockParam
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.http import HTTPClient, Proxies
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.fixed_credentials import FixedCredentials
from upstreams.wild_server import always, ok, wild_server

REQUEST = MessagesRequest(
    model="claude-opus-5-5", max_tokens=1000, messages=[MessageParam("user", [TextBlockParam("Hello")])]
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"


async def ask(api: MessagesAPI) -> None:
    async with api.stream(REQUEST, AnswerFacts()) as events:
        async for _ in events:
            pass


async def refusal(url: str) -> UpstreamStatusError:
    api = MessagesAPI(client=HTTPClient(), credentials=FixedCredentials(url), retries=0)
    with pytest.raises(UpstreamStatusError) as refused:
        await ask(api)
    await api.aclose()
    return refused.value


@pytest.mark.parametrize("body", [b"", b'{"error":{"type":"not_found_error","message":"Not found."}}', b"<h1>no</h1>"])
async def test_a_404_of_an_address_names_the_url_and_the_setting(body: bytes) -> None:
    async with wild_server(always(NOT_FOUND % (len(body), body))) as server:
        error = await refusal(f"{server.url}/claude")

    assert error.status == 404
    assert f"HTTP 404 from {server.url}/claude/v1/messages. Look at ANTHROPIC_BASE_URL" in error.message


async def test_a_404_of_a_model_is_left_as_it_is(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.error(404, "model: claude-opus-5-5"))

    assert (await refusal(simulator_url)).message == "model: claude-opus-5-5"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_dead_is_named_as_the_proxy(scheme: str) -> None:
    async with wild_server(always(ok(b""))) as server:
        port = server.port
    client = HTTPClient(proxies=Proxies(http=f"http://127.0.0.1:{port}", https=f"http://127.0.0.1:{port}"))
    api = MessagesAPI(client=client, credentials=FixedCredentials(f"{scheme}://api.test"), retries=0)

    with pytest.raises(UpstreamConnectionError) as refused:
        await api.models()

    assert refused.value.message == (
        f"The proxy that {scheme.upper()}_PROXY names cannot be used. 127.0.0.1:{port} refuses connections"
    )
    await api.aclose()
