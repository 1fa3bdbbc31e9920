import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.translate.messages_api.stop_texts import StopTextCutter

STOPS = st.lists(st.text("ab\n ", min_size=1, max_size=4), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("stop_texts", "pieces", "out", "reached"),
    [
        (("\n\n",), ["one\n\ntwo"], ["one"], True),
        (("\n\n",), ["one\n", "\ntwo", "three"], ["one", "", ""], True),
        (("\n\n",), ["one\n", "two"], ["one", "\ntwo"], False),
        (("\n \n",), ["a\n", " ", "b"], ["a", "", "\n b"], False),
        (("  ", "\n"), ["a ", "b\nc"], ["a", " b"], True),
        ((" ",), ["日本", " 語"], ["日本", ""], True),
        (("\n", " \n "), ["a \n b"], ["a "], True),
        (("\n", " \n "), ["a \n", " b"], ["a ", ""], True),
    ],
)
def test_text_is_cut_exactly_at_the_stop_text(
    stop_texts: tuple[str, ...], pieces: list[str], out: list[str], reached: bool
) -> None:
    cutter = StopTextCutter(stop_texts)

    assert [cutter.feed(piece) for piece in pieces] == out
    assert cutter.reached is reached


def test_a_held_tail_is_text_when_the_answer_ends() -> None:
    cutter = StopTextCutter(("\n\n",))

    assert cutter.feed("one\n") == "one"
    assert cutter.held == 1
    assert cutter.end() == "\n"
    assert cutter.end() == ""


@given(STOPS, st.lists(st.text("ab\n ", max_size=5), max_size=8))
def test_however_the_text_is_split_it_ends_before_the_stop_text_that_is_complete_first(
    stop_texts: tuple[str, ...], pieces: list[str]
) -> None:
    text = "".join(pieces)
    ends = [(at + len(stop), at) for stop in stop_texts if (at := text.find(stop)) >= 0]
    first = min(ends, default=(0, len(text)))[1]
    cutter = StopTextCutter(stop_texts)

    assert "".join([cutter.feed(piece) for piece in pieces]) + cutter.end() == text[:first]
    assert cutter.reached is any(stop in text for stop in stop_texts)
