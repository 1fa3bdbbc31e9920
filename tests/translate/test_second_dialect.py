"""A second dialect needs its reader and its encoder, and nothing else."""

import json

import pytest

from claude_openai_proxy.simulator import Script
from claude_openai_proxy.translate.messages_api.events import decode_event
from claude_openai_proxy.translate.models.facts import facts_for
from translate.second_dialect import LineStream, read
from translate.translated import API, EVERY_MODEL, refusal, sent


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_its_request_is_taken_on_every_model(model: str) -> None:
    translation = read(b'{"say": "Hello"}', facts_for(model, None), API)

    assert refusal(translation.request) is None
    body = sent(translation)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert [tool["name"] for tool in body["tools"]] == ["look_up"]  # type: ignore[attr-defined]


def test_what_claude_would_refuse_is_mended_for_it_too() -> None:
    body = sent(read(b'{"say": " "}', facts_for("claude-opus-5-5", None), API))

    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "(The user's message is empty.)"}]}
    ]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        (Script.text("Hi there", pieces=2), ["+ Hi t", "+ here", "end end_turn"]),
        (Script.thinking("Hm", "Yes"), ["+ Yes", "end end_turn"]),
        (Script.tool_calls([("look_up", {})]), ["call look up", "+ {}", "end tool_use"]),
        (Script.refusal("No."), ["+ No.", "end refusal"]),
    ],
)
def test_its_answer_is_what_claude_says(script: Script, lines: list[str]) -> None:
    stream = LineStream(read(b'{"say": "Hello"}', facts_for("claude-opus-5-5", None), API).plan)
    events = [decode_event(json.dumps(step).encode()) for step in script.steps if isinstance(step, dict)]

    assert [line for event in events for line in stream.feed(event)] + stream.finish() == lines
