"""No conversation ever reaches another, although few processes serve them all: whatever happens in between."""

import asyncio
import json
import re
from dataclasses import dataclass
from random import Random

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.anthropic import (
    JSONOutputFormat,
    MessageParam,
    MessagesRequest,
    OutputConfig,
    StreamEvent,
    TextBlockParam,
    ThinkingConfigAdaptive,
    ToolChoiceAny,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from claude_openai_proxy.simulator import Cut, Hang, Script, Simulator, error_event
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.translate.claude_code.contract import differences
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.interface import AnswerFacts
from upstreams.claude_code.conftest import MakeUpstream
from upstreams.claude_code.requests_of_the_tests import asking, text_of, user

CONVERSATIONS = 100
AT_ONCE = 6
PROCESSES = 3
MODELS = ("claude-sonnet-5", "claude-opus-5-5", "claude-opus-5", "claude-fable-5-2")
FATES = [
    *["answer"] * 8,
    *["call"] * 5,
    *("cut off", "refused", "error", "broken", "lost", "left", "left early", "killed"),
]
BEGUN = Script.text("Hello there").steps[:3]
SECRET = re.compile(rb"secret(\d{3})x")


@dataclass(frozen=True)
class Conversation:
    """A request full of a secret of its own, and what is done to it."""

    number: int
    request: MessagesRequest
    fate: str

    @property
    def script(self) -> Script:
        told = f"secret{self.number:03}x told"
        return {
            "call": Script.tool_calls([(f"tool_secret{self.number:03}x", {"told": told})], skip_rules=True),
            "cut off": Script.text(told, stop_reason="max_tokens", skip_rules=True),
            "refused": Script.refusal(told, skip_rules=True),
            "error": Script.error(400, told, skip_rules=True),
            "broken": Script.events([*BEGUN, error_event("api_error", told)], skip_rules=True),
            "lost": Script.events([*BEGUN, Cut()], skip_rules=True),
            "left": Script.events([*BEGUN, Hang()], skip_rules=True),
            "left early": Script.hang(skip_rules=True),
            "killed": Script.events([*BEGUN, Hang()], skip_rules=True),
        }.get(self.fate, Script.text(told, pieces=5, skip_rules=True))


def conversation(number: int, chance: Random) -> Conversation:
    secret = f"secret{number:03}x"
    called = [
        MessageParam("assistant", [ToolUseBlockParam("call_1", f"tool_{secret}", Raw(f'{{"c":"{secret}"}}'.encode()))]),
        MessageParam("user", [ToolResultBlockParam("call_1", [TextBlockParam(f"result {secret}")])]),
    ]
    schema = f'{{"type":"object","properties":{{"{secret}":{{"type":"string"}}}}}}'.encode()
    fields: dict[str, object] = {
        "model": chance.choice(MODELS),
        "max_tokens": 100 + number,
        "messages": [user(f"one {secret}"), *(called if chance.random() < 0.4 else []), user(f"two {secret}")],
    }
    optional: dict[str, object] = {
        "system": [TextBlockParam(f"system {secret}")],
        "tools": [ToolParam(f"tool_{secret}", Raw(schema), f"description {secret}")],
        "stop_sequences": [f"stop {secret}"],
        "thinking": ThinkingConfigAdaptive(),
        "tool_choice": ToolChoiceAny(),
        "output_config": OutputConfig(effort="low", format=JSONOutputFormat(Raw(schema))),
    }
    fields |= {name: value for name, value in optional.items() if chance.random() < 0.5}
    return Conversation(number, msgspec.structs.replace(asking(), **fields), chance.choice(FATES))


async def run(upstream: ClaudeCode, simulator: Simulator, one: Conversation) -> str:
    """Hold the conversation, with what becomes of it; what was answered."""
    if one.fate == "left early":
        task = asyncio.create_task(read(upstream, one))
        while not any(of(request) == one.number for request in simulator.requests):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return ""
    return await read(upstream, one)


async def read(upstream: ClaudeCode, one: Conversation) -> str:
    events: list[StreamEvent] = []
    try:
        async with upstream.stream(one.request, AnswerFacts()) as stream:
            async for batch in stream:
                events += batch
                if one.fate == "left":
                    break
                if one.fate == "killed":
                    stream.process.kill()  # type: ignore[attr-defined]  # it is a turn
    except ProxyError:
        assert one.fate in {"error", "broken", "lost", "killed"}
    return text_of(events)


def of(request: ReceivedRequest) -> int | None:
    found = SECRET.search(request.body)
    return int(found[1]) if found else None


@pytest.mark.parametrize("seed", [1])
async def test_a_hundred_conversations_on_few_processes_never_meet(
    make_upstream: MakeUpstream, simulator: Simulator, seed: int
) -> None:
    chance = Random(seed)
    conversations = [conversation(number, chance) for number in range(CONVERSATIONS)]
    for one in conversations:
        simulator.play_when(lambda request, one=one: of(request) == one.number, one.script)  # type: ignore[misc]
    upstream = make_upstream(pool_size=2, pool_largest=PROCESSES)
    places = asyncio.Semaphore(AT_ONCE)

    async def hold(one: Conversation) -> tuple[int, str]:
        async with places:
            return one.number, await run(upstream, simulator, one)

    answers = dict(await asyncio.gather(*map(hold, conversations)))
    status = upstream._pool.status
    await upstream.aclose()

    by_number = {of(request): request for request in simulator.requests}
    assert len(simulator.requests) == CONVERSATIONS
    for one in conversations:
        body = by_number[one.number].body
        assert {int(found) for found in SECRET.findall(body)} == {one.number}
        assert differences(one.request, body) == []
        assert {int(found) for found in re.findall(r"secret(\d{3})x", answers[one.number])} <= {one.number}
        if one.fate == "answer":
            assert answers[one.number] == f"secret{one.number:03}x told"
    assert status.served == CONVERSATIONS
    assert sum(status.recycled.values()) < CONVERSATIONS / 2, status


async def test_a_cleared_process_keeps_nothing_of_what_it_served(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    """Even a turn that sets nothing anew would not bring it back."""
    upstream = make_upstream(pool_size=1, pool_largest=1)
    simulator.play_when(lambda request: request.is_message, Script.text("Hi", skip_rules=True))
    first = Conversation(7, conversation(7, Random(3)).request, "answer")
    await read(upstream, first)
    process = await upstream._pool.take()

    turn = {"type": "user", "message": {"role": "user", "content": "bare"}, "client_composed": True}
    process.write(json.dumps(turn | {"parent_tool_use_id": None, "session_id": ""}).encode() + b"\n")
    await simulator.received(2)

    assert b"bare" in simulator.requests[1].body
    assert b"secret" not in simulator.requests[1].body
    upstream._pool.retire(process, "failed", interrupt=False)
