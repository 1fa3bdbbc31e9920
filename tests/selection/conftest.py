"""One made-up person's machine: a home, a fake `claude`, a clock that moves by hand."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from claude_openai_proxy.app.upstreams import selected_upstream
from claude_openai_proxy.settings import Flags, Settings, load_settings
from claude_openai_proxy.upstreams.selection import SelectedUpstream
from selection.fake_claude import FakeClaude, install_fake_claude


@dataclass
class Machine:
    home: Path
    claude: FakeClaude
    now: float = 1000.0
    made: list[SelectedUpstream] = field(default_factory=list)

    def settings(self, *, upstream: str = "auto", **variables: str) -> Settings:
        given = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "CLAUDE_CLI_PATH": str(self.claude.program)}
        return load_settings(Flags({"CLAUDE_UPSTREAM": upstream}), given | variables, self.home)

    def upstreams(self, *, upstream: str = "auto", **variables: str) -> SelectedUpstream:
        """What a server with these settings chooses with; closed at the end of the test."""
        self.made.append(selected_upstream(self.settings(upstream=upstream, **variables), clock=lambda: self.now))
        return self.made[-1]

    def write_settings(self, **settings: object) -> None:
        """The user's own settings.json of Claude Code."""
        (self.home / ".claude").mkdir(exist_ok=True)
        (self.home / ".claude" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")


@pytest.fixture
def computer(tmp_path: Path) -> Machine:
    """For the command, which runs in a process of its own."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    programs.mkdir()
    return Machine(home, install_fake_claude(programs, home))


@pytest.fixture
async def machine(computer: Machine) -> AsyncIterator[Machine]:
    yield computer
    for upstreams in computer.made:
        await upstreams.aclose()
