"""Every failure of the API, through the real CLI: its class, its status, and how many requests it took."""

import asyncio
import time

import pytest

from claude_openai_proxy.errors import (
    NoLoginError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.simulator import Close, Cut, Hang, Script, Simulator, error_event
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.conftest import MakeUpstream, Trap
from upstreams.claude_code.requests_of_the_tests import API_KEY, OAUTH, answer, asking, text_of

BEGUN = Script.text("Hello there").steps[:3]
RESET = 4102444800
LIMIT_REACHED = (
    ("anthropic-ratelimit-unified-status", "rejected"),
    ("anthropic-ratelimit-unified-reset", str(RESET)),
    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    ("anthropic-ratelimit-unified-5h-status", "rejected"),
    ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
    ("anthropic-ratelimit-unified-5h-reset", str(RESET)),
    ("retry-after", "600"),
)


async def read_into(seen: list[StreamEvent], upstream: ClaudeCode) -> None:
    async with upstream.stream(asking(), AnswerFacts()) as stream:
        async for batch in stream:
            seen += batch


async def failure(
    make_upstream: MakeUpstream, simulator: Simulator, script: Script, **options: object
) -> UpstreamError:
    simulator.play(*[script] * 4)
    with pytest.raises(UpstreamError) as raised:
        await answer(make_upstream(**options), asking())
    return raised.value


@pytest.mark.parametrize(
    ("script", "status", "error_type", "message", "requests"),
    [
        (Script.error(400, "messages.0: the reason"), 400, "invalid_request_error", "messages.0: the reason", 1),
        (Script.error(400, "prompt is too long: 9 > 8"), 400, "invalid_request_error", "Prompt is too long", 1),
        (Script.error(403, "Not allowed."), 403, "permission_error", "Not allowed.", 1),
        (Script.error(404, "model: x"), 404, "not_found_error", "model: claude-sonnet-5", 2),
        (
            Script.error(413, "too large"),
            413,
            "request_too_large",
            "The request is larger than Claude takes (32 MB).",
            1,
        ),
        (Script.error(422, "Odd.", error_type="invalid_request_error"), 422, "invalid_request_error", "Odd.", 1),
        (Script.error(429, "Slow down."), 429, "rate_limit_error", "Slow down.", 1),
        (Script.error(500, "Boom"), 500, "api_error", "Boom", 1),
        (Script.error(529, "Overloaded"), 529, "overloaded_error", "Overloaded", 1),
        (Script(status=502, body=b"<html>bad</html>", content_type="text/html"), 502, "", "Bad Gateway", 1),
        (Script.events([error_event("overloaded_error", "Busy")]), 529, "overloaded_error", "Busy", 1),
        (Script.events([*BEGUN, error_event("api_error", "Broke")]), 500, "api_error", "Broke", 1),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
async def test_a_status_keeps_its_type_and_words(
    make_upstream: MakeUpstream,
    simulator: Simulator,
    script: Script,
    status: int,
    error_type: str,
    message: str,
    requests: int,
) -> None:
    error = await failure(make_upstream, simulator, script)

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type, error.message) == (status, error_type, message)
    assert error.request_id == simulator.requests[-1].id
    assert len(simulator.requests) == requests


@pytest.mark.parametrize(("login", "requests"), [(API_KEY, 1), (OAUTH, 2)], ids=["key", "oauth"])
async def test_a_refused_login_is_a_401_with_the_command_that_logs_in(
    make_upstream: MakeUpstream, simulator: Simulator, login: dict[str, str], requests: int
) -> None:
    error = await failure(make_upstream, simulator, Script.error(401, "OAuth token has expired"), login=login)

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type) == (401, "authentication_error")
    assert "claude-openai-proxy login" in error.message
    assert len(simulator.requests) == requests


async def test_at_a_plans_limit_the_window_and_its_reset_are_told(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    error = await failure(make_upstream, simulator, Script.error(429, "limit", headers=LIMIT_REACHED))

    assert isinstance(error, UpstreamStatusError)
    assert (error.status, error.error_type) == (429, "rate_limit_error")
    assert error.message.startswith("The plan's 5-hour limit is reached; it resets in ")
    assert error.retry_after == pytest.approx(RESET - time.time(), abs=60)
    assert ("anthropic-ratelimit-unified-reset", str(RESET)) in error.rate_limits
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(before=(Cut(),)), UpstreamConnectionError),
        (Script.events([*BEGUN, Cut()]), UpstreamConnectionError),
        (Script.events([*BEGUN, Close()]), UpstreamProtocolError),
        (Script.empty(), UpstreamProtocolError),
        (Script.html(), UpstreamProtocolError),
        (Script.events([b"garbage\n\n"]), UpstreamProtocolError),
        (Script.events([*BEGUN, b"data: {bad\n\n"]), UpstreamProtocolError),
    ],
    ids=["cut", "cut on the way", "closed on the way", "empty", "html", "garbage", "garbage on the way"],
)
async def test_a_broken_answer_is_never_a_success(
    make_upstream: MakeUpstream, simulator: Simulator, script: Script, kind: type[UpstreamError]
) -> None:
    error = await failure(make_upstream, simulator, script)

    assert type(error) is kind
    assert len(simulator.requests) == 1


