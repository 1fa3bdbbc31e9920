"""What an upstream can do, as data: asked while translating, before anything is sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Differences between the ways to Claude that a translated request must respect."""

    metadata: bool = True
    """`metadata.user_id` may be set; the Claude Code process keeps its own."""
    complete_model_list: bool = True
    """What `models()` does not name does not exist; false where it is only a beginning."""
    simultaneous: int | None = None
    """It works on so many requests at the same time; None: on any number."""
