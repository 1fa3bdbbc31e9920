"""`GET /status` and `GET /logs`: who sees them, what they tell, and that a stream of lines holds up no stop."""

import asyncio
import json

import msgspec
from msgspec.structs import replace

from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.telemetry.live_log import MOST_LISTENERS
from robustness.whole_proxy import until
from storage.ledger_rows import ROW
from web.direct import HELLO, call
from web.raw_client import Connection, connected
from web.serving import served
from web.wired import NOW, Wired


def lines(body: bytes) -> list[dict[str, object]]:
    return [json.loads(line.removeprefix("data: ")) for line in body.decode().splitlines() if line.startswith("data: ")]


async def test_the_status_has_use_clients_and_the_last_error() -> None:
    made = Wired()
    rows = [
        replace(ROW, at=NOW - 10, key="ann", client="aider"),
        replace(ROW, id="2", at=NOW - 7_300, client="earlier today"),
        replace(ROW, id="3", at=NOW - 90_000, client="yesterday"),
    ]
    await made.ledger.keep(rows, oldest=0)
    app = made.app()
    await call(app, body=b"{")
    told = msgspec.json.decode((await call(app, "GET", "/status")).body)
    assert told["object"] == "status"
    assert told["health"]["status"] == "ok"
    assert told["today"]["requests"] == 2
    assert told["today"]["input_tokens"] == 2 * ROW.input_tokens
    assert told["today"]["list_price"] == round(2 * ROW.list_price, 6)
    assert told["clients"] == [{"key": "ann", "client": "aider", "requests": 1, "failed": 0}]
    assert (told["last_error"]["status"], told["last_error"]["key"]) == (400, "local")


async def test_with_keys_set_both_are_the_operators() -> None:
    made = Wired()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(StoredKey("key_1", "ann", created=NOW - 10), client)
    await made.stored_keys.add(StoredKey("key_2", "ops", operator=True, created=NOW - 10), operator)
    app = made.app()
    for path in ("/status", "/logs", "/logs?follow=yes"):
        assert (await call(app, "GET", path)).status == 401
        assert (await call(app, "GET", path, headers={"x-api-key": client})).error.code == "operator_only"
    assert (await call(app, "GET", "/status", headers={"x-api-key": operator})).status == 200


async def test_the_last_lines_come_and_the_answer_ends() -> None:
    made = Wired()
    app = made.app()
    await call(app, body=HELLO)
    await call(app, body=b"{")
    answer = await call(app, "GET", "/logs?status=4xx")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [(line["status"], line["route"]) for line in lines(answer.body)] == [(400, "/v1/chat/completions")]
    assert [line["status"] for line in lines((await call(app, "GET", "/logs")).body)] == [200, 400, 200]
    wrong = await call(app, "GET", "/logs?status=many")
    assert (wrong.status, wrong.error.param) == (400, "status")


async def test_a_follower_gets_each_request_as_it_ends_and_the_end_of_the_server() -> None:
    made = Wired()
    app = made.app()
    async with served(app) as url:
        port = int(url.rpartition(":")[2])
        follower = Connection(*await asyncio.open_connection("127.0.0.1", port))
        await follower.send("GET", "/logs?follow=yes")
        status, headers = await follower.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (await follower.chunk()).startswith(b": keep-alive\n\n")
        for body, expected in ((HELLO, 200), (b"{", 400)):
            await call(app, body=body)
            assert [line["status"] for line in lines(await follower.chunk())] == [expected]
    # `served` has ended here: without waiting for the follower to leave.
    assert await follower.rest() == b""
    assert made.live._listeners == []
    follower.writer.close()


async def test_silence_is_kept_alive() -> None:
    made = Wired(keep_alive_seconds=0.01)
    async with served(made.app()) as url, connected(url) as follower:
        await follower.send("GET", "/logs?follow=yes")
        await follower.head()
        for _ in range(3):
            assert await follower.chunk() == b": keep-alive\n\n"


async def test_a_follower_that_leaves_is_forgotten_and_too_many_are_told_to_come_again() -> None:
    made = Wired()
    app = made.app()
    gone = [asyncio.Event() for _ in range(MOST_LISTENERS)]
    following = [asyncio.create_task(call(app, "GET", "/logs?follow=yes", leaves=one)) for one in gone]
    await until(lambda: len(made.live._listeners) == MOST_LISTENERS)
    refused = await call(app, "GET", "/logs?follow=yes")
    assert (refused.status, refused.error.code) == (503, "overloaded")
    for one in gone:
        one.set()
    await asyncio.gather(*following)
    assert made.live._listeners == []
