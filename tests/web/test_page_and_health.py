"""What people and monitors see."""

import base64
import hashlib
import re

import msgspec
import pytest

from web.direct import call
from web.fake_service import FakeHealth, Report
from web.wired import Wired


async def test_health_says_it_all() -> None:
    answer = await call(Wired().app(), "GET", "/health")
    assert answer.headers["cache-control"] == "no-store"
    assert msgspec.json.decode(answer.body) == {
        "status": "ok",
        "version": "1.2.3",
        "uptime_seconds": 7200,
        "upstream": "messages-api",
        "login": "ANTHROPIC_API_KEY from the environment",
        "billed": "by token",
        "models": {"custom-claude-4-opus": "claude-test-1"},
    }


@pytest.mark.parametrize(
    ("path", "deep"),
    [
        ("/health", False),
        ("/health?deep=1", True),
        ("/health?deep", True),
        ("/health?deep=0", False),
        ("/health?x=1", False),
    ],
)
async def test_deep_is_asked_for_in_the_query(path: str, deep: bool) -> None:
    wired = Wired()
    await call(wired.app(), "GET", path)
    assert wired.health.asked_deep == [deep]


@pytest.mark.parametrize(
    ("path", "word", "status"),
    [
        ("/health", "unreachable", 200),
        ("/health", "no_login", 200),
        ("/health?deep=1", "unreachable", 503),
        ("/health?deep=1", "ok", 200),
        ("/ready", "ok", 200),
        ("/ready", "no_login", 503),
        ("/ready", "checking", 503),
        ("/ready", "unreachable", 503),
    ],
)
async def test_the_status_is_for_probes(path: str, word: str, status: int) -> None:
    answer = await call(Wired(health=FakeHealth(Report(status=word))).app(), "GET", path)
    assert answer.status == status
    assert msgspec.json.decode(answer.body)["status"] == word


async def test_the_page_says_what_runs_and_how_to_point_a_client_at_it() -> None:
    answer = await call(Wired().app(), "GET", "/", headers={"host": "127.0.0.1:4000"})
    page = answer.body.decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for words in (
        "http://127.0.0.1:4000/v1",
        "curl http://127.0.0.1:4000/v1/chat/completions",
        "    &quot;model&quot;: &quot;custom-claude-4-opus&quot;,\n    &quot;messages&quot;: [",
        "messages-api",
        "ANTHROPIC_API_KEY from the environment",
        "by token",
        "custom-claude-4-opus",
        "claude-test-1",
        "1.2.3, up for 2 hours",
        "Ready",
    ):
        assert words in page
    assert "$" not in page


async def test_the_page_loads_nothing_and_its_style_is_the_one_that_is_allowed() -> None:
    answer = await call(Wired().app(), "GET", "/")
    page, policy = answer.body.decode(), answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert not re.search(r"<script|<link|<img|style=|onclick|src=|href=", page)


async def test_the_page_says_what_to_do_without_a_login() -> None:
    report = Report(status="no_login", login="none", detail="Run: claude auth login", models={})
    page = (await call(Wired(health=FakeHealth(report)).app(), "GET", "/")).body.decode()
    assert "No Claude login found" in page
    assert "Run: claude auth login" in page


async def test_what_comes_from_elsewhere_is_escaped_on_the_page() -> None:
    report = Report(login="<script>alert(1)</script>", models={"<b>": "&amp;"})
    wired = Wired(health=FakeHealth(report), allowed_hosts=("*",))
    page = (await call(wired.app(), "GET", "/", headers={"host": '"><i>'})).body.decode()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (7199, "1 hour"), (900_000, "10 days")]
)
async def test_the_time_since_the_start_is_in_words(seconds: int, words: str) -> None:
    wired = Wired(health=FakeHealth(Report(uptime_seconds=seconds)))
    assert f"up for {words}" in (await call(wired.app(), "GET", "/")).body.decode()
