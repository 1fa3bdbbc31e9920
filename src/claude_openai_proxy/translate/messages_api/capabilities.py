"""What an upstream can do, as data: asked while translating, before anything is sent."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


def plain_digest(user: str) -> str:
    """Where there is no secret to key it with: an address can be guessed back from it."""
    return hashlib.sha256(user.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Differences between the ways to Claude that a translated request must respect."""

    metadata: bool = True
    """`metadata.user_id` may be set; the Claude Code process keeps its own."""
    pseudonym: Callable[[str], str] = plain_digest
    """What stands for an end user's id there: always the same for one id, and nothing that it can be read from."""
    verbatim: bool = False
    """A request goes out byte for byte as its client sent it, and so does a count of tokens."""
    complete_model_list: bool = True
    """What `models()` does not name does not exist; false where it is only a beginning."""
    system_is_marked: bool = False
    """Two cache marks, in and before the system prompt, are the upstream's own: two are left."""
    waited_for: bool = True
    """False of Message Batches: no tier is chosen, and nobody comes back while a cache lives, so no mark is ours."""
    simultaneous: int | None = None
    """It works on so many requests at the same time; None: on any number."""
