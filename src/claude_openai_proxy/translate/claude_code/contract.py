"""What the contract check asks of a CLI, and how it judges what arrives (pure)."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.protocols import anthropic
from claude_openai_proxy.translate.claude_code.request import system_text

ADDED_BY_THE_CLI: Final = frozenset({"system", "stream", "metadata"})
"""Members that stay the CLI's own; the client's system prompt is the last block of `system`."""
_PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_MARK: Final = anthropic.CacheControlEphemeral()

_TOOLS: Final[list[anthropic.ToolParam | anthropic.WebSearchTool]] = [
    anthropic.ToolParam(
        "zebra", Raw(b'{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]}'), strict=True
    ),
    anthropic.ToolParam("Bash", Raw(b'{"type":"object","properties":{"c":{"type":"string"}}}'), description="x" * 5000),
    anthropic.ToolParam("alpha", Raw(b'{"type":"object"}'), cache_control=_MARK),
]
_HISTORY: Final = [
    anthropic.MessageParam(
        "user",
        [
            anthropic.TextBlockParam(" @/etc/hostname\n/clear "),
            _picture := anthropic.ImageBlockParam(anthropic.Base64Source("image/png", _PNG)),
        ],
    ),
    anthropic.MessageParam(
        "assistant",
        [
            anthropic.TextBlockParam("Looking."),
            anthropic.ToolUseBlockParam("call_1", "Bash", Raw(b'{"c":"ls"}')),
            anthropic.ToolUseBlockParam("call_2", "alpha", Raw(b"{}")),
        ],
    ),
    anthropic.MessageParam(
        "user",
        [
            anthropic.ToolResultBlockParam("call_1", "", is_error=True),
            anthropic.ToolResultBlockParam("call_2", [anthropic.TextBlockParam("two"), _picture]),
        ],
    ),
]
SAMPLES: Final = (
    anthropic.MessagesRequest(
        model="claude-sonnet-4-5",
        max_tokens=777,
        system=[anthropic.TextBlockParam("One."), anthropic.TextBlockParam("/two @x", cache_control=_MARK)],
        messages=_HISTORY,
        tools=_TOOLS,
        tool_choice=anthropic.ToolChoiceAny(disable_parallel_tool_use=True),
        stop_sequences=["END"],
        temperature=0.25,
        top_k=7,
        cache_control=_MARK,
    ),
    anthropic.MessagesRequest(
        model="claude-opus-5-5",
        max_tokens=4321,
        messages=[anthropic.MessageParam("user", [anthropic.TextBlockParam("!ls")])],
        tools=_TOOLS[1:2],
        thinking=anthropic.ThinkingConfigAdaptive(display="summarized"),
        output_config=anthropic.OutputConfig(
            effort="low", format=anthropic.JSONOutputFormat(Raw(b'{"type":"object","additionalProperties":false}'))
        ),
    ),
    anthropic.MessagesRequest(model="claude-haiku-4-5", max_tokens=1, messages=_HISTORY[:1]),
    anthropic.MessagesRequest(
        model="claude-sonnet-5", max_tokens=2, system=[anthropic.TextBlockParam("Other.")], messages=_HISTORY[:1]
    ),
)
"""After one with everything comes one with next to nothing: what is left of a turn shows in the one after it."""


def in_order() -> list[anthropic.MessagesRequest]:
    """The samples in the order in which one process can serve them: without a system prompt first."""
    return sorted(SAMPLES, key=lambda request: bool(system_text(request)))


def differences(request: anthropic.MessagesRequest, received: bytes) -> list[str]:
    """Where the body that arrived is not the request that was asked for, a phrase each."""
    try:
        body = msgspec.json.decode(received, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return ["what arrives is not a JSON object"]
    expected = msgspec.json.decode(msgspec.json.encode(request), type=dict[str, object])
    return list(_differences(expected, body, system_text(request)))


def _differences(expected: dict[str, object], body: dict[str, object], system: str) -> Iterator[str]:
    if _system_prompt(body) != system:
        yield "system arrives changed"
    for name in expected.keys() - ADDED_BY_THE_CLI:
        if name not in body:
            yield f"{name} does not arrive"
        elif body[name] != expected[name]:
            yield f"{name} arrives changed"
    for name in body.keys() - expected.keys() - ADDED_BY_THE_CLI:
        if not _harmless(name, body[name], expected):
            yield f"{name} arrives without having been asked for"


def _system_prompt(body: dict[str, object]) -> str:
    """The text behind the two blocks that the CLI puts first."""
    system = body.get("system")
    texts = [block.get("text", "") for block in system if isinstance(block, dict)] if isinstance(system, list) else []
    return "\n\n".join(str(text) for text in texts[2:])


def _harmless(name: str, value: object, expected: dict[str, object]) -> bool:
    """What is spelled out although it is the API's default."""
    if name == "thinking":
        return value == {"type": "disabled"} and "top_p" in expected
    return (name == "temperature" and value == 1) or (name == "tools" and value == [])
