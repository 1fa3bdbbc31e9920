"""What each Claude model accepts, as data. Upstream's `GET /v1/models` wins wherever it says something.

Sources: https://docs.anthropic.com/en/docs/about-claude/models and the migration guides; state of November 2026.
"""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    CapabilitySupport,
    Effort,
    EffortCapability,
    ModelCapabilities,
    ModelInfo,
    ThinkingTypes,
)

ThinkingType = Literal["adaptive", "enabled", "disabled"]

LINES = ("opus", "sonnet", "haiku", "fable", "mythos")
"""The model lines, each with a newest active model."""

EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
"""Every effort, lowest first."""

UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""The built-in rows claim no date; so upstream writes an unknown one, too."""


class ModelFacts(Struct, frozen=True, kw_only=True):
    """What one model accepts. Token counts are upper limits; `created` is RFC 3339."""

    id: str
    line: str | None
    display_name: str = ""
    created: str = UNKNOWN_DATE
    lifecycle: str = "active"
    context_window: int
    max_output: int
    sampling: bool
    """`temperature`, `top_p` and `top_k` are taken (never the first two together)."""
    thinking: frozenset[ThinkingType]
    """The accepted values of `thinking.type`; without "disabled" thinking is always on."""
    thinking_by_default: bool
    """Claude thinks when `thinking` is absent."""
    off_up_to: Effort = "max"
    """The highest effort that goes together with thinking switched off."""
    efforts: tuple[Effort, ...]
    """Lowest first; empty where `output_config.effort` is refused."""
    default_effort: Effort | None = None
    """What absence of `effort` stands for, where it is known."""
    forced_tool_choice: bool
    """`tool_choice` of type "any" and "tool" is taken."""
    prefill: bool
    """The last turn may be the assistant's."""
    system_in_messages: bool
    """`role: "system"` is taken right after a user turn."""
    structured_output: bool = True
    """`output_config.format` and strict tools are taken."""
    images: bool = True
    """Images are taken in user turns and tool results."""
    bound_thinking: bool = False
    """Thinking handed back after any edit of what came before it is refused."""


_GENERATION_4_5 = ModelFacts(
    id="",
    line=None,
    context_window=200_000,
    max_output=64_000,
    sampling=True,
    thinking=frozenset({"enabled", "disabled"}),
    thinking_by_default=False,
    efforts=(),
    forced_tool_choice=True,
    prefill=True,
    system_in_messages=False,
)
_GENERATION_4_6 = replace(
    _GENERATION_4_5,
    context_window=1_000_000,
    max_output=128_000,
    thinking=frozenset({"adaptive", "enabled", "disabled"}),
    efforts=("low", "medium", "high", "max"),
    prefill=False,
)
_GENERATION_4_7 = replace(
    _GENERATION_4_6, sampling=False, thinking=frozenset({"adaptive", "disabled"}), efforts=EFFORTS
)
_GENERATION_4_8 = replace(_GENERATION_4_7, system_in_messages=True)
_GENERATION_5 = replace(_GENERATION_4_8, thinking_by_default=True)
_ALWAYS_THINKING = replace(_GENERATION_5, thinking=frozenset({"adaptive"}))
_GENERATION_5_5 = replace(_ALWAYS_THINKING, forced_tool_choice=False, bound_thinking=True)

BUILT_IN: tuple[ModelFacts, ...] = (
    replace(_GENERATION_5_5, id="claude-fable-5-2", line="fable", display_name="Claude Fable 5.2"),
    replace(_GENERATION_5_5, id="claude-mythos-5-2", line="mythos", display_name="Claude Mythos 5.2"),
    replace(_GENERATION_5, id="claude-haiku-5-5", line="haiku", display_name="Claude Haiku 5.5", bound_thinking=True),
    replace(_GENERATION_5_5, id="claude-sonnet-5-5", line="sonnet", display_name="Claude Sonnet 5.5"),
    replace(_GENERATION_5_5, id="claude-fable-5-1", line="fable", display_name="Claude Fable 5.1"),
    replace(
        _GENERATION_5_5,
        id="claude-opus-5-5",
        line="opus",
        display_name="Claude Opus 5.5",
        default_effort="medium",
    ),
    replace(_GENERATION_5_5, id="claude-mythos-5-1", line="mythos", display_name="Claude Mythos 5.1"),
    replace(_GENERATION_5, id="claude-sonnet-5", line="sonnet", display_name="Claude Sonnet 5"),
    replace(_ALWAYS_THINKING, id="claude-fable-5", line="fable", display_name="Claude Fable 5"),
    replace(_ALWAYS_THINKING, id="claude-mythos-5", line="mythos", display_name="Claude Mythos 5"),
    replace(_GENERATION_5, id="claude-opus-5", line="opus", display_name="Claude Opus 5", off_up_to="high"),
    replace(_GENERATION_4_8, id="claude-opus-4-8", line="opus", display_name="Claude Opus 4.8"),
    replace(_GENERATION_4_7, id="claude-opus-4-7", line="opus", display_name="Claude Opus 4.7"),
    replace(_GENERATION_4_6, id="claude-opus-4-6", line="opus", display_name="Claude Opus 4.6"),
    replace(_GENERATION_4_6, id="claude-sonnet-4-6", line="sonnet", display_name="Claude Sonnet 4.6"),
    replace(_GENERATION_4_5, id="claude-haiku-4-5", line="haiku", display_name="Claude Haiku 4.5"),
    replace(
        _GENERATION_4_5,
        id="claude-opus-4-5",
        line="opus",
        display_name="Claude Opus 4.5",
        efforts=("low", "medium", "high"),
        lifecycle="deprecated",
    ),
    replace(
        _GENERATION_4_5,
        id="claude-sonnet-4-5",
        line="sonnet",
        display_name="Claude Sonnet 4.5",
        lifecycle="deprecated",
    ),
)
"""Newest first: the first active one of a line is what the line means.

A new row comes with one in `prices.PRICES` and in the simulator's own table (tests compare all three), a new line with
its place in `LINES`; README, in both languages, names the newest opus and sonnet.
"""

