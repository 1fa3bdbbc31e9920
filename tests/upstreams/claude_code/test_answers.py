"""What comes back through the real CLI is what the simulated API sent."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    ContentBlockStart,
    MessageDelta,
    MessageStart,
    MessageStop,
    RefusalStopDetails,
    SignatureDelta,
    StreamEvent,
    ThinkingBlock,
    ThinkingConfigAdaptive,
    ThinkingDelta,
    ToolUseBlock,
)
from claude_openai_proxy.simulator import Gate, ReceivedRequest, Script, Simulator
from claude_openai_proxy.simulator.message_events import block_events, message_end, message_start
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.conftest import MakeUpstream, Trap
from upstreams.claude_code.requests_of_the_tests import (
    API_KEY,
    OAUTH,
    answer,
    answer_and_facts,
    asking,
    inputs_of,
    stop_reason_of,
    text_of,
    tool,
)

pytestmark = pytest.mark.timeout(60)


async def test_text_arrives_event_by_event(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Grüße, 世界 🌍!", pieces=["Grü", "ße, 世", "界 🌍!"]))

    events, facts = await answer_and_facts(make_upstream(), asking())

    assert text_of(events) == "Grüße, 世界 🌍!"
    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], MessageStop)
    assert stop_reason_of(events) == "end_turn"
    assert facts.request_id == simulator.requests[-1].id


async def test_the_first_events_are_there_before_the_last_are_sent(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    gate = asyncio.Event()
    first, *rest = block_events(0, {"type": "text", "text": "early late"}, ["early", " late"])
    opened, late = [message_start(), first, rest[0]], [*rest[1:], *message_end("end_turn")]
    simulator.play(Script.events([*opened, Gate(gate), *late]))

    async with make_upstream().stream(asking(), AnswerFacts()) as stream:
        seen: list[StreamEvent] = []
        async for batch in stream:
            seen += batch
            if "early" in text_of(seen):
                gate.set()

    assert text_of(seen) == "early late"


async def test_parallel_calls_keep_ids_names_and_inputs(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.tool_calls([("Bash", {"c": "ls"}), ("Read", {"p": "/etc"})], text="Two.", together=True))

    events = await answer(make_upstream(), asking(tools=[tool("Read"), tool("Bash")]))

    starts = [event.content_block for event in events if isinstance(event, ContentBlockStart)]
    calls = [(block.id, block.name) for block in starts if isinstance(block, ToolUseBlock)]
    assert calls == [("toolu_sim_1", "Bash"), ("toolu_sim_2", "Read")]
    assert inputs_of(events) == '{"c":"ls"}{"p":"/etc"}'
    assert stop_reason_of(events) == "tool_use"
    assert len(simulator.requests) == 1


async def test_thinking_keeps_its_text_and_signature(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.thinking("Let me see.", "Done.", signature="signed=="))

    request = asking(thinking=ThinkingConfigAdaptive(display="summarized"))
    events = await answer(make_upstream(), request)

    deltas = [event.delta for event in events if isinstance(event, ContentBlockDelta)]
    assert any(
        isinstance(event, ContentBlockStart) and isinstance(event.content_block, ThinkingBlock) for event in events
    )
    assert "".join(delta.thinking for delta in deltas if isinstance(delta, ThinkingDelta)) == "Let me see."
    assert [delta.signature for delta in deltas if isinstance(delta, SignatureDelta)] == ["signed=="]
    assert text_of(events) == "Done."


@pytest.mark.parametrize("text", ["", "I would rather"])
async def test_a_refusal_keeps_its_reason(make_upstream: MakeUpstream, simulator: Simulator, text: str) -> None:
    simulator.play(Script.refusal(text, category="cyber", explanation="No.", usage={"output_tokens": 7}))

    events = await answer(make_upstream(), asking())

    ends = [event for event in events if isinstance(event, MessageDelta)]
    assert text_of(events) == text
    assert [end.delta.stop_reason for end in ends] == ["refusal"]
    assert ends[0].delta.stop_details == RefusalStopDetails("cyber", "No.")
    assert ends[0].usage.output_tokens == 7
    assert isinstance(events[-1], MessageStop)


async def test_a_block_of_two_megabytes_arrives_whole(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.text("x" * 2_000_000, pieces=3))

    assert len(text_of(await answer(make_upstream(), asking()))) == 2_000_000


async def test_many_small_deltas_arrive_in_order(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    pieces = [f"{number} " for number in range(3000)]
    simulator.play(Script.text("".join(pieces), pieces=pieces, together=True))

    assert text_of(await answer(make_upstream(), asking())) == "".join(pieces)


def asks(text: str) -> Callable[[ReceivedRequest], bool]:
    return lambda request: text in request.body.decode()


@pytest.mark.timeout(120)
async def test_ten_requests_at_once_get_each_its_own_answer(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    for number in range(10):
        simulator.play_when(asks(f"question {number}."), Script.text(f"answer {number}"))
    upstream = make_upstream(pool_size=2)

    answers = await asyncio.gather(*(answer(upstream, asking(f"question {number}.")) for number in range(10)))

    assert [text_of(events) for events in answers] == [f"answer {number}" for number in range(10)]
    assert len(simulator.requests) == 10


@pytest.mark.parametrize(
    ("login", "header", "value"),
    [
        (OAUTH, "authorization", "Bearer made-up-oauth-token"),
        (API_KEY, "x-api-key", "made-up-api-key"),
        ({"ANTHROPIC_AUTH_TOKEN": "made-up-gateway-token"}, "authorization", "Bearer made-up-gateway-token"),
    ],
    ids=["oauth token", "api key", "auth token"],
)
async def test_every_kind_of_login_is_used_and_no_other_host_is_asked(
    make_upstream: MakeUpstream, simulator: Simulator, trap: Trap, login: dict[str, str], header: str, value: str
) -> None:
    simulator.play(Script.text("Hi"))

    assert text_of(await answer(make_upstream(login=login), asking())) == "Hi"
    assert simulator.requests[-1].headers[header] == value
    assert trap.hosts == []


async def test_a_login_file_is_used_by_the_cli_alone(
    make_upstream: MakeUpstream, simulator: Simulator, trap: Trap, login_file: dict[str, str]
) -> None:
    simulator.play(Script.text("Hi"))

    upstream = make_upstream(login=login_file)

    assert text_of(await answer(upstream, asking())) == "Hi"
    assert simulator.requests[-1].headers["authorization"] == "Bearer sk-ant-oat01-made-up"
    assert trap.hosts == []
    assert (await upstream.status()).billed == "your Claude Max plan"


async def test_models_are_those_of_the_menu(make_upstream: MakeUpstream) -> None:
    models = await make_upstream().models()

    assert {"claude-opus-5-5": "opus", "claude-sonnet-5-5": "sonnet"}.items() <= {m.id: m.line for m in models}.items()
    assert msgspec.structs.asdict(models[0])["lifecycle"] == "active"
