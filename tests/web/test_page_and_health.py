"""What people and monitors see."""

import base64
import hashlib
import re
import tomllib
from html import unescape
from typing import Any

import msgspec
import pytest

from claude_openai_proxy.web.pages.readme import installed_readme
from claude_openai_proxy.web.pages.words import CHINESE, ENGLISH
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


async def test_readiness_tells_that_the_database_is_away_and_stays_ready() -> None:
    answer = await call(Wired(health=FakeHealth(Report(status="ok"), stored=False)).app(), "GET", "/ready")
    assert (answer.status, msgspec.json.decode(answer.body)) == (200, {"status": "ok", "storage": "unavailable"})


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


@pytest.mark.parametrize(("language", "word"), [("en", "Kept on disk"), ("zh", "保存在磁盘上")])
async def test_the_page_says_that_remains_of_answers_rest_on_disk_where_they_do(language: str, word: str) -> None:
    headers = {"accept-language": language}
    kept = (await call(Wired(remains="/state/<b>.db").app(), "GET", "/", headers=headers)).body.decode()
    assert word in kept
    assert "/state/&lt;b&gt;.db" in kept
    assert word not in (await call(Wired().app(), "GET", "/", headers=headers)).body.decode()


async def test_the_page_loads_nothing_and_its_style_and_script_are_those_that_are_allowed() -> None:
    answer = await call(Wired().app(), "GET", "/")
    page, policy = answer.body.decode(), answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element in ("style", "script"):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert not re.search(r"<link|<img|<iframe|style=|onclick|src=|innerHTML|eval\(", page)
    assert set(re.findall(r'href="(.*?)"', page)) <= {"/v1/models", "/health", "/usage", "/readme"}


async def test_the_page_has_a_box_for_a_message_and_buttons_that_copy() -> None:
    page = (await call(Wired().app(), "GET", "/")).body.decode()
    assert "<option>custom-claude-4-opus</option>" in page
    assert re.findall(r'data-copy="(.*?)"', page) == ["base-url", "example", "codex"]
    for id_ in ("base-url", "example", "codex", "try-form", "said", "send", "opened"):
        assert f'id="{id_}"' in page


def profile_on(page: str) -> dict[str, Any]:
    (written,) = re.findall(r'<pre id="codex"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return tomllib.loads(unescape(written))


async def test_the_page_says_what_codex_is_told() -> None:
    page = (await call(Wired().app(), "GET", "/", headers={"host": "127.0.0.1:4000"})).body.decode()
    assert profile_on(page) == {
        "model": "custom-claude-4-opus",
        "model_provider": "claude-openai-proxy",
        "model_providers": {
            "claude-openai-proxy": {
                "name": "Claude OpenAI Proxy",
                "base_url": "http://127.0.0.1:4000/v1",
                "wire_api": "responses",
                "experimental_bearer_token": "any",
                "model_catalog_url": "http://127.0.0.1:4000/v1/models",
            }
        },
    }
    assert "<code>~/.codex/claude-openai-proxy.config.toml</code>" in page
    assert "<code>codex -p claude-openai-proxy</code>" in page


async def test_with_keys_the_page_tells_codex_where_its_key_is() -> None:
    wired = Wired(keys={"sk-one": "one"})
    page = (await call(wired.app(), "GET", "/", headers={"authorization": "Bearer sk-one"})).body.decode()
    provider = profile_on(page)["model_providers"]["claude-openai-proxy"]
    assert provider["env_key"] == "CLAUDE_OPENAI_PROXY_KEY"
    assert "experimental_bearer_token" not in provider
    assert "<code>CLAUDE_OPENAI_PROXY_KEY=YOUR-KEY codex -p claude-openai-proxy</code>" in page
    assert "sk-one" not in page


async def test_the_page_says_what_to_do_without_a_login_once_and_looks_again() -> None:
    report = Report(
        status="no_login", login="none", detail="No Claude login found. Run: claude-openai-proxy login", models={}
    )
    page = (await call(Wired(health=FakeHealth(report)).app(), "GET", "/")).body.decode()
    assert page.count("No Claude login found") == 1
    assert "Run: claude-openai-proxy login" in page
    assert "<main data-waits>" in page
    assert "<main data-waits>" not in (await call(Wired().app(), "GET", "/")).body.decode()


async def test_the_demo_says_first_that_it_is_not_claude() -> None:
    page = (await call(Wired(health=FakeHealth(Report(upstream="demo"))).app(), "GET", "/")).body.decode()
    assert page.index("Demo: not Claude") < page.index("<h1>")
    assert "Demo: not Claude" not in (await call(Wired().app(), "GET", "/")).body.decode()


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk-wrong"}])
async def test_a_browser_without_a_key_is_shown_where_to_enter_it_and_no_fact(headers: dict[str, str]) -> None:
    wired = Wired(keys={"sk-one": "one"})
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    locked = await call(wired.app(), "GET", "/", headers=browser | headers)
    assert (locked.status, locked.headers["content-type"]) == (401, "text/html; charset=utf-8")
    page = locked.body.decode()
    assert 'id="key-form"' in page
    for fact in ("claude-test-1", "ANTHROPIC_API_KEY", "by token", "1.2.3", "Ready"):
        assert fact not in page
    assert wired.health.asked_deep == []
    opened = await call(wired.app(), "GET", "/", headers=browser | {"authorization": "Bearer sk-one"})
    assert (opened.status, b"claude-test-1" in opened.body) == (200, True)


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("ZH", "zh-CN"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.5", "zh-CN"),
        ("fr", "en"),
        ("zh;q=nonsense,;;=,", "en"),
        ("zh;q=0", "en"),
    ],
)
async def test_the_page_is_in_the_language_that_the_browser_asks_for(asked: str, lang: str) -> None:
    answer = await call(Wired().app(), "GET", "/", headers={"accept-language": asked})
    page = answer.body.decode()
    assert f'<html lang="{lang}">' in page
    assert ("就绪" in page, "已运行 2 小时" in page) == ((lang == "zh-CN"),) * 2
    assert "accept-language" in answer.headers["vary"]


def test_both_languages_have_every_word() -> None:
    assert CHINESE.keys() == ENGLISH.keys()


async def test_the_readme_is_text_where_it_was_installed() -> None:
    answer = await call(Wired().app(), "GET", "/readme")
    if installed_readme():
        assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    else:
        assert answer.error.code == "unknown_url"


async def test_what_comes_from_elsewhere_is_escaped_on_the_page() -> None:
    report = Report(login="<script>alert(1)</script>", models={"<b>": "&amp;"})
    wired = Wired(health=FakeHealth(report), allowed_hosts=("*",))
    page = (await call(wired.app(), "GET", "/", headers={"host": '"><i>'})).body.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (7199, "1 hour"), (900_000, "10 days")]
)
async def test_the_time_since_the_start_is_in_words(seconds: int, words: str) -> None:
    wired = Wired(health=FakeHealth(Report(uptime_seconds=seconds)))
    assert f"up for {words}" in (await call(wired.app(), "GET", "/")).body.decode()
