"""What every admission needs of the server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from claude_openai_proxy.service.allowances import Allowances
from claude_openai_proxy.service.reasoning import ReasoningVault
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.service.ways import Ways
from claude_openai_proxy.storage.reasoning import NoReasoning

NoteLimits = Callable[[str, str, Sequence[tuple[str, str]]], None]
"""Is told what an upstream's kind and account told of its limits, as `PlanMeter.note`."""


def no_notes(*_: object) -> None:
    """Nobody keeps them."""


@dataclass(frozen=True, slots=True)
class Means:
    """One of each, for all of them."""

    places: Places
    clock: Callable[[], float]
    """Counts seconds as the records do."""
    ways: Ways
    note_limits: NoteLimits = no_notes
    guard: SpendGuard | None = None
    """None: anything may pay."""
    allowances: Allowances | None = None
    """None: no client key has limits."""
    vault: ReasoningVault = field(default_factory=lambda: ReasoningVault(NoReasoning()))
    """Of turns whose thinking clients do not hand back."""
