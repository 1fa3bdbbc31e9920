"""Whoever has all of an answer is in the books: they know of it before the last of it goes out."""

import json

import pytest
from msgspec.structs import asdict

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.web.asgi import SendEvent
from robustness.whole_proxy import WholeProxy
from web.direct import CHAT, STREAM, call
from web.raw_client import connected
from web.serving import served

MODEL = "custom-claude-4-sonnet"
SAID = [{"role": "user", "content": "Hi"}]
ASKED: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": SAID},
    "/v1/completions": {"prompt": "Hi"},
    "/v1/responses": {"input": "Hi", "store": True},
    "/v1/messages": {"messages": SAID, "max_tokens": 64},
}
ENDS = {
    "/v1/chat/completions": b"data: [DONE]",
    "/v1/completions": b"data: [DONE]",
    "/v1/responses": b"event: response.completed",
    "/v1/messages": None,  # its last event is Claude's own, and goes out with those before it
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("path", ASKED)
async def test_its_record_is_complete_before_its_end(proxy: WholeProxy, path: str, *, streamed: bool) -> None:
    known: list[tuple[int, int, str]] = []
    end = ENDS[path] if streamed else None

    def note(event: SendEvent) -> None:
        if event["type"] != "http.response.body":
            return
        if end in event["body"] if end else not event["more_body"]:
            known.extend((one.status, one.output_tokens, one.finish_reason) for one in proxy.ledger.records)

    body = json.dumps({"model": MODEL, "stream": streamed, **ASKED[path]}).encode()
    answer = await call(proxy.app, path=path, body=body, on_event=note)
    assert answer.status == 200
    [(status, output_tokens, finish_reason)] = known
    assert status == 200
    assert output_tokens > 0
    assert finish_reason
    assert len(proxy.ledger.records) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_several_choices_are_all_in_it(proxy: WholeProxy, *, stream: bool) -> None:
    known: list[int] = []

    def note(event: SendEvent) -> None:
        if event["type"] == "http.response.body" and not event["more_body"]:
            known.extend(one.output_tokens for one in proxy.ledger.records)

    async def asked(choices: int) -> int:
        known.clear()
        proxy.ledger.records.clear()
        body = json.dumps({"model": MODEL, "stream": stream, "messages": SAID, "n": choices}).encode()
        await call(proxy.app, body=body, on_event=note)
        [tokens] = known
        return tokens

    assert await asked(3) == 3 * await asked(1)


async def test_who_leaves_before_taking_the_last_of_it_changes_nothing_any_more(proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("x" * 20_000_000, pieces=1))
    async with served(proxy.app) as url, connected(url) as client:
        await client.send("POST", CHAT, STREAM)
        await client.head()
        (record,) = await proxy.ledger.ends(1)
        told = asdict(record)
        client.leave()
    assert (record.status, asdict(record)) == (200, told)
