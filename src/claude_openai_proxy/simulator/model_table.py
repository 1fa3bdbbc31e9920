"""What each model takes, as the simulated API enforces it (model pages and migration guides, November 2026)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Lifecycle = Literal["active", "deprecated", "retired"]
ThinkingType = Literal["adaptive", "enabled", "disabled"]

OFF_OR_BUDGET: tuple[ThinkingType, ...] = ("disabled", "enabled")
ALL: tuple[ThinkingType, ...] = ("adaptive", "disabled", "enabled")
ADAPTIVE_OR_OFF: tuple[ThinkingType, ...] = ("adaptive", "disabled")
ALWAYS_ON: tuple[ThinkingType, ...] = ("adaptive",)
THREE = ("low", "medium", "high")
FOUR = (*THREE, "max")
FIVE = (*THREE, "xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row. Of the release dates after February 2026 only the order is meant."""

    id: str
    name: str
    line: str
    released: str
    thinking: tuple[ThinkingType, ...]
    efforts: tuple[str, ...] = FIVE
    alias: str | None = None
    lifecycle: Lifecycle = "active"
    retires: str | None = None
    context: int = 1_000_000
    max_output: int = 128_000
    sampling: bool = False
    """Takes temperature, top_p and top_k; the others refuse all but the defaults."""
    thinks_by_default: bool = True
    thinking_off_up_to: str = "max"
    """The highest effort at which thinking may be off."""
    forced_tool_choice: bool = True
    prefill: bool = False
    system_in_messages: bool = True
    binds_thinking: bool = False
    """Thinking blocks come back only to the same model and the same prefix."""
    keeps_thinking: bool = True
    """Reads its thinking of earlier turns; the others read that of the running tool loop alone."""

    @property
    def cache_minimum(self) -> int:
        """Tokens of the shortest prefix that is cached, by line (the prompt caching page)."""
        return 4_096 if self.line in {"opus", "haiku"} else 1_024


MODELS: tuple[Model, ...] = (
    Model(id="claude-fable-5-2", name="Claude Fable 5.2", line="fable", released="2026-11-10", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-mythos-5-2", name="Claude Mythos 5.2", line="mythos", released="2026-11-09", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-haiku-5-5", name="Claude Haiku 5.5", line="haiku", released="2026-10-15", thinking=ADAPTIVE_OR_OFF,
          binds_thinking=True),
    Model(id="claude-sonnet-5-5", name="Claude Sonnet 5.5", line="sonnet", released="2026-10-01", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-fable-5-1", name="Claude Fable 5.1", line="fable", released="2026-09-15", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-opus-5-5", name="Claude Opus 5.5", line="opus", released="2026-09-14", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-mythos-5-1", name="Claude Mythos 5.1", line="mythos", released="2026-09-13", thinking=ALWAYS_ON,
          forced_tool_choice=False, binds_thinking=True),
    Model(id="claude-sonnet-5", name="Claude Sonnet 5", line="sonnet", released="2026-07-20", thinking=ADAPTIVE_OR_OFF),
    Model(id="claude-fable-5", name="Claude Fable 5", line="fable", released="2026-07-10", thinking=ALWAYS_ON),
    Model(id="claude-mythos-5", name="Claude Mythos 5", line="mythos", released="2026-07-09", thinking=ALWAYS_ON),
    Model(id="claude-opus-5", name="Claude Opus 5", line="opus", released="2026-07-01", thinking=ADAPTIVE_OR_OFF,
          thinking_off_up_to="high"),
    Model(id="claude-opus-4-8", name="Claude Opus 4.8", line="opus", released="2026-05-20", thinking=ADAPTIVE_OR_OFF,
          thinks_by_default=False),
    Model(id="claude-opus-4-7", name="Claude Opus 4.7", line="opus", released="2026-04-10", thinking=ADAPTIVE_OR_OFF,
          system_in_messages=False, thinks_by_default=False),
    Model(id="claude-sonnet-4-6", name="Claude Sonnet 4.6", line="sonnet", released="2026-02-17", thinking=ALL,
          efforts=FOUR, sampling=True, system_in_messages=False, thinks_by_default=False),
    Model(id="claude-opus-4-6", name="Claude Opus 4.6", line="opus", released="2026-02-05", thinking=ALL,
          efforts=FOUR, sampling=True, system_in_messages=False, thinks_by_default=False),
    Model(id="claude-opus-4-5-20251101", alias="claude-opus-4-5", name="Claude Opus 4.5", line="opus",
          released="2025-11-24", thinking=OFF_OR_BUDGET, efforts=THREE, sampling=True, prefill=True, context=200_000,
          max_output=64_000, system_in_messages=False, thinks_by_default=False, lifecycle="deprecated",
          retires="2027-01-22"),
    Model(id="claude-haiku-4-5-20251001", alias="claude-haiku-4-5", name="Claude Haiku 4.5", line="haiku",
          released="2025-10-15", thinking=OFF_OR_BUDGET, efforts=(), sampling=True, prefill=True, context=200_000,
          max_output=64_000, system_in_messages=False, thinks_by_default=False, keeps_thinking=False),
    Model(id="claude-sonnet-4-5-20250929", alias="claude-sonnet-4-5", name="Claude Sonnet 4.5", line="sonnet",
          released="2025-09-29", thinking=OFF_OR_BUDGET, efforts=(), sampling=True, prefill=True, context=200_000,
          max_output=64_000, system_in_messages=False, thinks_by_default=False, lifecycle="deprecated",
          retires="2026-11-30", keeps_thinking=False),
    Model(id="claude-opus-4-20250514", alias="claude-opus-4-0", name="Claude Opus 4", line="opus",
          released="2025-05-22", thinking=OFF_OR_BUDGET, efforts=(), lifecycle="retired", retires="2026-06-15",
          keeps_thinking=False),
    Model(id="claude-sonnet-4-20250514", alias="claude-sonnet-4-0", name="Claude Sonnet 4", line="sonnet",
          released="2025-05-22", thinking=OFF_OR_BUDGET, efforts=(), lifecycle="retired", retires="2026-06-15",
          keeps_thinking=False),
)  # fmt: skip


def model_named(name: str, models: Iterable[Model]) -> Model | None:
    """The model of that id or alias, retired ones too."""
    return next((model for model in models if name in {model.id, model.alias}), None)
