"""`GET /usage`: who sees it, and in which form."""

import msgspec
import pytest
from msgspec.structs import replace

from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from storage.ledger_rows import ROW
from web.direct import call
from web.wired import NOW, Wired


async def used() -> Wired:
    made = Wired()
    await made.ledger.keep([replace(ROW, at=NOW - 3_600)], oldest=0)
    return made


async def test_it_tells_the_last_seven_days_by_day() -> None:
    answer = await call((await used()).app(), "GET", "/usage")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    figures = {
        "requests": 1,
        "failed": 0,
        "input_tokens": 1_000,
        "cached_tokens": 600,
        "cache_write_tokens": 300,
        "output_tokens": 50,
        "thinking_tokens": 20,
        "web_searches": 1,
        "list_price_usd": 0.25,
        "charged_usd": 0.25,
        "cached_share": 0.6,
    }
    assert msgspec.json.decode(answer.body) == {
        "by": "day",
        "since": "2027-01-08T08:00:00Z",
        "until": "2027-01-15T08:00:00Z",
        "groups": [{"name": "2027-01-15", "figures": figures}],
        "total": figures,
        "complete": True,
        "object": "usage",
    }


async def test_by_and_since() -> None:
    app = (await used()).app()
    told = msgspec.json.decode((await call(app, "GET", "/v1/usage?by=key&since=2h")).body)
    assert [(group["name"], group["id"]) for group in told["groups"]] == [("ann", "key_1")]
    told = msgspec.json.decode((await call(app, "GET", "/usage?by=model&since=30m")).body)
    assert (told["groups"], told["total"]["requests"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "param"),
    [("by=prompt", "by"), ("since=soon", "since"), ("since=0d", "since"), ("format=xml", "format"), ("by=%ff", "by")],
)
async def test_what_cannot_be_asked_is_named(query: str, param: str) -> None:
    answer = await call(Wired().app(), "GET", f"/usage?{query}")
    assert (answer.status, answer.error.param) == (400, param)


@pytest.mark.parametrize(("path", "accept"), [("/usage?format=csv", "*/*"), ("/usage", "text/csv")])
async def test_as_csv(path: str, accept: str) -> None:
    answer = await call((await used()).app(), "GET", path, headers={"accept": accept})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, line = answer.body.decode().splitlines()
    assert head.startswith('"day","requests","failed","input_tokens","cached_tokens"')
    assert line.startswith('"2027-01-15",1,0,1000,600,')


async def test_with_keys_it_is_the_operator_s() -> None:
    made = await used()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(StoredKey("key_1", "ann", created=NOW), client)
    await made.stored_keys.add(StoredKey("key_2", "ops", operator=True, created=NOW), operator)
    app = made.app()

    refused = await call(app, "GET", "/usage", headers={"x-api-key": client})

    assert (refused.status, refused.error.code) == (403, "operator_only")
    assert (await call(app, "GET", "/usage")).status == 401
    assert (await call(app, "GET", "/usage", headers={"x-api-key": operator})).status == 200
