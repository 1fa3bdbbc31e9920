"""A made-up machine to examine: a home, a fake `claude`, a port that is free."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from claude_openai_proxy.doctor.examination import examine
from claude_openai_proxy.doctor.report import Report, Row
from claude_openai_proxy.settings import Flags, load_settings
from selection.fake_claude import FakeClaude, install_fake_claude

TODAY = date(2026, 9, 1)
"""No model goes within a month."""

Examine = Callable[..., Awaitable["Findings"]]


@dataclass(frozen=True)
class Findings:
    report: Report

    def __getitem__(self, check: str) -> Row:
        (row,) = [row for row in self.report.rows if row.check == check]
        return row

    def status(self, check: str) -> str:
        return self[check].status

    @property
    def problems(self) -> list[str]:
        return [row.check for row in self.report.rows if row.status == "problem"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def claude(tmp_path: Path, home: Path) -> FakeClaude:
    (tmp_path / "programs").mkdir()
    return install_fake_claude(tmp_path / "programs", home)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def person(home: Path, claude: FakeClaude, free_port: int) -> dict[str, str]:
    """The environment of somebody without any login."""
    return {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "PORT": str(free_port),
        "CLAUDE_CLI_PATH": str(claude.program),
        "UPSTREAM_RETRIES": "0",
    }


@pytest.fixture
def examined(person: dict[str, str], home: Path) -> Examine:
    """The doctor's findings for `person` with more variables; without requests unless they are wanted."""

    async def run(*, with_request: bool = False, demo: bool = False, today: date = TODAY, **variables: str) -> Findings:
        report = await examine(
            lambda: load_settings(Flags(demo=demo), person | variables, home),
            with_request=with_request,
            today=today,
        )
        assert all(row.fix for row in report.rows if row.status in {"warning", "problem"})
        return Findings(report)

    return run
