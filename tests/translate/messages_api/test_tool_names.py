"""Aliases of tools and ids of calls."""

from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.translate.messages_api.tool_names import CALL_ID, TOOL_NAME, Taken, ToolNames, call_id


def test_names_of_claudes_alphabet_stay() -> None:
    names = ToolNames()
    assert names.declare_all(["get_weather", "a-b"]) == ["get_weather", "a-b"]
    assert not names.client_names


def test_an_alias_never_takes_a_name_that_is_declared() -> None:
    names = ToolNames()
    assert names.declare_all(["a b", "a_b"]) == ["a_b_2", "a_b"]
    assert names.client_names == {"a_b_2": "a b"}


def test_the_history_uses_the_same_aliases() -> None:
    names = ToolNames()
    names.declare_all(["查天气"])
    assert names.alias("查天气") == "_"
    assert names.alias("另一个") == "__2"
    assert names.client_names == {"_": "查天气", "__2": "另一个"}


def test_a_reserved_name_is_given_away() -> None:
    names = ToolNames(reserved={"web_search"})
    assert names.declare_all(["web_search"]) == ["web_search_2"]


@given(st.lists(st.text(max_size=140), max_size=8))
def test_claudes_names_are_legal_and_unique(declared: list[str]) -> None:
    names = ToolNames()
    aliases = names.declare_all(declared)
    assert len(set(aliases)) == len(declared)
    assert all(TOOL_NAME.fullmatch(alias) for alias in aliases)
    assert [names.client_names.get(alias, alias) for alias in aliases] == declared


@given(st.lists(st.none() | st.text(max_size=6), max_size=8))
def test_ids_of_calls_are_legal_and_unique(asked: list[str | None]) -> None:
    taken = Taken()
    ids = [call_id(id_, taken) for id_ in asked]
    assert len(set(ids)) == len(asked)
    assert all(CALL_ID.fullmatch(id_) for id_ in ids)
