"""The clipboard's program of each platform; where there is none nothing is copied."""

from pathlib import Path

import pytest

from claude_openai_proxy.setup.clipboard import copied
from claude_openai_proxy.setup.machine import Machine


@pytest.mark.parametrize(
    ("platform", "variables", "program"),
    [
        ("darwin", {}, "pbcopy"),
        ("win32", {}, "clip"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "wl-copy"),
        ("linux", {"DISPLAY": ":0"}, "xclip -selection clipboard"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "xsel --clipboard --input"),
    ],
)
def test_the_platforms_program_gets_the_text(
    platform: str, variables: dict[str, str], program: str, tmp_path: Path
) -> None:
    name = program.split(maxsplit=1)[0]
    file = tmp_path / name
    file.write_text(f'#!/bin/sh\necho "{name} $*" > "$HOME/words"\ncat > "$HOME/text"\n')
    file.chmod(0o755)
    machine = Machine({"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin", **variables}, platform)
    assert copied("http://localhost:3000/v1", machine)
    assert (tmp_path / "text").read_text() == "http://localhost:3000/v1"
    assert (tmp_path / "words").read_text().strip() == program


@pytest.mark.parametrize("variables", [{}, {"DISPLAY": ":0"}])
def test_without_one_nothing_is_copied(variables: dict[str, str], tmp_path: Path) -> None:
    assert not copied("text", Machine({"PATH": str(tmp_path), **variables}, "linux"))