_CONSERVATIVE = replace(_GENERATION_5_5, system_in_messages=False)
_BY_ID = {facts.id: facts for facts in BUILT_IN}
_NAME = re.compile(r"claude-[a-z]+(?:-\d{1,2}(?!\d))+")
"""The part of an id before its date, and inside what gateways and clouds put around it."""


def facts_for(model_id: str, info: ModelInfo | None) -> ModelFacts:
    """What `model_id` accepts: the built-in row (dated and decorated ids included), with what `info` says on top.

    A model that the table does not know gets its line's newest row without what not every model takes.
    """
    line = info.line if info else None
    facts = replace(_built_in(model_id) or _newest_of(line), id=model_id)
    return _overridden(facts, info) if info else facts


def newest_active(line: str, infos: Sequence[ModelInfo] = ()) -> str | None:
    """The id of the line's newest active model among `infos`, or in the built-in table where there are none."""
    if not infos:
        return next((facts.id for facts in BUILT_IN if facts.line == line and facts.lifecycle == "active"), None)
    of_line = [info for info in infos if _line_of(info) == line]
    active = [info for info in of_line if info.lifecycle == "active"]
    usable = active or [info for info in of_line if info.lifecycle != "retired"]
    return max(usable, key=lambda info: info.created_at).id if usable else None


def _line_of(info: ModelInfo) -> str | None:
    built_in = _built_in(info.id)
    return info.line or (built_in.line if built_in else None)


def _built_in(model_id: str) -> ModelFacts | None:
    if facts := _BY_ID.get(model_id):
        return facts
    match = _NAME.search(model_id)
    return _BY_ID.get(match.group()) if match else None


def built_in_id(model_id: str) -> str | None:
    """The id of the row of a model, dated and decorated ids included; None where the table has none."""
    facts = _built_in(model_id)
    return facts.id if facts else None


def _newest_of(line: str | None) -> ModelFacts:
    newest = next((facts for facts in BUILT_IN if line and facts.line == line), _CONSERVATIVE)
    return replace(newest, line=line, display_name="", lifecycle="active", system_in_messages=False)


def _overridden(facts: ModelFacts, info: ModelInfo) -> ModelFacts:
    facts = replace(
        facts,
        line=info.line or facts.line,
        display_name=info.display_name or facts.display_name,
        created=info.created_at,
        lifecycle=info.lifecycle,
        context_window=info.max_input_tokens or facts.context_window,
        max_output=info.max_tokens or facts.max_output,
    )
    return _with_capabilities(facts, info.capabilities) if info.capabilities else facts


def _with_capabilities(facts: ModelFacts, said: ModelCapabilities) -> ModelFacts:
    if said.effort:
        facts = replace(facts, efforts=_efforts(said.effort))
    if said.thinking and said.thinking.types:
        facts = replace(facts, thinking=_thinking_types(facts, said.thinking.types))
    if said.image_input:
        facts = replace(facts, images=said.image_input.supported)
    if said.structured_outputs:
        facts = replace(facts, structured_output=said.structured_outputs.supported)
    return facts


def _efforts(said: EffortCapability) -> tuple[Effort, ...]:
    levels = (said.low, said.medium, said.high, said.xhigh, said.max)
    if not said.supported:
        return ()
    return tuple(effort for effort, level in zip(EFFORTS, levels, strict=True) if level and level.supported)


def _thinking_types(facts: ModelFacts, said: ThinkingTypes) -> frozenset[ThinkingType]:
    rows: tuple[tuple[ThinkingType, CapabilitySupport | None], ...] = (
        ("adaptive", said.adaptive),
        ("enabled", said.enabled),
        ("disabled", said.disabled),
    )
    return frozenset(type_ for type_, support in rows if (support.supported if support else type_ in facts.thinking))
