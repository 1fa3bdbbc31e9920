"""Each case passes on the proxy, and fails where an answer is wrong in the way that it is there for."""

import asyncio
from typing import Any

import pytest

from claude_openai_proxy.selftest import cases
from claude_openai_proxy.selftest.asking import CaseFailedError, Proxy
from claude_openai_proxy.selftest.cases import CASES
from claude_openai_proxy.selftest.verdicts import Verdict, document, verdicts
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Script, Simulator
from claude_openai_proxy.simulator.message_events import block_events, message_start
from robustness.whole_proxy import whole_proxy
from selftest.stub_server import Said, stub_server
from web.serving import served

MODEL = "custom-claude-4-sonnet"
FINE = Said({"status": "ok", "version": "1", "upstream": "demo"})
NAMES = [case.name for case in CASES]


def verdict_on(name: str, root: str) -> Verdict:
    return next(one for one in verdicts(Proxy(root, MODEL)) if one.case == name)


def said(message: Any = None, *, reason: str = "stop", usage: Any = None, **headers: str) -> Said:
    body = {"choices": [{"message": message or {"content": "Hi"}, "finish_reason": reason}]}
    return Said(body | {"usage": usage or {"completion_tokens": 1}}, headers=headers)


def calling(name: str = "look_up", arguments: str = '{"word": "Rhine"}', *, reason: str = "tool_calls") -> Said:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return said({"content": None, "tool_calls": [call]}, reason=reason)


def piece(text: str = "one", reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": reason}], **more}


USAGE = {"choices": [], "usage": {"completion_tokens": 3}}


async def test_the_proxy_passes_every_case(simulator_url: str, simulator: Simulator, tmp_path: Any) -> None:
    environment = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": simulator_url, "HOME": str(tmp_path)}
    settings = load_settings(Flags(), environment | {"LOG_LEVEL": "error"}, tmp_path)
    async with whole_proxy(settings, simulator) as proxy, served(proxy.app) as url:
        found = await asyncio.to_thread(lambda: list(verdicts(Proxy(url, MODEL))))
    assert [(one.case, one.status) for one in found] == [(name, "ok") for name in NAMES], found
    assert {request.broken_rule for request in simulator.requests} == {""}


async def test_an_answer_that_is_left_is_seen_to_end(simulator_url: str, simulator: Simulator, tmp_path: Any) -> None:
    """Claude's side would go on for ever."""
    environment = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": simulator_url, "HOME": str(tmp_path)}
    settings = load_settings(Flags(), environment | {"LOG_LEVEL": "error"}, tmp_path)
    case = next(case for case in CASES if case.name == "cancellation")
    begun, first, *_ = block_events(0, {"type": "text", "text": "one"}, ["one"])
    simulator.play(Script.events([message_start(), begun, first, Gate(asyncio.Event())]))
    async with whole_proxy(settings, simulator) as proxy, served(proxy.app) as url:
        assert await asyncio.to_thread(case.run, Proxy(url, MODEL)) == "left, and it runs no more"


def test_an_answer_that_runs_on_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "STOP_SECONDS", 0.1)
    health = [Said({"status": "ok", "line": {"running": count}}) for count in (0, 0, 1)]
    with stub_server(health=health, chat=[Said(events=[piece()])]) as stub:
        assert verdict_on("cancellation", stub.root).detail == "the answer still runs after 0.1 s"


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Said({"status": "no_login"}), "its status is 'no_login'"),
        (Said([]), "HTTP 200 without a JSON object"),
        (Said({"error": {"code": "invalid_api_key", "message": "No."}}, 401), "HTTP 401 invalid_api_key"),
        (Said({}, 500), "HTTP 500 no error object"),
    ],
)
def test_where_health_is_not_well_nothing_else_is_asked(answer: Said, detail: str) -> None:
    with stub_server(health=[answer], chat=[said()]) as stub:
        first, *others = verdicts(Proxy(stub.root, MODEL))
        assert (first.status, first.detail) == ("problem", detail)
        assert {(one.status, one.detail) for one in others} == {("skipped", "needs health")}
        assert stub.asked == []


