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

from claude_openai_proxy.setup.text_edit import EditError

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
        """Write the change, having kept what is needed to take it back. Raises OSError as the system does."""
        note = self._note(client, change.path)
        kept = note.with_suffix(".before")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not note.exists():  # the first time only: what was there before us, not before our last version
            if change.before is not None:
                _write_whole(kept, change.before, mode=0o600)
            elif kept.exists():
                kept.unlink()
        written = {"path": str(change.path), "sha256": hashlib.sha256(change.after).hexdigest()}
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
        elif note.exists() and _digest_of(path) == json.loads(note.read_bytes())["sha256"]:
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
    new = _write_whole(target, content, mode=status.st_mode & 0o7777 if status else 0o600, move=False)
    if status is not None and os.name == "posix" and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(new, status.st_uid, status.st_gid)
    new.replace(target)


def _write_whole(path: Path, content: bytes, *, mode: int, move: bool = True) -> Path:
    """`content` in a new file beside `path`, moved over it unless told not to; the file that was written."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    if move:
        new.replace(path)
        return path
    return new


def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
