"""A conversation put together: one item, or an error; never a summary that is none."""

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.responses_answer.compaction import CompactionStream
from translate.message_events import Events, ended, message, start, text, thinking
from translate.responses_answer.told import DRAFT, JSONObject, counted_ids, plain


def told(events: Events) -> list[JSONObject]:
    stream = CompactionStream(
        AnswerPlan(),
        DRAFT,
        new_id=counted_ids(),
        now=lambda: 2.5,
        sealed=lambda summary: f"sealed:{summary}" if len(summary) < 40 else None,
    )
    return plain([said for event in events for said in stream.feed(event)] + stream.finish())


def test_whatever_claude_says_on_the_way_the_output_is_one_item() -> None:
    events = told(message(thinking(0, "Hm"), text(1, " We spoke"), text(2, " of cats. ")))
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "sealed:We spoke of cats."}
    assert [event["item"] for event in events[2:4]] == [item, item]
    assert events[-1]["response"]["output"] == [item]  # type: ignore[index]


@pytest.mark.parametrize(
    "events",
    [
        message(thinking(0, "Hm")),
        message(text(0, " \n")),
        [start(), *text(0, "I would rather not."), *ended("refusal")],
        message(text(0, "too long to be sealed " * 3)),
    ],
    ids=["only thinking", "blank", "refused", "too large"],
)
def test_what_is_no_summary_is_an_error(events: Events) -> None:
    with pytest.raises(UpstreamProtocolError, match="no summary"):
        told(events)
