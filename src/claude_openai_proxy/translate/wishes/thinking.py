"""Reasoning effort, and Claude's own `thinking`, as each model takes them."""

from collections.abc import Sequence

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
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, ReasoningEffort
from claude_openai_proxy.protocols.openai_chat_request import Thinking as AskedThinking
from claude_openai_proxy.translate.models.facts import EFFORTS, ModelFacts
from claude_openai_proxy.translate.wishes.notes import Notes
from claude_openai_proxy.translate.wishes.sampling import asked_limit

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
    forced_tool: bool
    """`tool_choice` of type "any" or "tool" goes upstream, which a thinking budget does not go with."""
    messages: Sequence[MessageParam]
    """A thinking budget does not go with a last assistant turn that has calls and no thinking before them."""

    @property
    def bare_tool_loop(self) -> bool:
        """There is such a turn."""
        last = next((turn for turn in reversed(self.messages) if turn.role == "assistant"), None)
        if last is None or not any(isinstance(block, ToolUseBlockParam) for block in last.content):
            return False
        return not isinstance(last.content[0], ThinkingBlockParam | RedactedThinkingBlockParam)


def reasoning(request: ChatCompletionRequest, facts: ModelFacts, around: Surroundings, notes: Notes) -> Reasoning:
    """Thinking as asked for; where nothing was, the model's default unless the token limit is too small for it."""
    asked = request.thinking
    effort = _asked_effort(request.reasoning_effort, asked)
    if asked is None and effort is None:
        return _by_default(request, facts, notes)
    if not facts.thinking & {"adaptive", "enabled"}:
        return _without_thinking(request, notes)
    if effort == "none" or (asked and asked.type == "disabled"):
        return _off(facts, _level(effort, facts, notes), notes)
    level = _level(effort, facts, notes)
    display = asked.display if asked and asked.display else "summarized"
    shown = display == "summarized"
    if "adaptive" in facts.thinking and not _keeps_budget(asked, facts):
        if asked and asked.budget_tokens:
            notes.repair("thinking_budget_as_effort")
        return Reasoning(ThinkingConfigAdaptive(display=display), level, shown)
    budget = _budget(asked, effort, around, notes)
    if budget is None:
        return Reasoning(effort=level)
    return Reasoning(ThinkingConfigEnabled(budget_tokens=budget, display=display), level, shown)


def _asked_effort(effort: ReasoningEffort | None, asked: AskedThinking | None) -> ReasoningEffort | None:
    if effort is None and asked and asked.type == "enabled" and asked.budget_tokens:
        return _effort_for(asked.budget_tokens)
    return effort


def _effort_for(budget: int) -> Effort:
    return next((effort for effort, tokens in BUDGETS if budget <= tokens), "max")


def _keeps_budget(asked: AskedThinking | None, facts: ModelFacts) -> bool:
    return bool(asked and asked.type == "enabled" and asked.budget_tokens and "enabled" in facts.thinking)


def _by_default(request: ChatCompletionRequest, facts: ModelFacts, notes: Notes) -> Reasoning:
    limit = asked_limit(request)
    if limit is None or limit >= SMALL_LIMIT or not facts.thinking_by_default:
        return Reasoning()
    if "disabled" in facts.thinking:
        notes.repair("thinking_off_for_small_limit")
        return Reasoning(ThinkingConfigDisabled())
    notes.repair("effort_lowered_for_small_limit")
    return Reasoning(effort=facts.efforts[0] if facts.efforts else UNSET)


def _without_thinking(request: ChatCompletionRequest, notes: Notes) -> Reasoning:
    for name in ("reasoning_effort", "thinking"):
        if getattr(request, name) not in {None, "none"}:
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


def _level(effort: ReasoningEffort | None, facts: ModelFacts, notes: Notes) -> Effort | UnsetType:
    """The model's nearest effort that is not higher than the one asked for."""
    if effort is None or effort == "none" or not facts.efforts:
        return UNSET
    wanted = EFFORTS.index("low" if effort == "minimal" else effort)
    not_higher = [level for level in facts.efforts if EFFORTS.index(level) <= wanted]
    level = not_higher[-1] if not_higher else facts.efforts[0]
    if level != EFFORTS[wanted]:
        notes.repair("effort_lowered")
    return level


def _budget(
    asked: AskedThinking | None,
    effort: ReasoningEffort | None,
    around: Surroundings,
    notes: Notes,
) -> int | None:
    """Tokens to think with, by default at most half of the limit; None where it cannot be on now."""
    if around.forced_tool or around.bare_tool_loop:
        notes.repair("thinking_off_for_forced_tool" if around.forced_tool else "thinking_off_in_tool_loop")
        return None
    if around.max_tokens <= MIN_BUDGET:
        notes.repair("thinking_off_for_small_limit")
        return None
    if asked and asked.budget_tokens:
        budget = max(MIN_BUDGET, min(asked.budget_tokens, around.max_tokens - 1))
        if budget != asked.budget_tokens:
            notes.repair("thinking_budget_clamped")
        return budget
    return max(MIN_BUDGET, min(_budget_for(effort), around.max_tokens // 2))


def _budget_for(effort: ReasoningEffort | None) -> int:
    if effort == "minimal":
        return MIN_BUDGET
    return next((tokens for level, tokens in BUDGETS if level == effort), _USUAL_BUDGET)
