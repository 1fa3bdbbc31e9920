"""Starting: what is told, and that every mistake is one line and exit code 2."""

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from claude_openai_proxy import __version__
from claude_openai_proxy.app.start import model_line, printable
from claude_openai_proxy.protocols.openai_chat_response import Model
from cli.running import finished, running

NO_LOGIN = "No Claude login found. Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"
API = ("--upstream", "api", "--port", "0")


def health(port: int) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


def refused_line(*words: str, home: Path, extra: dict[str, str] | None = None) -> str:
    """The one line on standard error of a start that exits with 2 and says nothing else."""
    run = finished(*words, home=home, extra=extra)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith("claude-openai-proxy: ")
    return line.removeprefix("claude-openai-proxy: ")


def test_the_demo_serves_and_says_where(tmp_path: Path) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command:
        port = command.port()

        assert command.line(r"^Base URL for clients: (.*)")[1] == f"http://localhost:{port}/v1"
        command.line(r"^Demo: ")
        command.line(r"^Model custom-claude-4-opus -> claude-opus-")
        command.line(r"^Model custom-claude-4-sonnet -> claude-sonnet-")
        assert (health(port)["status"], health(port)["upstream"]) == ("ok", "demo")


def test_both_loopback_addresses_are_listened_on(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with running("serve", "--demo", "--port", "0", home=tmp_path) as command:
        found = command.line(r"^Listening on http://127\.0\.0\.1:(\d+) and http://\[::1\]:(\d+)$")

        assert found[1] == found[2]
        socket.create_connection(("::1", int(found[1])), timeout=60).close()


def test_a_key_is_told_by_its_source_and_never_shown(tmp_path: Path) -> None:
    with running(*API, home=tmp_path, extra={"ANTHROPIC_API_KEY": "sk-ant-secret", **nowhere()}) as command:
        port = command.port()
        command.line(r"^Upstream: api, login: ANTHROPIC_API_KEY from the environment$")
        command.line(r"^Billed: ")
        command.line(r"^Requests go to http://127\.0\.0\.1:9 .*, which is not Anthropic's\.$")
        command.line(r"^Model custom-claude-4-sonnet -> ")

        assert "secret" not in json.dumps([command.seen, health(port)])


def nowhere() -> dict[str, str]:
    """A base URL at which nobody listens, so that no test asks Anthropic."""
    return {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}


def test_without_a_login_it_starts_and_says_what_to_do(tmp_path: Path) -> None:
    with running(*API, home=tmp_path) as command:
        port = command.port()
        assert command.line("No Claude login").string == NO_LOGIN
        assert (health(port)["status"], health(port)["detail"]) == ("no_login", NO_LOGIN)


def test_a_login_made_meanwhile_is_picked_up(tmp_path: Path) -> None:
    with running(*API, home=tmp_path) as command:
        port = command.port()
        command.line("No Claude login")
        (tmp_path / ".claude").mkdir()
        (tmp_path / ".claude" / "settings.json").write_text(
            json.dumps({"env": {"ANTHROPIC_AUTH_TOKEN": "t", **nowhere()}}), encoding="utf-8"
        )

        while health(port)["status"] == "no_login":
            pass
        assert str(health(port)["login"]).startswith("ANTHROPIC_AUTH_TOKEN from ")


def test_dotenv_of_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=0\nMODEL_ALIASES=fast=claude-haiku-4-5-20251001\n", encoding="utf-8")
    with running("--demo", home=tmp_path) as command:
        command.line("^Model fast -> claude-haiku-4-5-20251001$")


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused_line("--demo", "--port", str(port), home=tmp_path)

    assert line.startswith(f"Port {port} on localhost is taken by another program.")
    assert "--port" in line


def test_a_port_that_is_taken_on_the_other_loopback_address_is_taken(tmp_path: Path) -> None:
    try:
        taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with taken:
        assert "is taken" in refused_line("--demo", "--port", str(taken.getsockname()[1]), home=tmp_path)


def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    assert refused_line("--port", "many", home=tmp_path).startswith("PORT from --port is 'many', which is not allowed.")
    assert refused_line(home=tmp_path, extra={"LOG_LEVEL": "loud"}).startswith(
        "LOG_LEVEL from the environment is 'loud'"
    )


def test_an_address_of_another_machine_is_one_line(tmp_path: Path) -> None:
    line = refused_line("--demo", "--host", "192.0.2.1", home=tmp_path, extra={"PROXY_API_KEYS": "k"})

    assert line.startswith("192.0.2.1 port 3000 cannot be listened on")


def test_an_unreadable_dotenv_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    assert refused_line("--demo", home=tmp_path).startswith(".env cannot be read: ")


def test_a_named_dotenv_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    line = refused_line("--demo", "--env-file", "other.env", home=tmp_path)

    assert line == "other.env (from --env-file) does not exist."


def test_a_public_address_without_client_keys_is_one_line(tmp_path: Path) -> None:
    assert "PROXY_API_KEYS=" in refused_line("--demo", "--host", "0.0.0.0", home=tmp_path)


def test_a_key_that_would_go_where_dotenv_says_is_one_line_that_names_both(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ANTHROPIC_BASE_URL=https://other.example\n", encoding="utf-8")

    line = refused_line(*API, home=tmp_path, extra={"ANTHROPIC_API_KEY": "sk-ant-secret"})

    assert line.startswith(
        "ANTHROPIC_API_KEY from the environment would be sent to other.example, which is ANTHROPIC_BASE_URL from .env."
    )
    assert "secret" not in line


def test_a_public_address_with_a_key_serves_and_says_what_else_is_needed(tmp_path: Path) -> None:
    words = ("--demo", "--host", "0.0.0.0", "--port", "0")
    with running(*words, home=tmp_path, extra={"PROXY_API_KEYS": "k"}) as command:
        command.line(r"^Listening on http://0\.0\.0\.0:\d+$")
        command.line(r"^Base URL for clients: http://localhost:\d+/v1$")
        command.line(r"^For clients on other machines set ALLOWED_HOSTS")

    hosts = {"PROXY_API_KEYS": "k", "ALLOWED_HOSTS": "proxy.example"}
    with running(*words, home=tmp_path, extra=hosts) as command:
        command.line(r"^Base URL for clients: http://proxy\.example:\d+/v1$")


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert finished("--version", home=tmp_path).stdout == f"claude-openai-proxy {__version__}\n"


def test_an_unknown_flag_or_command_is_refused_without_a_traceback(tmp_path: Path) -> None:
    for words in (("--prot", "1"), ("sevre",), ("models", "--port", "1")):
        run = finished(*words, home=tmp_path)
        assert run.returncode == 2
        assert "Traceback" not in run.stderr


def test_help_names_every_command_and_flag(tmp_path: Path) -> None:
    general, serve = finished("--help", home=tmp_path), finished("serve", "--help", home=tmp_path)

    assert (general.returncode, serve.returncode) == (0, 0)
    assert all(command in general.stdout for command in ("serve", "models", "--version"))
    flags = ("--host", "--port", "--upstream", "--demo", "--reload", "--env-file", "--log-level")
    assert all(flag in serve.stdout for flag in flags)


def test_models_lists_the_aliases_and_models(tmp_path: Path) -> None:
    run = finished("models", "--demo", home=tmp_path)

    assert run.returncode == 0
    assert "custom-claude-4-opus -> claude-opus-5-5" in run.stdout.splitlines()
    assert "claude-sonnet-5-5" in run.stdout.splitlines()


def test_names_cannot_command_the_terminal(tmp_path: Path) -> None:
    assert "not allowed" in refused_line(home=tmp_path, extra={"MODEL_ALIASES": "a\x1b[31m=opus"})
    assert printable("Model a -> claude\x1b]0;x\x07") == "Model a -> claude?]0;x?"
    assert model_line(Model(id="claude\x1b[2J", created=1, owned_by="anthropic")) == "claude?[2J"


def said_by(home: Path, *words: str) -> list[str]:
    """Everything that a start says, to its end."""
    with running(*words, "--port", "0", home=home) as command:
        command.line(r"Ctrl-C stops\.$")
        command.signal(signal.SIGTERM)
        assert command.end() == 0
        while (line := command.lines.get(timeout=60)) is not None:
            command.seen.append(line)
    return command.seen


def test_the_first_start_of_an_installation_says_what_comes_next(tmp_path: Path) -> None:
    hint = "next: claude-openai-proxy setup"
    assert hint not in said_by(tmp_path, "--demo")
    assert hint in said_by(tmp_path, "--upstream", "api")
    assert hint not in said_by(tmp_path, "--upstream", "api")
