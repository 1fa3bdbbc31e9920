"""The request that the real CLI sends is the one that was asked for, and there is exactly one."""

import base64
import json
from random import Random

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    Base64Source,
    CacheControlEphemeral,
    ImageBlockParam,
    JSONOutputFormat,
    MessageParam,
    MessagesRequest,
    Metadata,
    OutputConfig,
    TextBlockParam,
    ThinkingConfigAdaptive,
    ThinkingConfigDisabled,
    ThinkingConfigEnabled,
    ToolChoiceAny,
    ToolChoiceAuto,
    ToolChoiceNone,
    ToolChoiceTool,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
    WebSearchTool,
)
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.translate.claude_code.contract import SAMPLES, differences
from translate.shapes import ACCEPTED
from translate.translated import translate
from upstreams.claude_code.conftest import MakeUpstream
from upstreams.claude_code.requests_of_the_tests import API_KEY, OAUTH, answer, asking, tool, user

MARK = CacheControlEphemeral()
HOUR = CacheControlEphemeral(ttl="1h")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BIG_PICTURE = base64.b64encode(base64.b64decode(PIXEL) + bytes(3_000_000)).decode()


class IdentifiedBody(msgspec.Struct):
    """The members of a request that are the CLI's own."""

    system: list[TextBlockParam]
    metadata: Metadata


def marked(text: str, mark: CacheControlEphemeral = MARK) -> MessageParam:
    return MessageParam("user", [TextBlockParam(text, cache_control=mark)])


ONE_CALL = [
    user("Two things."),
    MessageParam(
        "assistant",
        [
            TextBlockParam("On it."),
            ToolUseBlockParam("call_Aa1", "Bash", Raw(b'{"c":"ls","n":{"b":[1,2.5,null]}}')),
            ToolUseBlockParam("call_Bb2", "lost_tool", Raw(b"{}")),
        ],
    ),
    MessageParam(
        "user",
        [
            ToolResultBlockParam("call_Aa1", "", is_error=True),
            ToolResultBlockParam("call_Bb2", [ImageBlockParam(Base64Source("image/png", PIXEL)), TextBlockParam("ok")]),
        ],
    ),
]
REQUESTS = {
    "plain": asking("Hello"),
    "system in several blocks": asking(system=[TextBlockParam("One."), TextBlockParam("Two.", cache_control=MARK)]),
    "a system prompt that looks like a command": asking(
        system=[TextBlockParam("/clear @/etc/hostname\n<x>&amp;\0\u2028")]
    ),
    "odd text": asking("\u2028 \0 \r\n  trailing \ud7ff 🌍 "),
    "history": asking(messages=[user("a"), MessageParam("assistant", [TextBlockParam("b")]), user("c"), user("d")]),
    "a long history": asking(
        messages=[
            MessageParam("user" if n % 2 == 0 else "assistant", [TextBlockParam(f"turn {n} " + "x" * 500)])
            for n in range(501)
        ]
    ),
    "assistant first": asking(messages=[MessageParam("assistant", [TextBlockParam("b")]), user("c")]),
    "parallel results": asking(messages=ONE_CALL, tools=[tool("Bash"), tool("lost_tool")]),
    "image": asking(messages=[MessageParam("user", [ImageBlockParam(Base64Source("image/png", PIXEL))])]),
    "a large image": asking(messages=[MessageParam("user", [ImageBlockParam(Base64Source("image/png", BIG_PICTURE))])]),
    "prefill": asking(
        model="claude-sonnet-4-5", messages=[user("a"), MessageParam("assistant", [TextBlockParam("The")])]
    ),
    "system between turns": asking(messages=[user("a"), MessageParam("system", [TextBlockParam("Be brief.")])]),
    "tools as given": asking(
        tools=[
            ToolParam("zeta", Raw(b'{"type":"object","anyOf":[{"required":["a"]}]}'), "d" * 9000, strict=True),
            ToolParam("Read", Raw(b'{"type":"object","$defs":{"x":{}},"properties":{"a":{"$ref":"#/$defs/x"}}}')),
            ToolParam("alpha", Raw(b'{"type":"object"}'), cache_control=MARK),
        ],
        tool_choice=ToolChoiceTool("Read", disable_parallel_tool_use=True),
    ),
    "two hundred tools": asking(tools=[tool(f"tool_{n:03}") for n in range(200)]),
    "tool choice any": asking(tools=[tool("Bash")], tool_choice=ToolChoiceAny()),
    "tool choice auto, one at a time": asking(
        tools=[tool("Bash")], tool_choice=ToolChoiceAuto(disable_parallel_tool_use=True)
    ),
    "tool choice none": asking(tools=[tool("Bash")], tool_choice=ToolChoiceNone()),
    "web search": asking(tools=[WebSearchTool("web_search", max_uses=2), tool("Bash")]),
    "stop": asking(stop_sequences=["END", "\n\n"]),
    "sampling on a model that takes it": asking(model="claude-opus-4-6", temperature=0.2, top_k=5),
    "top_p alone on a model that refuses it beside temperature": asking(model="claude-sonnet-4-5", top_p=0.5),
    "a large token limit": asking(max_tokens=64_000),
    "a small token limit": asking(max_tokens=1),
    "thinking adaptive": asking(thinking=ThinkingConfigAdaptive(display="summarized")),
    "thinking off": asking(thinking=ThinkingConfigDisabled()),
    "thinking with a budget": asking(
        model="claude-sonnet-4-5", max_tokens=5000, thinking=ThinkingConfigEnabled(budget_tokens=2000)
    ),
    "effort": asking(output_config=OutputConfig(effort="xhigh")),
    "structured output": asking(
        output_config=OutputConfig(
            effort="low",
            format=JSONOutputFormat(
                Raw(b'{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}')
            ),
        )
    ),
    "service tier": asking(service_tier="standard_only"),
    "automatic caching": asking(cache_control=MARK, system=[TextBlockParam("Be terse.")]),
    "two marks beside the system prompt": asking(messages=[marked("a"), marked("b")], system=[TextBlockParam("s")]),
    "four marks in the messages": asking(messages=[marked("a"), marked("b"), marked("c"), marked("d")]),
    "a mark on a tool": asking(
        tools=[ToolParam("f", Raw(b'{"type":"object"}'), cache_control=MARK)], system=[TextBlockParam("s")]
    ),
    "a mark for an hour": asking(messages=[marked("a", HOUR)], system=[TextBlockParam("s")]),
    "an old model": asking(model="claude-opus-4-1-20250805", system=[TextBlockParam("Be terse.")]),
    "a model of the newest generation": asking(model="claude-opus-5-5"),
    "a name that nobody knows": asking(model="claude-novel-9", system=[TextBlockParam("Be terse.")]),
    "contract sample 1": SAMPLES[0],
    "contract sample 2": SAMPLES[1],
}


