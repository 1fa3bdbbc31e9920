"""Files of `NAME=value` lines: `.env` of the working directory or what `--env-file` names, and the user's own."""

import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from claude_openai_proxy.settings.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DotenvFile:
    """The variables of one file; nothing is expanded and nothing exported. `name` is what a person calls it.

    `lines` has the line of each variable. `open_to_all`: every user of this machine can read it.
    """

    name: str
    path: Path
    exists: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    open_to_all: bool = False


def read_dotenv(name: str, path: Path, *, must_exist: bool = False) -> DotenvFile:
    """One file. Raises `SettingsError`, which names each line that cannot be read."""
    try:
        with path.open("rb") as stream:
            content, mode = stream.read(), os.fstat(stream.fileno()).st_mode
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"{name} (from --env-file) does not exist.") from None
        return DotenvFile(name, path)
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error.strerror}.") from None
    bindings = list(parse_stream(io.StringIO(_text(name, content), newline=None)))
    if wrong := [binding.original.line for binding in bindings if binding.error]:
        raise SettingsError(*(f"{name} cannot be read: line {line} is not NAME=value." for line in wrong))
    return DotenvFile(
        name,
        path,
        exists=True,
        variables={binding.key: binding.value for binding in bindings if binding.key and binding.value},
        lines={
            binding.key: _line(binding.original.string, binding.original.line) for binding in bindings if binding.key
        },
        open_to_all=os.name == "posix" and bool(mode & stat.S_IROTH),
    )


def _line(original: str, first: int) -> int:
    """What was read for a variable begins with the empty lines before it."""
    return first + original[: len(original) - len(original.lstrip())].count("\n")


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{name} cannot be read: line {line} is not UTF-8 text. Save the file in the encoding UTF-8."
        ) from None
