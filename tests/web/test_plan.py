"""`GET /usage/plan`: who sees it, and what it tells."""

import msgspec

from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from web.direct import call
from web.wired import NOW, Wired

PLAN = (
    ("anthropic-ratelimit-unified-status", "rejected"),
    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    ("anthropic-ratelimit-unified-5h-utilization", "1"),
    ("anthropic-ratelimit-unified-5h-reset", f"{NOW + 90:.0f}"),
    ("anthropic-ratelimit-unified-overage-status", "rejected"),
)


async def test_it_tells_each_window_of_each_login() -> None:
    made = Wired()
    made.meter.note("claude-code", "a1b2", PLAN)

    answer = await call(made.app(), "GET", "/usage/plan")

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert msgspec.json.decode(answer.body) == {
        "logins": [
            {
                "upstream": "claude-code",
                "account": "a1b2",
                "told_at": "2027-01-15T08:00:00Z",
                "status": "rejected",
                "limit": "five_hour",
                "windows": [
                    {
                        "name": "five_hour",
                        "age_seconds": 0,
                        "source": "from the last answer that told it, 1 min ago",
                        "used_percent": 100.0,
                        "resets_at": "2027-01-15T08:01:30Z",
                        "resets_in_seconds": 90,
                    }
                ],
                "extra_usage": {"status": "rejected", "in_use": False},
            }
        ],
        "object": "usage.plan",
    }


async def test_where_nothing_was_told_there_is_nothing() -> None:
    answer = await call(Wired().app(), "GET", "/v1/usage/plan")
    assert msgspec.json.decode(answer.body) == {"logins": [], "object": "usage.plan"}


async def test_with_keys_it_is_the_operator_s() -> None:
    made = Wired()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(StoredKey("key_1", "ann", created=NOW), client)
    await made.stored_keys.add(StoredKey("key_2", "ops", operator=True, created=NOW), operator)
    app = made.app()

    refused = await call(app, "GET", "/usage/plan", headers={"x-api-key": client})

    assert (refused.status, refused.error.code) == (403, "operator_only")
    assert (await call(app, "GET", "/usage/plan")).status == 401
    assert (await call(app, "GET", "/usage/plan", headers={"x-api-key": operator})).status == 200
