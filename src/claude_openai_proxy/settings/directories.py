"""Where the proxy keeps what outlives a process: the platform's usual place."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAME = "claude-openai-proxy"


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
