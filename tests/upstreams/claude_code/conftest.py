"""The real CLI with made-up logins: its own home, the simulator as its API, everything else caught in a trap."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.process import Launch
from claude_openai_proxy.upstreams.claude_code.setup import Ready
from upstreams.claude_code.requests_of_the_tests import OAUTH

MakeUpstream = Callable[..., ClaudeCode]


@dataclass
class Trap:
    """A proxy on loopback that refuses everything and remembers which hosts were asked for."""

    url: str = ""
    hosts: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hosts.append((await reader.readline()).decode().split(" ")[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    trap = Trap()
    server = await asyncio.start_server(trap.serve, "127.0.0.1", 0)
    trap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield trap


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that the contract is checked once in a run."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The made-up user's home, where nobody is logged in yet."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    return home


@pytest.fixture
def environment(home: Path, trap: Trap, simulator_url: str) -> dict[str, str]:
    """Everything that the CLI is told; nothing of this machine."""
    return {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "ANTHROPIC_BASE_URL": simulator_url,
        "HTTPS_PROXY": trap.url,
        "HTTP_PROXY": trap.url,
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture
def private_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the processes' own directories are made, so that a test can see what is left of them."""
    directory = tmp_path / "private"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory


@pytest.fixture
def launch(tmp_path: Path, private_directories: Path) -> Launch:  # noqa: ARG001  # where its processes live
    """Starts the stand-in that `install_fake_cli` puts into `tmp_path`."""
    (tmp_path / "home").mkdir(exist_ok=True)
    return Launch(tmp_path / "claude", {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}, 10.0)


@pytest.fixture(scope="session")
def looked_at() -> dict[str, Ready]:
    """What an earlier test's upstream found out about the CLI and each made-up login: half a second each time."""
    return {}


@pytest.fixture
async def make_upstream(
    cli: str, environment: dict[str, str], state_dir: Path, looked_at: dict[str, Ready]
) -> AsyncIterator[MakeUpstream]:
    """Upstreams with an OAuth token as login, unless told otherwise; all are closed at the end."""
    made: list[ClaudeCode] = []

    def make(*, login: dict[str, str] = OAUTH, look_again: bool = False, **options: object) -> ClaudeCode:
        mine = environment | login
        given = {"cli": cli, "state_dir": state_dir, "pool_size": 0, "retries": 0, "environment": mine} | options
        upstream = ClaudeCode(**given)  # type: ignore[arg-type]  # tests name what they change
        made.append(upstream)
        if (ready := looked_at.get(repr(login))) and not look_again:
            upstream._use(replace(ready, environment=mine))
        return upstream

    yield make
    for upstream in made:
        await upstream.aclose()
        if (ready := upstream._setup.known) is not None:
            logins = {name: value for name, value in ready.environment.items() if name not in environment}
            looked_at[repr(logins)] = ready


@pytest.fixture
def login_file(home: Path) -> dict[str, str]:
    """A subscription login as Claude Code keeps it on Linux: not expired, without the scope for the profile."""
    write_login(home, expires=datetime(2100, 1, 1, tzinfo=UTC), scopes=["user:inference"])
    return {}


def write_login(home: Path, *, expires: datetime, scopes: list[str]) -> None:
    login = {
        "accessToken": "sk-ant-oat01-made-up",
        "refreshToken": "sk-ant-ort01-made-up",
        "expiresAt": int(expires.timestamp() * 1000),
        "scopes": scopes,
        "subscriptionType": "max",
    }
    (home / ".claude" / ".credentials.json").write_text(json.dumps({"claudeAiOauth": login}))