async def test_events_before_the_break_are_still_handed_over(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.events([*BEGUN, Close()]))
    seen: list[StreamEvent] = []

    with pytest.raises(UpstreamProtocolError):
        await read_into(seen, make_upstream())

    assert text_of(seen) == "Hello "


async def test_nobody_at_the_address_is_a_failed_connect(make_upstream: MakeUpstream, trap: Trap) -> None:
    server = await asyncio.start_server(trap.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    upstream = make_upstream(login=OAUTH | {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"})
    with pytest.raises(UpstreamConnectionError) as raised:
        await answer(upstream, asking())

    assert not raised.value.reached


@pytest.mark.parametrize(("steps", "phase"), [((), "first byte"), (BEGUN, "between events")])
async def test_silence_is_a_time_out_with_its_phase(
    make_upstream: MakeUpstream, simulator: Simulator, steps: tuple[dict[str, object], ...], phase: str
) -> None:
    script = Script.events([*steps, Hang()]) if steps else Script.hang()

    await make_upstream().prepare()
    error = await failure(make_upstream, simulator, script, timeout=2.0)

    assert isinstance(error, UpstreamTimeoutError)
    assert error.phase == phase
    async with asyncio.timeout(1):
        await simulator.requests[-1].gone.wait()


async def test_the_total_time_is_limited_too(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    error = await failure(make_upstream, simulator, Script.events([*BEGUN, Hang()]), total_timeout=2.0)

    assert isinstance(error, UpstreamTimeoutError)
    assert error.phase == "total"


async def test_a_5xx_is_tried_once_more_and_the_record_says_so(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    simulator.play(Script.error(529), Script.text("Hi"))

    facts = AnswerFacts()
    async with make_upstream(retries=1, pause=0.0).stream(asking(), facts) as stream:
        events = [event async for batch in stream for event in batch]

    assert text_of(events) == "Hi"
    assert facts.repairs == ["retried_5xx"]


async def test_no_login_is_told_and_a_later_login_is_picked_up(
    make_upstream: MakeUpstream, simulator: Simulator, request: pytest.FixtureRequest
) -> None:
    upstream = make_upstream(login={}, pool_size=1)
    with pytest.raises(NoLoginError, match="claude-openai-proxy login"):
        await answer(upstream, asking())
    assert not (await upstream.status()).logged_in
    assert len(simulator.requests) == 0

    request.getfixturevalue("login_file")
    simulator.play(Script.text("Hi"))

    assert text_of(await answer(upstream, asking())) == "Hi"
    assert (await upstream.status()).logged_in
