"""The clipboard, by the program that the platform has for it."""

import subprocess
from collections.abc import Iterator
from typing import Final

from claude_openai_proxy.setup.machine import Machine

COPY_SECONDS: Final = 5.0


def copied(text: str, machine: Machine) -> bool:
    """Whether `text` is there now. Nothing is said where no program for it is found, or it fails."""
    for program, *words in _programs(machine):
        found = machine.program(program)
        if found is None:
            continue
        try:
            done = subprocess.run(  # noqa: S603 - a program of our table, found in the user's PATH
                [found, *words], input=text.encode(), env=dict(machine.environment), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=COPY_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _programs(machine: Machine) -> Iterator[tuple[str, ...]]:
    if machine.platform == "darwin":
        yield ("pbcopy",)
    elif machine.platform == "win32":
        yield ("clip",)
    else:
        if machine.environment.get("WAYLAND_DISPLAY"):
            yield ("wl-copy",)
        if machine.environment.get("DISPLAY"):
            yield ("xclip", "-selection", "clipboard")
            yield ("xsel", "--clipboard", "--input")
