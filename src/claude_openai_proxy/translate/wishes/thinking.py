"""Reasoning effort, and Claude's own `thinking`, as each model takes them."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import (
    Effort,
    MessageParam,
    RedactedThinkingBlockParam,
    ThinkingBlockParam,
    ThinkingConfig,
    ThinkingConfigAdaptive,
    ThinkingConfigDisabled,
    ThinkingConfigEnabled,
    ToolUseBlockParam,
)
from claude_openai_proxy.translate.models.facts import EFFORTS, ModelFacts
from claude_openai_proxy.translate.notes import Notes

WishedEffort = Effort | Literal["none", "minimal"]
"""Claude's efforts and two of OpenAI's that Claude does not have."""

SMALL_LIMIT = 4096
"""Thinking counts into the token limit: below this one it could leave the answer empty."""

MIN_BUDGET = 1024
"""The smallest thinking budget, in tokens, that the API takes."""

BUDGETS: tuple[tuple[Effort, int], ...] = (
    ("low", 2048),
    ("medium", 8192),
    ("high", 16_384),
    ("xhigh", 32_768),
    ("max", 49_152),
)
"""Thinking budgets in tokens for models that know no effort."""


_USUAL_BUDGET = 8192


class ThinkingWish(Struct, frozen=True):
    """OpenAI's `effort`, Claude's `thinking` (its `type` and what belongs to it), or both.

    `fields` are the client's names of those that ask for thinking.
    """

    effort: WishedEffort | None = None
    type: Literal["enabled", "disabled", "adaptive"] | None = None
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None
    fields: tuple[str, ...] = ()


NO_THINKING_WISH: Final = ThinkingWish()


class Reasoning(Struct, frozen=True):
    """How much Claude thinks. `shown`: the client asked for it and gets to read it."""

    config: ThinkingConfig | UnsetType = UNSET
    effort: Effort | UnsetType = UNSET
    shown: bool = False

    @property
    def on(self) -> bool:
        """Claude was asked to think."""
        return isinstance(self.config, ThinkingConfigAdaptive | ThinkingConfigEnabled)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What else in the request bears on thinking."""

    max_tokens: int
    asked_limit: int | None
    """The client's own token limit."""
    forced_tool: bool
    """`tool_choice` of type "any" or "tool" goes upstream, which a thinking budget does not go with."""


def without_budget(thinking: Reasoning, messages: Sequence[MessageParam]) -> Reasoning | None:
    """What goes with a last assistant turn that has calls and no thinking before them, which no budget goes with.

    None where there is no such turn, or no budget.
    """
    if not isinstance(thinking.config, ThinkingConfigEnabled):
        return None
    last = next((turn for turn in reversed(messages) if turn.role == "assistant"), None)
    if last is None or not any(isinstance(block, ToolUseBlockParam) for block in last.content):
        return None
    if isinstance(last.content[0], ThinkingBlockParam | RedactedThinkingBlockParam):
        return None
    return Reasoning(effort=thinking.effort)


def reasoning(wish: ThinkingWish, facts: ModelFacts, around: Surroundings, notes: Notes) -> Reasoning:
    """Thinking as asked for; where nothing was, the model's default unless the token limit is too small for it.

    Raises `UnsupportedParameterError` for a model that does not think where the user wants that refused.
    """
    effort = _wished_effort(wish)
    if wish.type is None and effort is None:
        return _by_default(wish, around.asked_limit, facts, notes)
    if not facts.thinking & {"adaptive", "enabled"}:
        return _without_thinking(wish, notes)
    if effort == "none" or wish.type == "disabled":
        return _off(facts, _level(effort, facts, notes), notes)
    level = _level(effort, facts, notes)
    display = wish.display or "summarized"
    shown = display == "summarized"
    if "adaptive" in facts.thinking and not _keeps_budget(wish, facts):
        if wish.budget_tokens:
            notes.repair("thinking_budget_as_effort")
        return Reasoning(ThinkingConfigAdaptive(display=display), level, shown)
    budget = _budget(wish, effort, around, notes)
    if budget is None:
        return Reasoning(effort=level)
    return Reasoning(ThinkingConfigEnabled(budget_tokens=budget, display=display), level, shown)


