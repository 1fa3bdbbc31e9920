"""The way back of a legacy completion."""

import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_completions import CompletionChoice
from claude_openai_proxy.translate.completions.answer import CompletionStream, put_together, to_text_finish
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from translate.message_events import Events, ended, message, start, text, thinking


def pieces(events: Events, *, echo: str = "", plan: AnswerPlan | None = None) -> list[CompletionChoice]:
    stream = CompletionStream(plan or AnswerPlan(), index=3, echo=echo)
    return [piece for event in events for piece in stream.feed(event)] + stream.finish()


def test_text_comes_in_pieces_and_the_last_one_says_how_it_ended() -> None:
    assert pieces(message(thinking(0, "Hm"), text(1, " a", " time"))) == [
        CompletionChoice(text=" a", index=3),
        CompletionChoice(text=" time", index=3),
        CompletionChoice(text="", index=3, finish_reason="stop"),
    ]


def test_an_echo_comes_first_even_before_nothing() -> None:
    assert [piece.text for piece in pieces(message(text(0, " a", " time")), echo="Once upon")] == [
        "Once upon a",
        " time",
        "",
    ]
    (only,) = pieces([start(), *ended("max_tokens")], echo="Once upon")
    assert (only.text, only.finish_reason) == ("Once upon", "length")


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "length"),
        ("of_tomorrow", "stop"),
    ],
)
def test_stop_reasons_have_openais_names(stop_reason: str, finish_reason: str) -> None:
    assert to_text_finish(stop_reason) == finish_reason


def test_a_refusal_keeps_the_text_so_far() -> None:
    assert [piece.text for piece in pieces([start(), *text(0, "Half"), *ended("refusal")])] == ["Half", ""]


def test_pieces_of_several_choices_are_put_together_in_order() -> None:
    sent = [
        CompletionChoice(text="b", index=1),
        CompletionChoice(text="a", index=0),
        CompletionChoice(text="", index=1, finish_reason="stop"),
        CompletionChoice(text="A", index=0, finish_reason="length"),
    ]
    assert put_together(sent, 2) == [
        CompletionChoice(text="aA", index=0, finish_reason="length"),
        CompletionChoice(text="b", index=1, finish_reason="stop"),
    ]
    with pytest.raises(UpstreamProtocolError):
        put_together(sent[:3], 2)
