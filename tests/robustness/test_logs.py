"""What the log and the errors say; what was asked, what was answered and every secret stay out of both."""

import io
import json
import sys
from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.script import Script
from robustness.requests import encoded
from robustness.whole_proxy import whole_proxy
from telemetry.installed import logging_as_it_was, set_up_logging
from web.direct import CHAT, HELLO, call
from web.fake_service import FakeChat
from web.fake_service import Script as FakeScript
from web.wired import Wired

PROMPT = "my-prompt-about-whales"
ANSWER = "my-answer-about-whales"
UPSTREAM_KEY = "sk-ant-made-up"
CLIENT_KEY = "sk-client-made-up"
ASKED: dict[str, object] = {
    "model": "custom-claude-4-opus",
    "messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": PROMPT}],
    "user": PROMPT,
    "metadata": {"a": PROMPT},
    "stop": [PROMPT],
    "prediction": {"type": "content", "content": PROMPT},
    "tools": [{"type": "function", "function": {"name": "f", "description": PROMPT, "parameters": {"title": PROMPT}}}],
}
SCRIPTS = (
    Script.text(ANSWER),
    Script.error(400, f"messages.0: {PROMPT} is not allowed"),
    Script.error(500, PROMPT),
    Script.html(f"<title>{PROMPT}</title>"),
    Script.events([b"event: message_start\ndata: {broken " + PROMPT.encode() + b"\n\n"]),
    Script.empty(),
)
"""An answer, and the ways in which upstream may quote the prompt in a failure."""


async def test_a_secret_that_claudes_side_quotes_goes_nowhere(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    environment |= {"LOG_LEVEL": "debug", "PROXY_API_KEYS": CLIENT_KEY}
    simulator.play_when(lambda request: request.is_message, Script.error(400, f"bad {UPSTREAM_KEY} and {CLIENT_KEY}"))
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        answer = await call(proxy.app, body=HELLO, headers={"x-api-key": CLIENT_KEY, "x-request-id": CLIENT_KEY})
    assert answer.error.message.startswith("bad *** and ***")
    for secret in (UPSTREAM_KEY, CLIENT_KEY):
        assert secret not in log.getvalue()


@pytest.mark.parametrize("script", SCRIPTS, ids=["answer", "400", "500", "html", "garbage", "nothing"])
@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("format_", ["json", "console"])
async def test_no_level_tells_what_was_said_or_any_secret(
    environment: dict[str, str], simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    script: Script, level: str, format_: str,
) -> None:  # fmt: skip
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    environment |= {"LOG_LEVEL": level, "LOG_FORMAT": format_, "PROXY_API_KEYS": CLIENT_KEY}
    simulator.play_when(lambda request: request.is_message, script)
    key = {"authorization": f"Bearer {CLIENT_KEY}", "cookie": PROMPT, "x-other": PROMPT}
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        answers = [
            await call(proxy.app, body=body, headers=headers)
            for body in (
                encoded(ASKED),
                encoded({**ASKED, "stream": True}),
                encoded({**ASKED, "n": PROMPT}),
                HELLO[:-4],
            )
            for headers in (key, {"authorization": f"Bearer {CLIENT_KEY}x"})
        ]
    told = log.getvalue()
    assert told.count(answers[0].headers["x-request-id"]) >= 1
    for secret in (PROMPT, ANSWER, UPSTREAM_KEY, CLIENT_KEY):
        assert secret not in told
    for answer in answers:
        assert UPSTREAM_KEY.encode() not in answer.body
        assert CLIENT_KEY.encode() not in answer.body


def bug() -> ValueError:
    """Has the prompt in its words and in those of its cause."""
    error = ValueError(f"cannot handle {PROMPT} with {UPSTREAM_KEY}")
    error.__cause__ = KeyError(f"{PROMPT}\nin two lines")
    return error


@pytest.mark.parametrize("level", ["debug", "error"])
async def test_a_bug_is_logged_with_its_place_and_without_its_words(level: str) -> None:
    """The words of an exception that nobody foresaw may hold anything; where it was raised says enough."""
    log = io.StringIO()
    with logging_as_it_was():
        set_up_logging(level=level, format_="json", stream=log, wall_clock=lambda: 0.0)
        answer = await call(Wired(chat=FakeChat(FakeScript(before=[bug()]))).app(), "POST", CHAT, encoded(ASKED))
    assert (answer.status, answer.error.type) == (500, "server_error")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (failure,) = [line for line in lines if line["level"] == "error"]
    assert failure["request_id"] == answer.headers["x-request-id"]
    assert "ValueError" in failure["exception"]
    assert "KeyError" in failure["exception"]
    assert "fake_service.py" in failure["exception"]
    for secret in (PROMPT, UPSTREAM_KEY):
        assert secret not in log.getvalue()
        assert secret.encode() not in answer.body
