"""A fence around the whole of a JSON answer goes; everything else goes through as it came."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from claude_openai_proxy.translate.messages_api.answer import AnswerStream
from claude_openai_proxy.translate.messages_api.answer_events import Annotation, Text
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.json_fence import JSONFence
from translate.message_events import choice_of, chunks_of, message, text, tool_use

STRUCTURED = AnswerPlan(structured=True)
SOURCE = {"type": "web_search_result_location", "url": "https://a.example/", "title": "A"}
PARTS = ["```", "json", "\n", " ", '{"a":1}', '"```"', "[1]", "`", "Here:"]


def unfenced(*pieces: str) -> str:
    fence = JSONFence()
    return "".join(map(fence.feed, pieces)) + fence.end()


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ('```json\n{"a":1}\n```', '{"a":1}'),
        ('\n```JSON\r\n{"a": 1}\r\n```  \n', '{"a": 1}'),
        ("```\n[1,\n 2]\n```", "[1,\n 2]"),
        ('```json {"a":1}```', '{"a":1}'),
        ('```{"a":1}```', '{"a":1}'),
        ('````json\n{"a":1}\n````', '{"a":1}'),
        ('```json\n{"code":"```py\\n1\\n```"}\n```', '{"code":"```py\\n1\\n```"}'),
    ],
)
def test_a_fence_around_one_json_value_goes(answer: str, bare: str) -> None:
    assert unfenced(answer) == bare
    assert unfenced(*answer) == bare


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n",
        '{"a":1}',
        "``",
        "```",
        "``````",
        "```json\n```",
        'Here it is:\n```json\n{"a":1}\n```',
        '```json\n{"a":1}\n```\nThat is all.',
        '```json\n{"a":1}\n```\n```json\n{"b":2}\n```',
        '```json\n{"a":',
        '```json\n{"a":1}\n',
        "```python\nprint()\n```",
        "```json\n" + "[" * 5000 + "\n```",
    ],
)
def test_anything_else_stays_as_it_came(answer: str) -> None:
    assert unfenced(answer) == answer
    assert unfenced(*answer) == answer


def test_bare_json_waits_for_nothing() -> None:
    fence = JSONFence()
    assert [fence.feed(piece) for piece in ("\n", '{"a"', ":1}")] == ["", '\n{"a"', ":1}"]


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.data())
def test_however_the_text_is_split_the_same_is_left(parts: list[str], data: st.DataObject) -> None:
    answer = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=5)))
    borders = [0, *cuts, len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(borders)]
    assert unfenced(*pieces) == unfenced(answer)
    assert unfenced(answer) in (answer, answer.strip().strip("`").removeprefix("json").strip())


def test_it_goes_in_answers_that_were_to_be_json_alone() -> None:
    events = message(text(0, "``", '`json\n{"a"', ":1}\n``", "`"))
    assert choice_of(events, STRUCTURED).message.content == '{"a":1}'
    assert choice_of(events).message.content == '```json\n{"a":1}\n```'
    assert [chunk.delta.content for chunk in chunks_of(events, STRUCTURED)] == ["", '{"a":1}', UNSET]


def test_it_goes_before_a_call_and_from_text_in_several_blocks() -> None:
    two = choice_of(message(text(0, "```json\n{"), text(1, "}\n```"), tool_use(2, "toolu_1", "f")), STRUCTURED)
    assert two.message.content == "{}"
    assert two.message.tool_calls


def test_text_with_a_source_stays_as_it_came() -> None:
    events = message(text(0, "```json\n{}"), text(1, "\n```", citations=(SOURCE,)))
    stream = AnswerStream(STRUCTURED)
    told = [said for event in events for said in stream.feed(event)] + stream.finish()
    assert "".join(piece.text for piece in told if isinstance(piece, Text)) == "```json\n{}\n```"
    assert [piece for piece in told if isinstance(piece, Annotation)] == [Annotation(10, 14, "A", "https://a.example/")]


def test_a_stop_text_ends_what_is_in_the_fence() -> None:
    plan = AnswerPlan(structured=True, stop_texts=("\n\n",))
    assert choice_of(message(text(0, "```json\n{}\n```\n\nmore")), plan).message.content == "{}"