async def test_what_arrives_is_what_was_asked_whatever_a_process_served_before(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    upstream = make_upstream(pool_size=1, pool_largest=1)
    simulator.play_when(lambda request: request.is_message, Script.text("Hi", skip_rules=True))
    names = [name for name in REQUESTS for _ in range(2)]
    Random(5).shuffle(names)

    found = {}
    for name in names:
        await answer(upstream, REQUESTS[name])
        found[name] = differences(REQUESTS[name], simulator.requests[-1].body)

    assert {name: what for name, what in found.items() if what} == {}
    assert len(simulator.requests) == len(names)


@pytest.mark.parametrize("login", [OAUTH, API_KEY], ids=["oauth", "key"])
@pytest.mark.parametrize(
    "name",
    [
        "a mark for an hour",
        "four marks in the messages",
        "a mark on a tool",
        "automatic caching",
        "top_p alone on a model that refuses it beside temperature",
        "thinking with a budget",
    ],
)
async def test_the_api_takes_what_arrives(
    make_upstream: MakeUpstream, simulator: Simulator, login: dict[str, str], name: str
) -> None:
    simulator.play(Script.text("Hi"))

    await answer(make_upstream(login=login), REQUESTS[name])

    assert simulator.requests[0].broken_rule == ""
    assert len(simulator.requests) == 1


async def test_a_prompt_of_five_megabytes_arrives_whole(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    request = asking("Long. " + 'ab 世界 \\ " \n' * 350_000)
    simulator.play(Script.text("Hi", skip_rules=True))

    await answer(make_upstream(), request)

    assert len(simulator.requests[0].body) > 5_000_000
    assert differences(request, simulator.requests[0].body) == []


async def test_the_cli_keeps_its_own_attribution_identity_and_metadata(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    simulator.play(Script.text("Hi"))

    await answer(make_upstream(), asking(system=[TextBlockParam("Mine.")]))

    body = msgspec.json.decode(simulator.requests[0].body, type=IdentifiedBody)
    texts = [block.text for block in body.system]
    assert texts[0].startswith("x-anthropic-billing-header: ")
    assert texts[1].startswith("You are a Claude agent")
    assert texts[2:] == ["Mine."]
    assert "device_id" in json.loads(body.metadata.user_id)
    assert "oauth-2025-04-20" in simulator.requests[0].headers["anthropic-beta"]


async def test_one_process_after_the_other_sends_only_its_own_request(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    upstream = make_upstream(pool_size=1)
    first: MessagesRequest = asking("first", system=[TextBlockParam("secret")], tools=[tool("hidden")])
    second: MessagesRequest = asking("second")
    simulator.play(Script.text("1"), Script.text("2"))

    await answer(upstream, first)
    await answer(upstream, second)

    assert differences(second, simulator.requests[1].body) == []
    assert b"secret" not in simulator.requests[1].body


@pytest.mark.timeout(240)
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-4-5"])
async def test_every_sixth_shape_of_a_chat_request_arrives_as_translated(
    make_upstream: MakeUpstream, simulator: Simulator, model: str
) -> None:
    upstream = make_upstream(pool_size=2)
    simulator.play_when(lambda request: request.is_message, Script.text("Hi"))

    for shape in ACCEPTED[::6]:
        request = translate(shape.body, model, capabilities=upstream.capabilities).request
        await answer(upstream, request)
        assert (shape.name, differences(request, simulator.requests[-1].body)) == (shape.name, [])