@pytest.mark.parametrize(
    ("case", "answers", "detail"),
    [
        ("chat", [said({"content": ""})], "the answer has no text"),
        ("chat", [said(reason="weather")], "the answer has no reason for its end"),
        ("chat", [said(usage={"completion_tokens": 0})], "the answer has no usage"),
        ("chat", [Said({"choices": []})], "the answer has no choice"),
        ("chat", [Said({"choices": [{"message": "Hi"}]})], "the answer has no message"),
        ("stream", [Said(events=[piece("", "stop"), USAGE, "[DONE]"])], "the stream has no text"),
        ("stream", [Said(events=[piece(), USAGE, "[DONE]"])], "the stream has no reason for its end"),
        ("stream", [Said(events=[piece(reason="stop"), "[DONE]"])], "the stream ends without usage"),
        ("stream", [Said(events=[piece(reason="stop"), USAGE])], "the stream has no end"),
        ("stream", [Said(events=[{"error": {"code": "overloaded"}}])], "an error in the stream: overloaded"),
        ("tools", [said()], "the tool was not called"),
        ("tools", [calling("other")], "another tool was called"),
        ("tools", [calling(arguments="{")], "the call's arguments are no JSON"),
        ("tools", [calling(arguments="{}")], "the call lacks its argument"),
        ("tools", [calling(reason="stop")], "a call ends with another reason"),
        ("tools", [calling(), said({"content": ""})], "the results were not answered"),
        ("images", [said({"content": None})], "the answer has no text"),
        ("structured output", [said()], "the answer is no JSON"),
        ("structured output", [said({"content": '{"city": "Bonn"}'})], "the answer has other members"),
        ("structured output", [said({"content": '{"city": 1, "rivers": []}'})], "a member is of another type"),
        (
            "reasoning loop",
            [calling(), said(**{"x-repairs": "thinking_left_out"})],
            "thinking of an earlier turn got lost",
        ),
        ("errors", [said()], "a wrong field: HTTP 200"),
        ("errors", [Said({"error": {"param": "model"}}, 400)], "a wrong field is not named"),
        ("errors", [Said({"error": {"param": "messages[0].content"}}, 400)], "an unknown model: HTTP 400"),
    ],
)
def test_what_is_wrong_about_an_answer_is_told(case: str, answers: list[Said], detail: str) -> None:
    run = next(one for one in CASES if one.name == case).run
    with stub_server(health=[FINE], chat=answers) as stub, pytest.raises(CaseFailedError) as failed:
        run(Proxy(stub.root, MODEL))
    assert str(failed.value) == detail


@pytest.mark.parametrize("status", [404, 405, 501])
def test_responses_that_are_not_served_are_skipped(status: int) -> None:
    with stub_server(health=[FINE], responses=[Said({"error": {}}, status)]) as stub:
        verdict = verdict_on("responses", stub.root)
        assert (verdict.status, verdict.detail) == ("skipped", "not served here")


def test_what_the_proxy_said_is_for_the_terminal_alone() -> None:
    refused = Said({"error": {"code": "quota", "message": "Somebody's\nown words."}}, 429)
    with stub_server(health=[FINE], chat=[refused]) as stub:
        found = list(verdicts(Proxy(stub.root, MODEL, "cop_a_key")))
    chat = next(one for one in found if one.case == "chat")
    assert chat.line().endswith("HTTP 429 quota (Somebody's own words.)")
    told = document(found, {"version": "1", "upstream": "api", "login": "somebody's"}, settings=["PORT", "HOST"])
    assert (told["ok"], told["version"], told["settings"]) == (False, "1", ["HOST", "PORT"])
    assert "omebody" not in str(told)
    assert stub.root not in str(told)
