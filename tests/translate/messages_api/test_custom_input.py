import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.translate.messages_api.custom_input import CustomInputDecoder


def decode(pieces: list[str], *, cut: bool = False) -> list[str]:
    decoder = CustomInputDecoder()
    return [*(decoder.feed(piece) for piece in pieces), decoder.end(cut=cut)]


def test_the_string_comes_out_while_its_json_comes_in() -> None:
    assert decode(['{"inp', 'ut": "SELECT ', "1;\\n", '"}']) == ["", "SELECT ", "1;\n", "", ""]


@pytest.mark.parametrize(
    "json_text", ['{"input": "é👩‍💻 \\\\ \\" \\/ \\b\\f\\n\\r\\t"}', '{ "input" :"\\ud83d\\ude00!"}']
)
def test_escapes_may_be_split_anywhere(json_text: str) -> None:
    assert "".join(decode(list(json_text))) == json.loads(json_text)["input"]


@pytest.mark.parametrize(
    ("json_text", "out"),
    [
        ('{"input": "\\ud83d"}', "\ufffd"),
        ('{"input": "\\ud83d and"}', "\ufffd and"),
        ('{"input": "\\ude00"}', "\ufffd"),
        ('{"input": "\\ud83d\\ud83d\\ude00"}', "\ufffd😀"),
        ('{"input": "\\ud83d\\n"}', "\ufffd\n"),
    ],
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(json_text: str, out: str) -> None:
    assert "".join(decode(list(json_text))) == out


@pytest.mark.parametrize(
    "json_text", ['{"query": "x"}', '{"input": 5}', '["a"]', '{"other": 1, "deep": {"input": "x"}}', '"just text"']
)
def test_json_of_another_form_is_handed_over_as_it_is(json_text: str) -> None:
    assert decode(list(json_text))[-1] == json_text


def test_an_input_that_does_not_come_first_is_found_at_the_end() -> None:
    assert decode(['{"language": "sql", ', '"input": "SELECT 1"}']) == ["", "", "SELECT 1"]


def test_an_empty_object_is_an_empty_input() -> None:
    assert decode(["{}"]) == ["", ""]
    assert decode([]) == [""]


@pytest.mark.parametrize(
    "json_text", ["", "{", '{"in', '{ "input": ', '{"input": "', '{"input": "abc', '{"input": "a\\']
)
def test_a_cut_call_hands_over_what_is_certain(json_text: str) -> None:
    assert "".join(decode(list(json_text), cut=True)) == json_text.partition(': "')[2].rstrip("\\")


def test_a_cut_within_a_surrogate_pair_leaves_the_half_out() -> None:
    assert "".join(decode(['{"input": "ok \\ud83d\\ude'], cut=True)) == "ok "


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), st.data())
def test_any_string_in_any_split_comes_out_as_it_is(text: str, ascii_only: bool, data: st.DataObject) -> None:
    json_text = json.dumps({"input": text}, ensure_ascii=ascii_only)
    cuts = data.draw(st.lists(st.integers(0, len(json_text)), max_size=8))
    borders = [0, *sorted(cuts), len(json_text)]

    assert "".join(decode([json_text[start:end] for start, end in pairwise(borders)])) == text
