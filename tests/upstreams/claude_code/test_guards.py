"""No request that a client did not cause, and none that goes on after its client has left."""

import asyncio

import pytest

from claude_openai_proxy.simulator import Hang, Pause, Script, Simulator
from claude_openai_proxy.simulator.loose_json import JSONObject
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.conftest import MakeUpstream
from upstreams.claude_code.requests_of_the_tests import answer, asking, stop_reason_of, text_of, tool

BEGUN = Script.text("Hello there").steps[:3]


REASONS = ("end_turn", "max_tokens", "stop_sequence", "model_context_window_exceeded", "pause_turn", "refusal", "novel")
CALLS: list[tuple[str, JSONObject]] = [("Bash", {"c": "1"}), ("unknown", {}), ("Bash", {"c": "2"})]
FREE: JSONObject = {"input_tokens": 0, "output_tokens": 0}
"""A gateway that does not count: the CLI's budget is never spent."""


async def test_every_stop_reason_ends_with_one_request_and_spoils_nothing(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    upstream = make_upstream(pool_size=1, pool_largest=1)
    asked = 0
    for together in (True, False):
        for reason in REASONS:
            simulator.play(Script.text("abc", stop_reason=reason, together=together), Script.text("Hi"))

            events = await answer(upstream, asking())
            again = await answer(upstream, asking("again"))

            asked += 2
            assert (reason, stop_reason_of(events), text_of(again)) == (reason, reason, "Hi")
            assert (reason, len(simulator.requests)) == (reason, asked)
    await upstream.aclose()
    assert len(simulator.requests) == asked


@pytest.mark.parametrize("usage", [None, FREE], ids=["counted", "not counted"])
async def test_tool_calls_end_with_one_request_and_spoil_nothing(
    make_upstream: MakeUpstream, simulator: Simulator, usage: JSONObject | None
) -> None:
    upstream = make_upstream(pool_size=1, pool_largest=2)
    asked = 0
    for together in (True, False):
        for _ in range(1 if usage else 5):
            simulator.play(Script.tool_calls(CALLS, together=together, skip_rules=True, usage=usage), Script.text("Hi"))

            events = await answer(upstream, asking(tools=[tool("Bash")]))
            again = await answer(upstream, asking("again"))

            asked += 2
            assert (stop_reason_of(events), text_of(again)) == ("tool_use", "Hi")
            assert len(simulator.requests) == asked
    assert usage is FREE or upstream.pool.recycled == {}
    await upstream.aclose()
    assert len(simulator.requests) == asked


async def test_preparing_and_asking_for_models_and_status_costs_no_request(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    upstream = make_upstream(pool_size=1)

    await upstream.prepare()
    await upstream.models()
    await upstream.status(deep=True)
    await upstream.aclose()

    assert len(simulator.requests) == 0


async def test_a_client_that_leaves_on_the_way_stops_the_request(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    simulator.play(Script.events([*BEGUN, Hang()]))

    async with make_upstream().stream(asking(), AnswerFacts()) as stream:
        await anext(aiter(stream))

    async with asyncio.timeout(1):
        await simulator.requests[0].gone.wait()
    assert len(simulator.requests) == 1


async def test_a_client_that_leaves_before_the_first_event_stops_the_request(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    simulator.play(Script.hang())
    upstream = make_upstream()
    waiting = asyncio.create_task(answer(upstream, asking()))
    await simulator.received(1)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(1):
        await simulator.requests[0].gone.wait()


async def test_closing_ends_what_is_under_way(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.events([*BEGUN, Pause(30)]))
    upstream = make_upstream(pool_size=2)

    async with upstream.stream(asking(), AnswerFacts()) as stream:
        await anext(aiter(stream))
    await upstream.aclose()

    assert simulator.requests[0].gone.is_set()
