"""Entries in YAML files: comments, anchors and quotes of the user's stay."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.yaml_text import load, with_item, without_item

ITEM: dict[str, object] = {"name": "Claude (proxy)", "provider": "openai", "roles": ["chat", "edit"]}

COMMENTED = """\
# mine
name: Config  # the name
version: "1.0"
models:
  # the first
  - &first
    name: 'GPT'
    provider: openai   # yes
    key: |
      several
      lines

  # the second
  - <<: *first
    name: Other

# rules follow
rules: []
"""

WANTED = COMMENTED.replace(
    "    name: Other\n",
    '    name: Other\n  - name: "Claude (proxy)"\n    provider: "openai"\n    roles: ["chat", "edit"]\n',
)


def test_an_item_goes_in_at_the_end_of_the_list() -> None:
    assert with_item(COMMENTED, ["models"], ITEM, by="name") == WANTED


def test_writing_twice_changes_nothing_and_taking_out_gives_the_file_back() -> None:
    assert with_item(WANTED, ["models"], ITEM, by="name") is WANTED
    assert without_item(WANTED, ["models"], by="name", value="Claude (proxy)") == COMMENTED
    assert without_item(COMMENTED, ["models"], by="name", value="Claude (proxy)") is COMMENTED


def test_an_older_entry_of_ours_is_replaced() -> None:
    after = with_item(WANTED, ["models"], {**ITEM, "roles": []}, by="name")
    assert load(after)["models"][2:] == [{**ITEM, "roles": []}]
    assert without_item(after, ["models"], by="name", value="Claude (proxy)") == COMMENTED


@pytest.mark.parametrize(
    "text",
    ["", "models: []\n", "models:\n", "name: x\nmodels: []  # none yet\nrules: []\n", "name: x", "# only a comment\n"],
)
def test_a_list_that_lacks_is_begun(text: str) -> None:
    after = with_item(text, ["models"], ITEM, by="name")
    assert load(after) == {**(load(text) or {}), "models": [ITEM]}
    assert with_item(after, ["models"], ITEM, by="name") == after


@pytest.mark.parametrize("text", ["", "endpoints:\n  agents: {a: 1}\n", "endpoints:\n  custom: []\n", "version: 1\n"])
def test_a_nested_list_is_begun(text: str) -> None:
    after = with_item(text, ["endpoints", "custom"], ITEM, by="name")
    assert load(after)["endpoints"]["custom"] == [ITEM]
    assert set(load(text) or {}) <= set(load(after))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("- name: ours\n", ()),
        ("models:\n- name: ours\nlast: 1\n", ("models",)),
        ("endpoints:\n  custom: # of mine\n    - name: ours\n", ("endpoints", "custom")),
        ("endpoints:\n  custom: [] # of mine\n", ("endpoints", "custom")),
    ],
)
def test_a_list_that_ours_alone_was_in_takes_it_again(text: str, path: tuple[str, ...]) -> None:
    for _ in range(2):
        text = with_item(text, path, {"name": "ours", "a": 1}, by="name")
        assert text.count("name") == 1
        text = without_item(text, path, by="name", value="ours")
        assert "name" not in text
    assert ("# of mine" in text) == (len(path) == 2)


def test_a_file_that_is_one_list() -> None:
    after = with_item("- model_id: mine\n  a: 1\n", [], {"model_id": "ours"}, by="model_id")
    assert load(after) == [{"model_id": "mine", "a": 1}, {"model_id": "ours"}]
    assert without_item(after, [], by="model_id", value="ours") == "- model_id: mine\n  a: 1\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models: [{name: a}\n", "not valid YAML"),
        ("models: {a: 1}\n", "not a list"),
        ("models: [{name: a}]\n", "by hand"),
        ("- a\n", "mapping is missing"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("{a: 1}\n", "by hand"),
    ],
)
def test_a_file_without_a_safe_place_is_left_alone(text: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        with_item(text, ["models"], ITEM, by="name")


SCALARS = st.none() | st.booleans() | st.integers() | st.text(alphabet="ab #:'\"-[]{}é\n", max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abcde", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "models", "z"]), VALUES, max_size=4), st.sampled_from([2, 4]))
def test_any_file_keeps_everything_else_or_is_left_alone(value: dict[str, object], indent: int) -> None:
    text = yaml.safe_dump(value, indent=indent, sort_keys=False)
    try:
        after = with_item(text, ["models"], ITEM, by="name")
    except EditError:
        return
    items = value.get("models") or []
    assert isinstance(items, list)
    assert load(after) == {**value, "models": [*items, ITEM]}
    if items:
        assert without_item(after, ["models"], by="name", value=ITEM["name"]) == text


def test_an_item_between_others_goes_alone() -> None:
    text = "models:\n  - name: a\n    x: 1\n\n  # of b\n  - name: b\n    x: {y: 2}\n  - name: c\n    x: [3]\nlast: 1\n"
    assert without_item(text, ("models",), by="name", value="b") == text.replace("  - name: b\n    x: {y: 2}\n", "")
    assert without_item(text, ("models",), by="name", value="a") == text.replace("  - name: a\n    x: 1\n", "")
    assert without_item(text, ("models",), by="name", value="c") == text.replace("  - name: c\n    x: [3]\n", "")
