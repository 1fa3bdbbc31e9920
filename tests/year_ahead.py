"""A run of `.ci/year-ahead`: what tests start with an environment of its own keeps the clock, too."""

import os
import subprocess
from collections.abc import Mapping
from typing import Any


def keep_the_clock() -> None:
    """In every process that `subprocess` or plain asyncio starts. Nothing where the clock is today's."""
    library = os.environ.get("LD_PRELOAD", "")
    if "year_ahead" not in library:
        return
    start: Any = subprocess.Popen.__init__

    def keeping(self: subprocess.Popen[Any], *words: Any, env: Mapping[str, str] | None = None, **more: Any) -> None:
        start(self, *words, env=env if env is None else {**env, "LD_PRELOAD": library}, **more)

    subprocess.Popen.__init__ = keeping  # type: ignore[assignment, method-assign]
