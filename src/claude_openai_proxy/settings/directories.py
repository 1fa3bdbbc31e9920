"""Where the proxy keeps what outlives a process, and where the user's own configuration is: the platform's places."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAME = "claude-openai-proxy"


def config_directory(environment: Mapping[str, str], platform: str) -> Path | None:
    """The directory of the user's own configuration on `platform`; None where the environment names no home."""
    if platform == "win32" and (roaming := environment.get("APPDATA")):
        return Path(roaming) / _NAME
    if configured := environment.get("XDG_CONFIG_HOME"):
        return Path(configured) / _NAME
    home = environment.get("HOME") or environment.get("USERPROFILE")
    below = "Library/Application Support" if platform == "darwin" else ".config"
    return Path(home) / below / _NAME if home else None


def state_directory(environment: Mapping[str, str], platform: str) -> Path:
    """The directory for state on `platform` (as in `sys.platform`); it need not exist yet.

    https://specifications.freedesktop.org/basedir-spec/latest, and what macOS and Windows have in its place.
    """
    if platform == "win32" and (local := environment.get("LOCALAPPDATA")):
        return Path(local) / _NAME
    if configured := environment.get("XDG_STATE_HOME"):
        return Path(configured) / _NAME
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if not home:
        return Path(tempfile.gettempdir()) / _NAME
    below = "Library/Application Support" if platform == "darwin" else ".local/state"
    return Path(home) / below / _NAME
