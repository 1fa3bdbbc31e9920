"""Where the text of a setting comes from: flag, environment, `.env`, the user's own file; how far each is trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from claude_openai_proxy.settings.dotenv import DotenvFile
from claude_openai_proxy.settings.table import SETTINGS, Setting
from claude_openai_proxy.trust import Trust

_Value = TypeVar("_Value")

DEFAULT = "default"
ENVIRONMENT = "the environment"
LARGEST_SECRET = 65_536
"""Bytes of a file that a `*_FILE` variable names."""


@dataclass(frozen=True, slots=True)
class Source:
    """The variables of one source. `lines` has the line of each that stands in a file."""

    name: str
    trust: Trust
    variables: Mapping[str, str] = field(repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A setting of a `.env` of the working directory that counts only when the user confirmed the file."""

    name: str
    line: int


def source_of(file: DotenvFile, trust: Trust) -> Source:
    """A file as a source."""
    return Source(file.name, trust, file.variables, file.lines)


@dataclass(slots=True)
class Sources:
    """All texts, most important source first. What was asked for fills the rest.

    `used` says for each setting where its value came from, `shown` the value as it was written, `***` for a secret;
    `problems` has a line for each that is not allowed.
    """

    flags: Mapping[str, str] = field(repr=False)
    files: Sequence[Source]
    used: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unconfirmed: list[Unconfirmed] = field(default_factory=list)

    def value(self, setting: Setting[_Value]) -> _Value:
        """The value of the first source that has one; empty counts as absent. A bad one is a problem."""
        self._refuse_others(setting)
        if text := self.flags.get(setting.name, "").strip():
            return self._read(setting, text, setting.flag)
        for source in self.files:
            if source.trust is Trust.DOTENV and not source.variables.get(setting.only_beside or setting.name):
                continue
            if text := source.variables.get(setting.name, "").strip():
                value = self._read(setting, text, source.name)
                if source.trust < setting.least_trusted and not setting.harmless(value):
                    self.unconfirmed.append(Unconfirmed(setting.name, source.lines.get(setting.name, 0)))
                return value
        self.used[setting.name], self.shown[setting.name] = DEFAULT, setting.shown_default
        return setting.default

    def _read(self, setting: Setting[_Value], text: str, source: str) -> _Value:
        self.used[setting.name], self.shown[setting.name] = source, "***" if setting.secret else text
        try:
            return setting.read(text)
        except ValueError:
            shown = "a value that is not shown" if setting.secret else repr(text)
            self.problems.append(
                f"{setting.name} from {source} is {shown}, which is not allowed. Allowed: {setting.allowed}."
            )
            return setting.default

    def _refuse_others(self, setting: Setting[object]) -> None:
        """What no credential in a `.env` of the working directory makes its business."""
        if not setting.in_dotenv:
            standing = (source for source in self.files if source.variables.get(setting.name))
            self.problems.extend(filter(None, (refusal(setting.name, source) for source in standing)))


def refusal(name: str, source: Source) -> str:
    """Why `name` does not count where it stands, and what to do; "" where it counts."""
    if source.trust >= Trust.ENVIRONMENT:
        return ""
    return (
        f"{name} stands in {source.name}, where it is not allowed (line {source.lines.get(name, 0)}): "
        f"set it in the environment, or if the file is yours, start with --env-file {source.name}"
    )


# ---- secrets in files of their own ----------------------------------------------------------------------------------


def with_secrets_of_files(source: Source, cwd: Path, problems: list[str]) -> Source:
    """`source` with the secrets whose `*_FILE` variable names a file; a line in `problems` for each that fails."""
    secrets: dict[str, str] = {}
    for setting in SETTINGS:
        named = source.variables.get(setting.file_variable, "").strip() if setting.secret else ""
        if not named:
            continue
        if problem := refusal(setting.file_variable, source):
            problems.append(problem)
        elif source.variables.get(setting.name):
            problems.append(
                f"{setting.name} and {setting.file_variable} are both set ({source.name}): keep one of them."
            )
        else:
            secrets[setting.name] = _content(setting.file_variable, cwd / named, source, problems)
    return Source(source.name, source.trust, {**source.variables, **secrets}, source.lines) if secrets else source


def _content(variable: str, path: Path, source: Source, problems: list[str]) -> str:
    told = f"{variable} from {source.name} names {str(path)!r}, which"
    if not path.is_file():
        problems.append(f"{told} is not a file.")
        return ""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        problems.append(f"{told} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        problems.append(f"{told} is not UTF-8 text.")
    else:
        if text and len(content) <= LARGEST_SECRET:
            return text
        problems.append(f"{told} is {'too large for a secret' if text else 'empty'}.")
    return ""
