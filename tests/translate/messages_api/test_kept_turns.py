"""Turns that are known by what they say: never those of another conversation, whose calls have other ids."""

import msgspec
import pytest
from msgspec import Raw

from claude_openai_proxy.protocols.anthropic import (
    MessageParam,
    MessagesRequest,
    TextBlockParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from claude_openai_proxy.translate.messages_api.kept_turns import KeptTurn, PrefixDigest, keys_of, put_back

MODEL, WAY = "claude-opus-5-5", "api"
QUESTION = MessageParam("user", [TextBlockParam("What is there?")])


def coming_back(id_: str) -> MessagesRequest:
    """A conversation whose one call has that id."""
    call = MessageParam("assistant", [ToolUseBlockParam(id_, "look_up", Raw(b'{"thing":"x"}'))])
    result = MessageParam("user", [ToolResultBlockParam(id_, "Found.")])
    return MessagesRequest(model=MODEL, max_tokens=100, messages=[QUESTION, call, result])


def kept(id_: str) -> KeptTurn:
    content = [
        {"type": "thinking", "thinking": f"Of {id_}.", "signature": f"signed-{id_}"},
        {"type": "tool_use", "id": id_, "name": "look_up", "input": {"thing": "x"}},
    ]
    prefix = PrefixDigest(coming_back(id_))
    prefix.add(QUESTION)
    encoded = msgspec.json.encode(content)
    keys = keys_of("local", msgspec.json.decode(encoded, type=list[Raw]))
    return KeptTurn(keys, MODEL, WAY, prefix.value, encoded)


def found_for(request: MessagesRequest, turns: list[KeptTurn]) -> list[KeptTurn]:
    """As a store finds them: under each key in turn."""
    keys = keys_of("local", request.messages[1].content)
    return [turn for key in keys for turn in turns if key in turn.keys]


@pytest.mark.parametrize("mine", ["toolu_a", "toolu_b"])
def test_of_equal_turns_the_one_with_the_same_ids_goes_back(mine: str) -> None:
    request = coming_back(mine)
    sent = put_back(request, {1: found_for(request, [kept("toolu_a"), kept("toolu_b")])}, WAY)
    assert msgspec.json.encode(sent.request.messages[1].content) == kept(mine).content
    assert sent.count == 1


def test_an_equal_turn_with_other_ids_is_another_conversation_s() -> None:
    request = coming_back("toolu_b")
    sent = put_back(request, {1: found_for(request, [kept("toolu_a")])}, WAY)
    assert sent.request.messages == request.messages
    assert sent.count == 0
