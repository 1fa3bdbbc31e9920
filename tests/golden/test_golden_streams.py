"""Whole streams: `NAME.sse` in the Messages API's words, `NAME.chat.sse` what becomes of it, byte for byte."""

from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.protocols.openai_chat_response import ChatCompletionChunk, ChunkChoice
from claude_openai_proxy.translate.chat_answer.chunks import ChoiceStream
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.events import decode_event
from claude_openai_proxy.translate.messages_api.framing import payloads_of

HERE = Path(__file__).parent
PLAN = AnswerPlan(tool_names={"tool_1": "weather.get"}, reasoning=True)
NAMES = ["text", "parallel_tools", "thinking_and_tools", "refusal", "web_search", "max_tokens_in_a_call"]


def translated(sse: bytes) -> bytes:
    stream = ChoiceStream(PLAN)
    chunks = [chunk for data in payloads_of(sse) for chunk in stream.feed(decode_event(data))]
    lines = [_line([chunk]) for chunk in [*chunks, *stream.finish()]]
    return b"".join([*lines, _line([], stream)])


def _line(choices: list[ChunkChoice], ended: ChoiceStream | None = None) -> bytes:
    chunk = ChatCompletionChunk(
        id="chatcmpl-golden",
        created=1_800_000_000,
        model="custom-claude-4-opus",
        choices=choices,
        usage=ended.usage if ended else None,
    )
    return b"data: %b\n\n" % msgspec.json.encode(chunk)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_becomes_exactly_the_expected_chunks(name: str, update_golden: bool) -> None:
    expected = HERE / f"{name}.chat.sse"
    actual = translated((HERE / f"{name}.sse").read_bytes())
    if update_golden:
        expected.write_bytes(actual)

    assert actual == expected.read_bytes()


def test_every_golden_stream_is_compared() -> None:
    assert sorted(path.name for path in HERE.glob("*.sse")) == sorted(
        [f"{name}.sse" for name in NAMES] + [f"{name}.chat.sse" for name in NAMES]
    )
