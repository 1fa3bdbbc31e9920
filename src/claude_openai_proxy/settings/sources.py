"""Where the text of a setting comes from: flag, then environment, then `.env`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dotenv.parser import parse_stream

from claude_openai_proxy.settings.errors import SettingsError
from claude_openai_proxy.settings.table import Setting

_Value = TypeVar("_Value")

DEFAULT = "default"
ENVIRONMENT = "the environment"


@dataclass(frozen=True, slots=True)
class DotenvFile:
    """The variables of one `.env`; nothing is expanded and nothing exported. `name` is what a person calls it."""

    name: str = ".env"
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Sources:
    """All texts. `used` remembers for each setting that was asked for where its value came from."""

    flags: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    dotenv: DotenvFile
    used: dict[str, str] = field(default_factory=dict)

    def value(self, setting: Setting[_Value]) -> _Value:
        """The value of the most trusted source that has one; empty counts as absent. Raises `SettingsError`."""
        for source, variables in self._of(setting):
            text = variables.get(setting.name, "").strip()
            if text:
                self.used[setting.name] = source
                return _read(setting, text, source)
        self.used[setting.name] = DEFAULT
        return setting.default

    def _of(self, setting: Setting[object]) -> tuple[tuple[str, Mapping[str, str]], ...]:
        from_dotenv = self.dotenv.variables
        if not setting.in_dotenv and from_dotenv.get(setting.name):
            raise SettingsError(
                f"{setting.name} stands in {self.dotenv.name}, where it is not allowed: set it in the environment."
            )
        return (setting.flag, self.flags), (ENVIRONMENT, self.environment), (self.dotenv.name, from_dotenv)


def _read(setting: Setting[_Value], text: str, source: str) -> _Value:
    try:
        return setting.read(text)
    except ValueError:
        shown = "a value that is not shown" if setting.secret else repr(text)
        raise SettingsError(
            f"{setting.name} from {source} is {shown}, which is not allowed. Allowed: {setting.allowed}."
        ) from None


def read_dotenv(cwd: Path, env_file: str | None) -> DotenvFile:
    """`.env` of the working directory if there is one, or the file that `--env-file` names. Raises `SettingsError`."""
    name = env_file or ".env"
    try:
        with (cwd / name).open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except FileNotFoundError:
        if env_file is None:
            return DotenvFile()
        raise SettingsError(f"{name} (from --env-file) does not exist.") from None
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name} cannot be read: it is not UTF-8 text.") from None
    for binding in bindings:
        if binding.error:
            raise SettingsError(f"{name} cannot be read: line {binding.original.line} is not NAME=value.")
    return DotenvFile(name, {binding.key: binding.value for binding in bindings if binding.key and binding.value})