def _wished_effort(wish: ThinkingWish) -> WishedEffort | None:
    if wish.effort is None and wish.type == "enabled" and wish.budget_tokens:
        return _effort_for(wish.budget_tokens)
    return wish.effort


def _effort_for(budget: int) -> Effort:
    return next((effort for effort, tokens in BUDGETS if budget <= tokens), "max")


def _keeps_budget(wish: ThinkingWish, facts: ModelFacts) -> bool:
    return wish.type == "enabled" and bool(wish.budget_tokens) and "enabled" in facts.thinking


def _by_default(wish: ThinkingWish, limit: int | None, facts: ModelFacts, notes: Notes) -> Reasoning:
    """A summary that is wanted shows what is thought anyway, and does not ask for thought."""
    if limit is None or limit >= SMALL_LIMIT or not facts.thinking_by_default:
        if wish.display == "summarized" and facts.thinking_by_default and "adaptive" in facts.thinking:
            return Reasoning(ThinkingConfigAdaptive(display="summarized"), shown=True)
        return Reasoning()
    if "disabled" in facts.thinking:
        notes.repair("thinking_off_for_small_limit")
        return Reasoning(ThinkingConfigDisabled())
    notes.repair("effort_lowered_for_small_limit")
    return Reasoning(effort=facts.efforts[0] if facts.efforts else UNSET)


def _without_thinking(wish: ThinkingWish, notes: Notes) -> Reasoning:
    for name in wish.fields:
        notes.decline(name, "this model does not think")
    return Reasoning()


def _off(facts: ModelFacts, level: Effort | UnsetType, notes: Notes) -> Reasoning:
    if "disabled" not in facts.thinking:
        notes.repair("thinking_kept_at_lowest_effort")
        return Reasoning(effort=facts.efforts[0] if facts.efforts else UNSET)
    if level is not UNSET and EFFORTS.index(level) > EFFORTS.index(facts.off_up_to):
        notes.repair("effort_lowered")
        level = facts.off_up_to
    return Reasoning(ThinkingConfigDisabled() if facts.thinking_by_default else UNSET, level)


def _level(effort: WishedEffort | None, facts: ModelFacts, notes: Notes) -> Effort | UnsetType:
    """The model's nearest effort that is not higher than the one asked for."""
    if effort is None or effort == "none" or not facts.efforts:
        return UNSET
    wanted = EFFORTS.index("low" if effort == "minimal" else effort)
    not_higher = [level for level in facts.efforts if EFFORTS.index(level) <= wanted]
    level = not_higher[-1] if not_higher else facts.efforts[0]
    if level != EFFORTS[wanted]:
        notes.repair("effort_lowered")
    return level


def _budget(wish: ThinkingWish, effort: WishedEffort | None, around: Surroundings, notes: Notes) -> int | None:
    """Tokens to think with, by default at most half of the limit; None where it cannot be on now."""
    if around.forced_tool:
        notes.repair("thinking_off_for_forced_tool")
        return None
    if around.max_tokens <= MIN_BUDGET:
        notes.repair("thinking_off_for_small_limit")
        return None
    if wish.budget_tokens:
        budget = max(MIN_BUDGET, min(wish.budget_tokens, around.max_tokens - 1))
        if budget != wish.budget_tokens:
            notes.repair("thinking_budget_clamped")
        return budget
    return max(MIN_BUDGET, min(_budget_for(effort), around.max_tokens // 2))


def _budget_for(effort: WishedEffort | None) -> int:
    if effort == "minimal":
        return MIN_BUDGET
    return next((tokens for level, tokens in BUDGETS if level == effort), _USUAL_BUDGET)
