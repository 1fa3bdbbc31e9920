"""`GET /metrics`: who sees it, and that it tells of requests, of the server, and of each login's limits."""

from claude_openai_proxy.service.health import StorageReport
from claude_openai_proxy.service.waiting import LineStatus
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.upstreams.interface import PoolStatus
from web.direct import HELLO, call
from web.fake_service import Report
from web.test_plan import PLAN
from web.wired import NOW, Wired

REPORT = Report(
    status="ok",
    version="1.2.3",
    uptime_seconds=60,
    upstream="claude-code",
    login="made up",
    pool=PoolStatus(2, 8, 1, 3, 0, 40, {"idle": 5}),
    line=LineStatus(3, 1, 0, 0),
    storage=StorageReport("sqlite", "/made/up", dropped=2),
)


async def samples(made: Wired, **headers: str) -> dict[str, str]:
    answer = await call(made.app(), "GET", "/metrics", headers=headers)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    lines = [line.rpartition(" ") for line in answer.body.decode().splitlines() if not line.startswith("#")]
    return {name.removeprefix("claude_openai_proxy_"): value for name, _, value in lines}


async def test_requests_the_state_and_the_limits_are_told() -> None:
    made = Wired()
    made.health.report = REPORT
    made.meter.note("claude-code", "a1b2", PLAN)
    await call(made.app(), body=HELLO)
    told = await samples(made)
    expected = {
        'requests_total{model="",route="/v1/chat/completions",status="200",upstream=""}': "1.0",
        'info{version="1.2.3"}': "1.0",
        "login_usable": "1.0",
        "answers_under_way": "3.0",
        "queue_length": "1.0",
        'pool_processes{state="busy"}': "3.0",
        'pool_ended_total{reason="idle"}': "5.0",
        "store_usable": "1.0",
        "store_dropped_total": "2.0",
        'plan_used_ratio{account="a1b2",upstream="claude-code",window="five_hour"}': "1.0",
        "requests_under_way": "1.0",
    }
    assert told | expected == told


async def test_with_keys_set_it_is_the_operators() -> None:
    made = Wired()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(StoredKey("key_1", "ann", created=NOW - 10), client)
    await made.stored_keys.add(StoredKey("key_2", "ops", operator=True, created=NOW - 10), operator)
    app = made.app()
    assert (await call(app, "GET", "/metrics")).status == 401
    assert (await call(app, "GET", "/metrics", headers={"x-api-key": client})).error.code == "operator_only"
    assert (await call(app, "GET", "/metrics", headers={"authorization": f"Bearer {operator}"})).status == 200
