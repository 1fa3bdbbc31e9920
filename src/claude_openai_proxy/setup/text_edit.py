"""What every edit of a user's text has in common."""

from collections.abc import Callable


class EditError(ValueError):
    """The text cannot be edited safely; the message says why, in words for the file's owner."""


def checked(text: str, load: Callable[[str], object], expected: object) -> str:
    """`text`, once it has been parsed and says exactly what was meant: an edit that would lose or move anything else of
    the user's is never handed out. Raises `EditError`.
    """
    if load(text) != expected:
        raise EditError("There is no place in the file where the entry can be put without changing anything else.")
    return text
