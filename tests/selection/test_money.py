"""The whole application with the real CLI and a simulated API: who answers when the first login is exhausted."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from selection.test_real_cli import SUBSCRIPTION
from web.direct import HELLO, Answer, call

RESET = 4102444800
LIMIT_REACHED = (
    ("anthropic-ratelimit-unified-status", "rejected"),
    ("anthropic-ratelimit-unified-reset", str(RESET)),
    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
    ("anthropic-ratelimit-unified-5h-reset", str(RESET)),
)
NO_CREDIT = Script.error(400, "Your credit balance is too low to access the Anthropic API.")


class House:
    """A person with a subscription and a key, and a server of theirs that can be started anew."""

    def __init__(self, home: Path, url: str, simulator: Simulator, stack: AsyncExitStack) -> None:
        self.simulator = simulator
        self._stack = stack
        self._home = home
        (home / ".claude").mkdir(parents=True)
        (home / ".claude" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": SUBSCRIPTION}))
        self._environment = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "CLAUDE_CLI_PATH": str(find_cli("", {})),
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "ANTHROPIC_BASE_URL": url,
            "CLAUDE_POOL_SIZE": "0",
            "UPSTREAM_RETRIES": "0",
            "STATE_DIR": str(home / "state"),
        }

    async def starts(self, **variables: str) -> Wiring:
        settings = load_settings(Flags(), self._environment | variables, self._home)
        wiring = wire(settings)
        await self._stack.enter_async_context(wiring.running())
        return wiring

    @property
    def asked(self) -> list[str]:
        """By which login each message was asked for."""
        requests = (request for request in self.simulator.requests if request.path.startswith("/v1/messages"))
        return ["key" if "x-api-key" in request.headers else "plan" for request in requests]


@pytest.fixture
async def house(tmp_path: Path, simulator: Simulator, simulator_url: str) -> AsyncIterator[House]:
    if find_cli("", {}) is None:
        pytest.skip("the Claude Code CLI is not installed")
    async with AsyncExitStack() as stack:
        yield House(tmp_path / "home", simulator_url, simulator, stack)


def told(answer: Answer) -> tuple[int, str | None, str | None, str | None]:
    headers = answer.headers
    return answer.status, headers.get("x-upstream"), headers.get("x-billed"), headers.get("x-repairs")


async def test_the_plan_answers_where_the_key_has_no_credit(house: House) -> None:
    app = (await house.starts(ANTHROPIC_API_KEY="made-up", CLAUDE_FALLBACK_UPSTREAM="claude-code")).application
    house.simulator.play(NO_CREDIT, Script.text("Hi"), Script.text("Hi"))

    first, second = await call(app, body=HELLO), await call(app, body=HELLO)

    assert told(first) == told(second) == (200, "claude-code", "plan", "fallback_upstream")
    assert house.asked == ["key", "plan", "plan"]


async def test_with_plan_only_a_limit_is_kept_over_a_restart_and_costs_no_request(house: House) -> None:
    wiring = await house.starts(CLAUDE_UPSTREAM="claude-code", PLAN_ONLY="yes")
    assert any(line.startswith("PLAN_ONLY: nothing is known") for line in await wiring.start_lines())
    house.simulator.play(*[Script.error(429, "limit", headers=LIMIT_REACHED)] * 4)

    refused = await call(wiring.application, body=HELLO)
    assert (refused.status, refused.error.code, house.asked) == (429, "insufficient_quota", ["plan"])
    plan = msgspec.json.decode((await call(wiring.application, "GET", "/usage/plan")).body)
    (login,) = plan["logins"]
    assert (login["status"], login["limit"], login["resets_at"]) == ("rejected", "five_hour", "2100-01-01T00:00:00Z")

    again = await house.starts(CLAUDE_UPSTREAM="claude-code", PLAN_ONLY="yes")
    assert any("the plan's 5-hour limit is reached" in line for line in await again.start_lines())
    refused = await call(again.application, body=HELLO)
    assert (refused.status, refused.error.code) == (429, "insufficient_quota")
    assert refused.error.message.startswith("PLAN_ONLY is set, and the plan's 5-hour limit is reached; it resets in ")
    assert "retry-after" not in refused.headers
    assert house.asked == ["plan"]


async def test_what_a_key_has_left_of_the_minute_is_told_the_same_way(house: House) -> None:
    app = (await house.starts(ANTHROPIC_API_KEY="made-up")).application
    limits = (("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "20"))
    house.simulator.play(Script.text("Hi", headers=limits))
    await call(app, body=HELLO)

    (login,) = msgspec.json.decode((await call(app, "GET", "/usage/plan")).body)["logins"]
    health = msgspec.json.decode((await call(app, "GET", "/health")).body)
    (window,) = login["windows"]
    assert (window["name"], window["used_percent"], window["remaining"]) == ("requests", 60.0, 20)
    assert health["rate_limits"]["account"] == login["account"]


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"ANTHROPIC_API_KEY": "k", "CLAUDE_FALLBACK_UPSTREAM": "claude-code"}, "Fallback: claude-code"),
        (
            {"CLAUDE_UPSTREAM": "claude-code", "ANTHROPIC_API_KEY": "k", "CLAUDE_FALLBACK_UPSTREAM": "api"},
            "Fallback: api, for 5 US dollars a day (UTC) at most",
        ),
        (
            {
                "CLAUDE_UPSTREAM": "claude-code",
                "ANTHROPIC_API_KEY": "k",
                "CLAUDE_FALLBACK_UPSTREAM": "api",
                "FALLBACK_BUDGET": "0",
            },
            "Warning: FALLBACK_BUDGET=0 turns CLAUDE_FALLBACK_UPSTREAM=api off.",
        ),
        (
            {"ANTHROPIC_API_KEY": "k", "CLAUDE_FALLBACK_UPSTREAM": "api"},
            "Warning: CLAUDE_FALLBACK_UPSTREAM=api is the way that comes first, and no other.",
        ),
        (
            {"CLAUDE_FALLBACK_UPSTREAM": "api"},
            "Warning: CLAUDE_FALLBACK_UPSTREAM=api cannot answer: No Claude login found.",
        ),
        (
            {"ANTHROPIC_API_KEY": "k", "PLAN_ONLY": "yes"},
            "PLAN_ONLY is set, and the login in use is not a plan's.",
        ),
        (
            {"ANTHROPIC_API_KEY": "k", "MODEL_FALLBACKS": "opus>sonnet,sonnet>none-such"},
            "Warning: MODEL_FALLBACKS: none-such is no alias, line or model that your login offers.",
        ),
    ],
)
async def test_the_start_says_what_may_be_spent_and_what_will_not_work(
    house: House, variables: dict[str, str], line: str
) -> None:
    lines = await (await house.starts(**variables)).start_lines()
    assert [told for told in lines if told.startswith(line)]


async def test_with_plan_only_a_key_is_asked_nothing(house: House) -> None:
    app = (await house.starts(ANTHROPIC_API_KEY="made-up", PLAN_ONLY="yes")).application
    refused = await call(app, body=HELLO)
    assert (refused.status, refused.error.code, house.asked) == (429, "insufficient_quota", [])


async def test_a_key_stands_in_for_the_plan_within_its_budget(house: House) -> None:
    given = {"CLAUDE_UPSTREAM": "claude-code", "ANTHROPIC_API_KEY": "made-up", "CLAUDE_FALLBACK_UPSTREAM": "api"}
    app = (await house.starts(**given)).application
    house.simulator.play(Script.error(429, "limit", headers=LIMIT_REACHED), Script.text("Hi"), Script.text("Hi"))
    for _ in range(2):
        assert told(await call(app, body=HELLO)) == (200, "api", "gateway", "fallback_upstream")
    assert house.asked == ["plan", "key", "key"]

    app = (await house.starts(**given, FALLBACK_BUDGET="0")).application
    house.simulator.play(Script.error(429, "limit", headers=LIMIT_REACHED))
    assert (await call(app, body=HELLO)).error.code == "insufficient_quota"
    assert house.asked == ["plan", "key", "key", "plan"]
