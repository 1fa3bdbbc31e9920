"""The development start: a change starts the server anew."""

import signal
import socket
from pathlib import Path

import pytest

from cli.running import running

DEMO = ("--demo", "--reload")


def test_a_changed_dotenv_starts_the_server_anew(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=0\nMODEL_ALIASES=before=opus\n", encoding="utf-8")
    with running(*DEMO, home=tmp_path) as command:
        command.line(r"^Model before -> ")

        (tmp_path / ".env").write_text("PORT=0\nMODEL_ALIASES=afterwards=opus\n", encoding="utf-8")

        command.line(r"^\.env changed: starting again\.$")
        command.line(r"^Model afterwards -> ")
        command.signal(signal.SIGTERM)
        assert command.end() == 0


def test_a_mistake_made_meanwhile_can_be_mended(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=0\n", encoding="utf-8")
    with running(*DEMO, home=tmp_path) as command:
        command.port()
        (tmp_path / ".env").write_text("PORT=many\n", encoding="utf-8")
        command.line(r"^\.env changed")
        (tmp_path / ".env").write_text("PORT=0\nDRAIN_SECONDS=1\n", encoding="utf-8")

        command.port()
        command.signal(signal.SIGINT)
        assert command.end() == 0


def test_the_server_ends_with_who_started_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=0\n", encoding="utf-8")
    with running(*DEMO, home=tmp_path) as command:
        port = command.port()
        command.signal(signal.SIGKILL)
        command.line(r"^Stopped\.$")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)


def test_a_first_start_that_cannot_be_is_told_and_ends(tmp_path: Path) -> None:
    with running(*DEMO, "--port", "many", home=tmp_path) as command:
        assert command.end() == 2
        assert command.errors().startswith("claude-openai-proxy: PORT from --port is 'many'")
