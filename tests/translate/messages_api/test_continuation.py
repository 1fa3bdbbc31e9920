import json
from collections.abc import Sequence

import msgspec

from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, TextBlockParam
from claude_openai_proxy.translate.messages_api.continuation import TurnRecorder, continued
from translate.message_events import Events, block, ended, event, message, start, text, thinking, tool_use, web_search

QUESTION = MessagesRequest(
    model="claude-opus-5-5", max_tokens=100, messages=[MessageParam("user", [TextBlockParam("Weather in Paris?")])]
)


def recorded(events: Events) -> TurnRecorder:
    recorder = TurnRecorder()
    for one in events:
        recorder.feed(one)
    return recorder


def plain(blocks: Sequence[object]) -> object:
    return json.loads(msgspec.json.encode(blocks))


def test_the_blocks_are_put_together_as_claude_sent_them() -> None:
    citation = {"type": "web_search_result_location", "url": "https://a.example", "encrypted_index": "Eo8B"}
    events = message(
        thinking(0, "Let me", " see"),
        web_search(1, "weather paris"),
        text(3, "It ", "rains.", citations=(citation,)),
        tool_use(4, "toolu_1", "f", '{"a"', ":1}"),
        tool_use(5, "toolu_2", "g"),
        block(6, {"type": "redacted_thinking", "data": "EmwK"}),
        block(7, {"type": "hologram", "light": [1]}),
    )

    assert plain(recorded(events).content()) == [
        {"type": "thinking", "thinking": "Let me see", "signature": "EqQBCg=="},
        {
            "type": "server_tool_use",
            "id": "srvtoolu_1",
            "name": "web_search",
            "input": {"query": "weather paris"},
        },
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "It rains.", "citations": [citation]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "hologram", "light": [1]},
    ]


def test_members_of_a_block_that_are_not_known_here_are_handed_back_too() -> None:
    caller = {"caller": {"type": "direct"}}
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}, **caller}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], **caller}
    typed = {"type": "input_json_delta", "partial_json": '{"query": "rain"}'}
    events = message(block(0, use, typed), block(1, result), block(2, {"type": "text", "text": "Rain", "new": 1}))

    assert plain(recorded(events).content()) == [
        {**use, "input": {"query": "rain"}},
        result,
        {"type": "text", "text": "Rain", "new": 1},
    ]


def test_the_paused_turn_is_appended_without_its_empty_texts() -> None:
    recorder = recorded([start(), *text(0), *web_search(1), *ended("pause_turn")])
    request = continued(QUESTION, recorder)

    assert [message.role for message in request.messages] == ["user", "assistant"]
    assert [kind["type"] for kind in _content(request)] == ["server_tool_use", "web_search_tool_result"]
    assert len(QUESTION.messages) == 1


def test_a_turn_that_pauses_twice_stays_one_turn() -> None:
    once = continued(QUESTION, recorded(message(text(0, "one"), stop_reason="pause_turn")))
    twice = continued(once, recorded(message(text(0, "two"), stop_reason="pause_turn")))

    assert [message.role for message in twice.messages] == ["user", "assistant"]
    assert [kind["text"] for kind in _content(twice)] == ["one", "two"]
    assert len(_content(once)) == 1


def test_the_rest_of_the_request_stays_as_it_was() -> None:
    request = continued(QUESTION, recorded(message(text(0, "one"))))

    assert msgspec.structs.replace(request, messages=QUESTION.messages) == QUESTION


def test_a_delta_of_no_known_block_is_left_to_the_translator_to_refuse() -> None:
    stray = event("content_block_delta", index=4, delta={"type": "text_delta", "text": "Hi"})

    assert recorded([start(), stray]).content() == []


def _content(request: MessagesRequest) -> list[dict[str, object]]:
    wire: list[dict[str, object]] = json.loads(msgspec.json.encode(request.messages[-1].content))
    return wire
