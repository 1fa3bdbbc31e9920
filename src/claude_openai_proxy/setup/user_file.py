"""A user's file: read, changed in one step with its mode and owner kept, and given back as it was.

What is needed to give it back is kept in `STATE_DIR/setup`, never beside the file: the bytes before, the digest of what
was written, and which entry it was.
"""

import difflib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from claude_openai_proxy.setup.text_edit import EditError

_OF_NOTHING: Final = ""
"""The digest that no file has."""

Edit = Callable[[str], str]
"""Text before -> text after; raises `EditError`."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would be written. `before` is None where there is no file yet."""

    path: Path
    before: bytes | None
    after: bytes

    @property
    def changes_anything(self) -> bool:
        """Whether there is something to write."""
        return self.before != self.after

    def diff(self) -> Iterator[str]:
        """The change as lines to be shown."""
        before = (self.before or b"").decode("utf-8").splitlines(keepends=True)
        after = self.after.decode("utf-8").splitlines(keepends=True)
        for line in difflib.unified_diff(before, after, str(self.path), str(self.path), n=2):
            yield line.rstrip("\r\n")


def planned(path: Path, edit: Edit) -> Change:
    """The change that `edit` makes to the file, nothing written yet. Raises `EditError`, OSError as the system does."""
    before = path.read_bytes() if path.exists() else None
    try:
        text = (before or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise EditError(f"{path} is not UTF-8 text.") from error
    return Change(path, before, edit(text).encode("utf-8"))


class Undo:
    """What was written into which file, in `directory`, which is private."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, client: str, change: Change) -> None:
        """Write the change, having kept what is needed to take it back. Raises `EditError`, OSError as the system does.

        What is kept is from before us, not from before our last version; where somebody else has written between two of
        ours it is not what they would want back, and only our entry can be taken out.
        """
        if (change.path.read_bytes() if change.path.exists() else None) != change.before:
            raise EditError(f"{change.path} has been changed meanwhile: nothing was written. Try again.")
        note = self._note(client, change.path)
        kept = note.with_suffix(".before")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256(change.after).hexdigest()
        if not note.exists():
            if change.before is not None:
                _write_whole(kept, change.before, mode=0o600)
            elif kept.exists():
                kept.unlink()
        elif change.before is None or hashlib.sha256(change.before).hexdigest() != _noted(note):
            digest = _OF_NOTHING
        written = {"path": str(change.path), "sha256": digest}
        _write_whole(note, json.dumps(written).encode(), mode=0o600)
        write_in_place(change.path, change.after)

    def take_back(self, client: str, path: Path, remove: Edit) -> str:
        """Give the file back; what was done, in words. Raises `EditError` and OSError.

        The bytes before come back where nobody else has written since; otherwise `remove` takes our entry out alone.
        """
        note = self._note(client, path)
        kept = note.with_suffix(".before")
        if not path.exists():
            done = f"{path} is gone already."
        elif note.exists() and _digest_of(path) == _noted(note):
            if kept.exists():
                write_in_place(path, kept.read_bytes())
                done = f"{path} is as it was before."
            else:
                path.resolve().unlink()
                done = f"{path} is removed: it was ours alone."
        else:
            change = planned(path, remove)
            if change.changes_anything:
                write_in_place(path, change.after)
                done = f"{path} has been changed since: only our entry was taken out."
            else:
                done = f"{path} has no entry of ours."
        for ours in (note, kept):
            ours.unlink(missing_ok=True)
        return done

    def text_before(self, client: str, path: Path) -> str:
        """What was in the file before us; "" where there was none, or nothing is known."""
        kept = self._note(client, path).with_suffix(".before")
        return kept.read_text(encoding="utf-8") if kept.exists() else ""

    def knows(self, client: str, path: Path) -> bool:
        """Whether something was written there."""
        return self._note(client, path).exists()

    def _note(self, client: str, path: Path) -> Path:
        return self._directory / f"{client}-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"


def write_in_place(path: Path, content: bytes) -> None:
    """Replace the file in one step. A link is followed, mode and owner stay. Raises OSError as the system does."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    status = target.stat() if target.exists() else None
    _write_whole(target, content, mode=status.st_mode & 0o7777 if status else 0o600, owned_as=status)


def _write_whole(path: Path, content: bytes, *, mode: int, owned_as: os.stat_result | None = None) -> None:
    """`content` in a new file, moved over `path`; where that fails nothing is left beside it."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        if owned_as is not None and os.name == "posix":
            _give_to(new, owned_as)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _give_to(new: Path, owned_as: os.stat_result) -> None:
    if (owned_as.st_uid, owned_as.st_gid) != (new.stat().st_uid, new.stat().st_gid):
        os.chown(new, owned_as.st_uid, owned_as.st_gid)


def _noted(note: Path) -> str:
    """The digest of what was written last."""
    return str(json.loads(note.read_bytes())["sha256"])


def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
