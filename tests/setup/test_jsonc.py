"""Entries in JSON files with comments: what goes in comes out again, and nothing else moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.setup.jsonc import load, with_element, with_entry, without_element, without_entry
from claude_openai_proxy.setup.text_edit import EditError
from setup.layouts import JSON_VALUES, as_jsonc

ENTRY = {"name": "Claude", "models": {"custom-claude-4-opus": {"limit": 200_000}}}
PATH = ("provider", "claude-openai-proxy")

COMMENTED = """\
// my settings
{
    "theme": "dark", // of course
    /* several
       lines */
    "provider": {
        "mine": {"a": [1, 2, {"b": null}]}, // keep
    },
}
"""

WANTED = """\
// my settings
{
    "theme": "dark", // of course
    /* several
       lines */
    "provider": {
        "mine": {"a": [1, 2, {"b": null}]}, // keep
        "claude-openai-proxy": {
            "name": "Claude",
            "models": {
                "custom-claude-4-opus": {
                    "limit": 200000
                }
            }
        },
    },
}
"""


def test_an_entry_goes_in_as_a_person_would_write_it() -> None:
    assert with_entry(COMMENTED, PATH, ENTRY) == WANTED


def test_writing_twice_changes_nothing() -> None:
    assert with_entry(WANTED, PATH, ENTRY) is WANTED


def test_taking_it_out_gives_the_file_back() -> None:
    assert without_entry(WANTED, PATH) == COMMENTED


@pytest.mark.parametrize("text", ["", "{}", "{ }\n", "{\n}\n", "{}  // nothing yet\n", "\ufeff{}"])
def test_an_empty_file_is_begun(text: str) -> None:
    after = with_entry(text, PATH, ENTRY)
    assert load(after) == {"provider": {"claude-openai-proxy": ENTRY}}
    assert with_entry(after, PATH, ENTRY) == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": }', "line 1"),
        ('{"a": 1\n "b": 2}', "line 2"),
        ("{'a': 1}", "line 1"),
        ('{"a": 1} trailing', "line 1"),
        ('{"a": "unterminated}', "line 1"),
        ("[1, 2]", "not a JSON object"),
        ('{"provider": [1]}', "provider is not an object"),
        ("[" * 200 + "]" * 200, "too deeply"),
    ],
)
def test_a_file_that_does_not_parse_or_fit_is_left_alone(text: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        with_entry(text, PATH, ENTRY)


def test_a_list_takes_one_element_of_a_name() -> None:
    text = '[\n\t{"name": "mine", "url": "x"}, // first\n]\n'
    after = with_element(text, {"name": "ours", "url": "y"}, by="name")
    assert load(after) == [{"name": "mine", "url": "x"}, {"name": "ours", "url": "y"}]
    assert "// first" in after
    changed = with_element(after, {"name": "ours", "url": "z"}, by="name")
    assert load(changed) == [{"name": "mine", "url": "x"}, {"name": "ours", "url": "z"}]
    assert load(without_element(changed, by="name", value="ours")) == [{"name": "mine", "url": "x"}]
    assert without_element(text, by="name", value="ours") is text


def test_line_ends_stay_as_they_are() -> None:
    after = with_entry('{\r\n  "a": 1\r\n}\r\n', ("b",), {"c": 2})
    assert after == '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}\r\n'


@given(st.data(), st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=4))
def test_any_layout_keeps_everything_else(data: st.DataObject, value: dict[str, object]) -> None:
    text = data.draw(as_jsonc(value))
    inner = {key: item for key, item in value.items() if key != "ours"}
    assert load(text) == value
    after = with_entry(text, ("ours",), ENTRY)
    assert load(after) == {**inner, "ours": ENTRY} or value.get("ours") == ENTRY
    assert with_entry(after, ("ours",), ENTRY) == after
    assert load(without_entry(after, ("ours",))) == inner


@given(st.data(), st.lists(JSON_VALUES, max_size=4))
def test_any_list_keeps_everything_else(data: st.DataObject, value: list[object]) -> None:
    text = data.draw(as_jsonc(value))
    after = with_element(text, {"name": "ours"}, by="name")
    assert load(after) == [*value, {"name": "ours"}]
    assert load(without_element(after, by="name", value="ours")) == value
