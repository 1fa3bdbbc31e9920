"""Claude Code's own settings files: the user's and the administrator's, never a project's.

Paths and keys: https://code.claude.com/docs/en/settings. What an administrator hands out in other ways (registry,
configuration profiles, the claude.ai console) reaches only the CLI itself.
"""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

import msgspec

from claude_openai_proxy.logins.layers import Layer
from claude_openai_proxy.trust import Trust

_LOOK_AGAIN_SECONDS = 1.0
_MANAGED = {"darwin": "/Library/Application Support/ClaudeCode", "win32": r"C:\Program Files\ClaudeCode"}

_Signature = tuple[int, int, int] | None
"""Modification time in ns, size and inode; None where there is no file."""


class _SettingsFile(msgspec.Struct, rename="camel"):
    """The two keys that concern a login."""

    env: dict[str, str | int | float | bool | None] = {}
    api_key_helper: str | None = None


def managed_directory(platform: str) -> PurePath:
    """Where an administrator's settings stand on `platform` (as in `sys.platform`)."""
    return PurePath(_MANAGED.get(platform, "/etc/claude-code"))


def user_directory(environment: Mapping[str, str]) -> Path | None:
    """CLAUDE_CONFIG_DIR, or `.claude` in the home directory; None without either."""
    if configured := environment.get("CLAUDE_CONFIG_DIR", "").strip():
        return Path(configured)
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) / ".claude" if home else None


class ClaudeSettingsFiles:
    """The files as layers, managed before user. A changed file is read again, so that no restart is needed."""

    def __init__(self, *, user: Path | None, managed: Path, clock: Callable[[], float]) -> None:
        self._user = user
        self._managed = managed
        self._clock = clock
        self._look_again = float("-inf")
        self._seen: tuple[tuple[Path, _Signature], ...] = ()
        self._layers: tuple[Layer, ...] = ()

    def layers(self, *, now: bool = False) -> tuple[Layer, ...]:
        """The same tuple as long as nothing changed; the disk is asked at most once a second, or `now`."""
        if now or self._clock() >= self._look_again:
            self._look_again = self._clock() + _LOOK_AGAIN_SECONDS
            self._look()
        return self._layers

    def _look(self) -> None:
        seen = tuple((path, _signature(path)) for path in self._paths())
        if seen != self._seen:
            self._seen = seen
            self._layers = tuple(read_layer(path) for path, signature in seen if signature)

    def _paths(self) -> list[Path]:
        """Most important first: among the drop-in files the last one by name wins, and each wins over the main file."""
        drop_ins = sorted(self._managed.glob("managed-settings.d/[!.]*.json"), reverse=True)
        user = [] if self._user is None else [self._user / "settings.json"]
        return [*drop_ins, self._managed / "managed-settings.json", *user]


def _signature(path: Path) -> _Signature:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def read_layer(path: Path) -> Layer:
    """One file. A file that cannot be used is a layer without variables and with a `problem`."""
    try:
        settings = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=_SettingsFile)
    except OSError as error:
        return _unusable(path, error.strerror or "it cannot be read")
    except (msgspec.DecodeError, RecursionError):
        return _unusable(path, "it is not the JSON that Claude Code writes")
    return Layer(str(path), Trust.CLAUDE_SETTINGS, _texts(settings.env), settings.api_key_helper or "")


def _unusable(path: Path, reason: str) -> Layer:
    return Layer(str(path), Trust.CLAUDE_SETTINGS, {}, problem=f"{path} is not used: {reason}.")


def _texts(env: Mapping[str, str | int | float | bool | None]) -> dict[str, str]:
    """Claude Code takes numbers and booleans too, as JavaScript prints them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in env.items()
        if value is not None
    }
