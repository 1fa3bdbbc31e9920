"""The model's name is the only thing that changes in a body."""
# ruff: noqa: E501

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.translate.messages.model_member import with_model

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("model"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model": "a" , "x":[{"model":"y"}]}', b'{"model": "NEW" , "x":[{"model":"y"}]}'),
        (b' {"x":"\\"model\\": \\"a\\"",\n "mod\\u0065l" : "a"}', b' {"x":"\\"model\\": \\"a\\"",\n "mod\\u0065l" : "NEW"}'),
        (b'{"x":1e5,"model":null}', b'{"x":1e5,"model":"NEW"}'),
        (b'{ "x":1.0}', b'{"model":"NEW", "x":1.0}'),
        (b"{}", b'{"model":"NEW"}'),
        (b'{"model":"a","x":1,"model":"b"}', b'{"model":"NEW","x":1}'),
        (b'{"x":1,"model":"a","x":2}', b'{"x":2,"model":"NEW"}'),
    ],
)  # fmt: skip
def test_no_other_byte_changes(body: bytes, expected: bytes) -> None:
    assert with_model(body, "NEW") == expected


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_any_object_means_the_same_with_another_model(
    members: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(members, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    assert json.loads(with_model(body, "NEW")) == members | {"model": "NEW"}
