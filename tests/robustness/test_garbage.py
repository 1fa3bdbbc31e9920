"""What a request held is let go with its end: nothing waits for the collector, a prompt least of all."""

import asyncio
import gc
import json
from collections.abc import Iterator

import pytest

from claude_openai_proxy.simulator import Gate, Script
from robustness.whole_proxy import WholeProxy, until
from web.raw_client import connected
from web.serving import served

MODEL = "custom-claude-4-sonnet"
SAID = [{"role": "user", "content": "Hi"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
ASKED: dict[str, tuple[str, dict[str, object]]] = {
    "whole": ("/v1/chat/completions", {"messages": SAID, "max_tokens": 64}),
    "folded": ("/v1/chat/completions", {"messages": SAID}),
    "streamed": ("/v1/chat/completions", {"messages": SAID, "stream": True}),
    "several choices": ("/v1/chat/completions", {"messages": SAID, "n": 2, "stream": True}),
    "a forced tool": ("/v1/chat/completions", {"messages": SAID, "tools": [TOOL], "tool_choice": "required"}),
    "emulated stop": ("/v1/chat/completions", {"messages": SAID, "stop": ["\n"], "stream": True}),
    "refused here": ("/v1/chat/completions", {"messages": []}),
    "a prompt": ("/v1/completions", {"prompt": "Hi", "stream": True}),
    "a response": ("/v1/responses", {"input": "Hi", "stream": True}),
    "native": ("/v1/messages", {"messages": SAID, "max_tokens": 64, "stream": True}),
    "counted": ("/v1/messages/count_tokens", {"messages": SAID}),
}
TROUBLE = {
    "limited": Script.error(429, "Slow down."),
    "broken": Script.error(500, "Oops."),
    "no answer": Script(body=b"<html>", content_type="text/html"),
}


ELSEWHERE = (
    "claude_openai_proxy.simulator.",
    "claude_openai_proxy.serving.connection.",
    "claude_openai_proxy.serving.request_reader.",
    "claude_openai_proxy.serving.wire.",
)
"""Claude's side; and of a connection of the client's, which ends with the test and has nothing of a request."""


class Garbage:
    """What only the collector lets go, of classes of ours and of the parsers, since the last `forget`."""

    def forget(self) -> None:
        gc.collect()

    def found(self) -> set[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        names = {f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage}
        gc.garbage.clear()
        ours = {name for name in names if name.startswith(("claude_openai_proxy.", "httptools.HttpResponse"))}
        return {name for name in ours if not name.startswith(ELSEWHERE)}


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    gc.disable()
    try:
        yield Garbage()
    finally:
        gc.enable()


async def asked(url: str, path: str, body: dict[str, object]) -> None:
    async with connected(url) as client:
        await client.send("POST", path, json.dumps({"model": MODEL, **body}).encode())
        _, headers = await client.head()
        await (client.sized_body(headers) if "content-length" in headers else client.rest())


@pytest.mark.parametrize("name", ASKED)
async def test_an_answer_leaves_none(proxy: WholeProxy, garbage: Garbage, name: str) -> None:
    async with served(proxy.app) as url:
        await asked(url, *ASKED[name])
        garbage.forget()
        await asked(url, *ASKED[name])
        assert garbage.found() == set()


@pytest.mark.parametrize("name", TROUBLE)
@pytest.mark.parametrize("stream", [False, True])
async def test_trouble_leaves_none(proxy: WholeProxy, garbage: Garbage, name: str, *, stream: bool) -> None:
    body = {"messages": SAID, "stream": stream}
    async with served(proxy.app) as url:
        for _ in range(2):
            garbage.forget()
            proxy.simulator.play(TROUBLE[name])
            await asked(url, "/v1/chat/completions", body)
        assert garbage.found() == set()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
async def test_a_client_that_leaves_leaves_none(proxy: WholeProxy, garbage: Garbage, path: str) -> None:
    begin, block, first, *rest = Script.text("Hello, world.", pieces=2).steps
    said = {"input": "Hi"} if path == "/v1/responses" else {"messages": SAID}
    body = json.dumps({"model": MODEL, "stream": True, "max_tokens": 64, **said}).encode()
    async with served(proxy.app) as url:
        for number in range(1, 3):
            garbage.forget()
            proxy.simulator.play(Script.events([begin, block, first, Gate(asyncio.Event()), *rest]))
            async with connected(url) as client:
                await client.send("POST", path, body)
                await client.head()
                await client.chunk()
                client.leave()
                assert [one.status for one in await proxy.ledger.ends(number)] == [499] * number
        await until(lambda: proxy.upstream_connections == 0)
        assert garbage.found() == set()
