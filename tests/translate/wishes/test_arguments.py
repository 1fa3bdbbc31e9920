"""Arguments in a history: always an object, nothing lost."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.arguments import call_input, object_input


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("  ", {}),
        (None, {}),
        ("null", {}),
        ({"a": 1}, {"a": 1}),
        ([1], {"arguments": [1]}),
        ("[1]", {"arguments": [1]}),
        ("7", {"arguments": 7}),
        ('"plain"', {"arguments": '"plain"'}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        ('{"a": NaN}', {"a": "NaN"}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("{'a': 1}", {"arguments": "{'a': 1}"}),
        (r'"{\"a\": \"\\ud83d\"}"', {"a": "\ufffd"}),
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ("[" * 5000, {"arguments": "[" * 5000}),
        ("[" * 500 + "]" * 500, {"arguments": "[" * 500 + "]" * 500}),
        ('"' + "[" * 500 + "]" * 500 + '"', {"arguments": '{"arguments":' + "[" * 500 + "]" * 500 + "}"}),
    ],
)
def test_arguments_become_an_object(arguments: str | dict[str, object] | list[object] | None, expected: object) -> None:
    assert msgspec.json.decode(call_input(arguments, Notes())) == expected


def test_a_valid_object_is_not_touched() -> None:
    assert bytes(call_input('{"a":  1.0, "a": 2e5}', Notes())) == b'{"a":  1.0, "a": 2e5}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [("{}", {}), (' {"a": 1}', {"a": 1}), ("null", {}), ('"x"', {"arguments": "x"}), ("5", {"arguments": 5})],
)
def test_an_input_that_is_json_becomes_an_object(value: str, expected: object) -> None:
    assert msgspec.json.decode(object_input(Raw(value), Notes())) == expected


@given(st.text())
def test_any_text_becomes_an_object(text: str) -> None:
    assert isinstance(json.loads(bytes(call_input(text, Notes()))), dict)


@pytest.mark.parametrize(
    ("arguments", "repairs"),
    [
        ('{"a": 1}', ()),
        ("", ()),
        ("[]", ()),
        ("[1]", ("arguments_mended",)),
        ('{"a": ', ("arguments_mended",)),
        ('{"a": "\\ud83d"}', ("arguments_mended",)),
        ('{"a": NaN}', ("arguments_mended",)),
    ],
)
def test_what_was_read_in_another_way_than_it_was_written_is_told(arguments: str, repairs: tuple[str, ...]) -> None:
    notes = Notes()
    call_input(arguments, notes)
    assert notes.repairs == repairs
