"""Every failure of Claude's side, both ways: the same status, type, code and param, and mostly the same words."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.simulator import Close, Cut, Gate, Hang, Script, error_event
from parity.compare import differences
from parity.conftest import both_ways
from parity.documented import rows, undocumented
from parity.same import assert_same_chunks
from parity.sides import JSONObject, Outcome, Pair
from upstreams.claude_code.conftest import Trap

ANSWER = Script.text("Hello there").steps
BEGUN = ANSWER[:3]
FAILURES = {
    "400": Script.error(400, "messages.0: the reason"),
    "prompt too long": Script.error(400, "prompt is too long: 219000 tokens > 200000 maximum"),
    "401": Script.error(401, "invalid x-api-key"),
    "402": Script.error(402, "Your credit balance is too low to access the Anthropic API."),
    "403": Script.error(403, "Your account may not do this."),
    "403 of a model": Script.error(403, "Your plan does not include this model."),
    "404": Script.error(404, "model: claude-opus-5-5"),
    "no credit": Script.error(400, "Your credit balance is too low to access the Anthropic API."),
    "extra usage": Script.error(400, "Third-party apps now draw from your extra usage, not your plan limits."),
    "usage limits": Script.error(400, "You have reached your specified API usage limits. You will regain access soon."),
    "long context": Script.error(429, "Extra usage is required for long context requests."),
    "input and output too long": Script.error(
        400, "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000"
    ),
    "413": Script.error(413, "Request exceeds the maximum size"),
    "422": Script.error(422, "Odd.", error_type="invalid_request_error"),
    "429": Script.error(429, "Slow down.", retry_after=7),
    "429 without a time": Script.error(429, "Slow down."),
    "500": Script.error(500, "Internal server error"),
    "502 as a web page": Script(status=502, body=b"<html><title>Bad Gateway</title></html>", content_type="text/html"),
    "504": Script.error(504, "Timed out", error_type="timeout_error"),
    "529": Script.error(529, "Overloaded"),
    "a web page with 200": Script.html(),
    "cut before the answer": Script(before=(Cut(),)),
    "an empty stream": Script.empty(),
    "garbage": Script.events([b"garbage\n\n"]),
    "overloaded, as the first event": Script.events([error_event("overloaded_error", "Busy")]),
    "refused, as the first event": Script.events([error_event("invalid_request_error", "Wrong")]),
    "limited, as the first event": Script.events([error_event("rate_limit_error", "Too fast")]),
    "failed before any content": Script.events([ANSWER[0], error_event("api_error", "Broke")]),
    "failed on the way": Script.events([*BEGUN, error_event("api_error", "Broke")]),
    "overloaded on the way": Script.events([*BEGUN, error_event("overloaded_error", "Busy")]),
    "closed on the way": Script.events([*BEGUN, Close()]),
    "no stop reason": Script.events(ANSWER[:-2]),
}
IN_THE_STREAM = [name for name, script in FAILURES.items() if script.status == 200 and not script.before]
"""What fails before there is a stream fails in the same way whether one was asked for or not."""
ASKED_TWICE = {"401", "404"}
"""Where Claude Code asks once more by itself; nothing is generated, so nothing is billed."""


def body(*, stream: bool) -> JSONObject:
    return {"model": "claude-opus-5-5", "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}


def error_of(outcome: Outcome) -> JSONObject:
    """The error document, in a stream its last one; hosts and ids have no part in it."""
    error = outcome.answer[-1]["error"]
    assert isinstance(error, dict)
    message = re.sub(r"127\.0\.0\.1:\d+", "HOST", re.sub(r"req_sim\d+", "ID", str(error["message"])))
    return {**error, "message": message}


def assert_same_failure(name: str, api: Outcome, claude_code: Outcome) -> None:
    assert (claude_code.status, claude_code.complete) == (api.status, False)
    assert undocumented(differences(api.headers, claude_code.headers), "Headers", "Error headers") == []
    assert_same_chunks(api.answer[:-1], claude_code.answer[:-1])
    ours, theirs = error_of(api), error_of(claude_code)
    told = next((row for row in rows("Error messages") if row.name == name), None)
    if told is not None:
        assert (ours.pop("message"), theirs.pop("message")) == (told.api, told.claude_code)
    assert theirs == ours


@pytest.mark.parametrize(
    ("name", "stream"),
    [*((name, False) for name in FAILURES), *((name, True) for name in IN_THE_STREAM), ("429", True)],
)
async def test_a_failure_is_the_same_error(pair: Pair, name: str, stream: bool) -> None:
    api, claude_code = await pair.ask(body(stream=stream), *[FAILURES[name]] * 3)

    assert_same_failure(name, api, claude_code)
    assert len(claude_code.sent) == (2 if name in ASKED_TWICE else 1)


async def test_an_answer_that_is_cut_on_the_way_is_the_same_error(pair: Pair) -> None:
    outcomes = []
    for side in (pair.api, pair.claude_code):
        begun = asyncio.Event()
        outcomes.append(await side.ask(body(stream=True), Script.events([*BEGUN, Gate(begun), Cut()]), begun=begun))

    assert_same_failure("cut on the way", *outcomes)
    assert all(outcome.streamed for outcome in outcomes)


@pytest.mark.parametrize("name", [row.name for row in rows("Endings")])
async def test_only_an_end_that_claude_code_adds_itself_makes_another_status(pair: Pair, name: str) -> None:
    (row,) = [row for row in rows("Endings") if row.name == name]
    assert name == "no message_stop"

    api, claude_code = await pair.ask(body(stream=False), Script.events(ANSWER[:-1]))

    assert (str(api.status), str(claude_code.status)) == (row.api, row.claude_code)


@pytest.fixture(scope="module")
async def nobody(environment: dict[str, str], home: Path) -> AsyncIterator[Pair]:
    """Both ways to an address where nobody listens."""
    server = await asyncio.start_server(Trap().serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with both_ways(environment | {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}, home) as pair:
        yield pair


async def test_nobody_at_the_address_is_the_same_error(nobody: Pair) -> None:
    api, claude_code = await nobody.ask(body(stream=False))

    assert_same_failure("nobody listens", api, claude_code)


@pytest.fixture(scope="module")
async def impatient(environment: dict[str, str], home: Path) -> AsyncIterator[Pair]:
    """Both ways, with little time."""
    async with both_ways(environment | {"CLAUDE_API_TIMEOUT": "3"}, home) as pair:
        yield pair


@pytest.mark.parametrize(
    ("name", "script", "stream"),
    [
        ("silent from the start", Script.hang(), False),
        ("silent on the way", Script.events([*BEGUN, Hang()]), True),
    ],
    ids=["from the start", "on the way"],
)
async def test_silence_is_the_same_error(impatient: Pair, name: str, script: Script, stream: bool) -> None:
    api, claude_code = await impatient.ask(body(stream=stream), script)

    assert_same_failure(name, api, claude_code)


def test_every_documented_message_is_tried() -> None:
    tried = {*FAILURES, "cut on the way", "nobody listens", "silent from the start", "silent on the way"}
    assert {row.name for row in rows("Error messages")} <= tried
