"""A client program as this room sees it: where its file is, what goes into it, and how it proves that it works."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.target import Target
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Edit

PROMPT: Final = "Reply with the word ready"
"""What a client is given to ask."""


def ours_alone(text: str) -> str:
    """Takes our entry out of a file that has nothing else. Raises `EditError` where somebody has written since."""
    if not text.strip():
        return text
    raise EditError("The file was ours alone, and was changed since: delete it yourself if you do not want it.")


def _nothing(_: Target) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class WrittenClient:
    """One whose file a program may write."""

    name: str
    title: str
    installed: Callable[[Machine], bool]
    file: Callable[[Machine], Path]
    write: Callable[[Target], Edit]
    remove: Edit
    """Takes out our entry and nothing else."""
    give_back: Callable[[str], Edit] | None = None
    """The same, told what was in the file before us: for a client that notes by itself that it was used with us."""
    after: Callable[[Target], Sequence[str]] = _nothing
    """What is left for the user to do or to know, a line each."""
    command: Callable[[Target, Path], Sequence[str]] | None = None
    """The client's own question without a window, which approves of nothing by itself; None where it has none."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """With which it is asked, beside the user's own."""


@dataclass(frozen=True, slots=True)
class ShownClient:
    """One that only its user can set up, in a window or in code: the values are shown."""

    name: str
    title: str
    how: Callable[[Target], Sequence[str]]
    copied: Callable[[Target], str] = lambda target: target.base_url
    """What goes onto the clipboard: of several fields the one that is the longest to type."""
