"""What models accept: the built-in table, what upstream says on top, and names that the table does not know."""

import pytest

from claude_openai_proxy.protocols.anthropic import (
    CapabilitySupport,
    EffortCapability,
    ModelCapabilities,
    ModelInfo,
    ThinkingCapability,
    ThinkingTypes,
)
from claude_openai_proxy.simulator.model_table import MODELS, model_named
from claude_openai_proxy.translate.models.facts import LINES, facts_for, newest_active
from translate.translated import EVERY_MODEL

YES, NO = CapabilitySupport(supported=True), CapabilitySupport(supported=False)


@pytest.mark.parametrize(
    "id_",
    [
        "claude-haiku-4-5-20251001",
        "claude-haiku-4-5-latest",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "anthropic/claude-haiku-4-5",
        "claude-haiku-4-5@20251001",
    ],
)
def test_dated_and_decorated_ids_are_known(id_: str) -> None:
    facts = facts_for(id_, None)
    assert (facts.id, facts.line, facts.prefill) == (id_, "haiku", True)


@pytest.mark.parametrize("id_", ["claude-opus-4-20250514", "claude-opus-6", "claude-next", "some-model"])
def test_an_unknown_model_is_asked_only_what_every_new_model_takes(id_: str) -> None:
    facts = facts_for(id_, None)
    assert facts.thinking == {"adaptive"}
    assert not any((facts.sampling, facts.prefill, facts.forced_tool_choice, facts.system_in_messages))


def test_an_unknown_model_is_like_the_newest_of_its_line() -> None:
    facts = facts_for("claude-haiku-6", ModelInfo(id="claude-haiku-6", line="haiku", display_name="Claude Haiku 6"))
    assert "disabled" in facts.thinking
    assert facts.forced_tool_choice
    assert (facts.line, facts.display_name) == ("haiku", "Claude Haiku 6")


def test_upstream_wins_where_it_says_something() -> None:
    capabilities = ModelCapabilities(
        effort=EffortCapability(supported=True, low=YES, medium=YES, high=NO),
        structured_outputs=NO,
        thinking=ThinkingCapability(supported=True, types=ThinkingTypes(adaptive=YES, disabled=YES)),
    )
    info = ModelInfo(
        id="claude-opus-5-5",
        created_at="2026-09-14T00:00:00Z",
        lifecycle="deprecated",
        max_input_tokens=5,
        max_tokens=7,
        capabilities=capabilities,
    )
    facts = facts_for("claude-opus-5-5", info)
    assert (facts.context_window, facts.max_output, facts.lifecycle) == (5, 7, "deprecated")
    assert (facts.efforts, facts.structured_output) == (("low", "medium"), False)
    assert facts.thinking == {"adaptive", "disabled"}
    assert facts.created == "2026-09-14T00:00:00Z"
    assert facts.display_name == "Claude Opus 5.5"


def test_a_model_without_efforts_has_none() -> None:
    info = ModelInfo(id="claude-opus-5-5", capabilities=ModelCapabilities(effort=EffortCapability(low=YES)))
    assert facts_for("claude-opus-5-5", info).efforts == ()


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        ("opus", "claude-opus-5-5"),
        ("sonnet", "claude-sonnet-5-5"),
        ("haiku", "claude-haiku-5-5"),
        ("fable", "claude-fable-5-2"),
        ("mythos", "claude-mythos-5-2"),
        ("poem", None),
    ],
)
def test_each_line_has_a_newest_model(line: str, id_: str | None) -> None:
    assert newest_active(line) == id_
    assert id_ is None or line in LINES


def test_the_newest_active_model_is_chosen_by_date_and_not_by_place() -> None:
    infos = [
        ModelInfo(id="claude-opus-4-8", line="opus", created_at="2026-05-20T00:00:00Z"),
        ModelInfo(id="claude-opus-6", line="opus", created_at="2027-01-01T00:00:00Z", lifecycle="deprecated"),
        ModelInfo(id="claude-opus-5-5", line="opus", created_at="2026-09-14T00:00:00Z"),
        ModelInfo(id="claude-sonnet-7", line="sonnet", created_at="2027-02-01T00:00:00Z"),
    ]
    assert newest_active("opus", infos) == "claude-opus-5-5"


def test_a_line_is_known_without_upstream_naming_it() -> None:
    assert newest_active("haiku", [ModelInfo(id="claude-haiku-4-5-20251001")]) == "claude-haiku-4-5-20251001"


def test_a_deprecated_model_is_better_than_none_and_a_retired_one_is_not() -> None:
    deprecated = ModelInfo(id="claude-opus-4-5", line="opus", lifecycle="deprecated")
    retired = ModelInfo(id="claude-opus-9", line="opus", lifecycle="retired", created_at="2028-01-01T00:00:00Z")
    assert newest_active("opus", [retired, deprecated]) == "claude-opus-4-5"
    assert newest_active("opus", [retired]) is None


@pytest.mark.parametrize("id_", EVERY_MODEL)
def test_the_table_agrees_with_the_simulated_api(id_: str) -> None:
    facts, model = facts_for(id_, None), model_named(id_, MODELS)
    assert model is not None
    assert facts.thinking == set(model.thinking)
    assert facts.efforts == model.efforts
    assert (facts.context_window, facts.max_output) == (model.context, model.max_output)
    assert (facts.sampling, facts.prefill, facts.forced_tool_choice) == (
        model.sampling,
        model.prefill,
        model.forced_tool_choice,
    )
    assert (facts.system_in_messages, facts.bound_thinking) == (model.system_in_messages, model.binds_thinking)
    assert (facts.thinking_by_default, facts.off_up_to) == (model.thinks_by_default, model.thinking_off_up_to)
    assert (facts.line, facts.lifecycle, facts.display_name) == (model.line, model.lifecycle, model.name)
