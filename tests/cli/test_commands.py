"""The command line as people type it, and what each command says."""

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from claude_openai_proxy import __version__
from claude_openai_proxy.commands import table
from claude_openai_proxy.commands.colours import coloured
from claude_openai_proxy.commands.table import read
from cli.running import argv, environment, finished, running
from selection.conftest import Machine

NO_LOGIN = "No Claude login found. Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"


@pytest.mark.parametrize(
    ("words", "command", "port"),
    [
        ([], "serve", None),
        (["--port", "1"], "serve", "1"),
        (["start", "--port=1"], "serve", "1"),
        (["--port", "1", "serve"], "serve", "1"),
        (["--env-file", "models", "--port", "1"], "serve", "1"),
        (["--demo", "doctor", "--port", "1"], "doctor", "1"),
    ],
)
def test_a_command_is_found_wherever_it_stands(words: list[str], command: str, port: str | None) -> None:
    arguments = read(words)

    assert (arguments.command, arguments.port) == (command, port)


@pytest.mark.parametrize(("words", "named"), [(["--json", "status"], "status"), (["--no-such-flag"], "serve")])
def test_a_command_is_found_behind_a_flag_that_serve_lacks(words: list[str], named: str) -> None:
    assert table._split(words)[0] == named


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["keys", "list"], ("app.wiring", "web", "upstreams.api", "upstreams.claude_code", "simulator")),
        (["status"], ("app.wiring", "app.stores", "web", "upstreams.api")),
        (["usage"], ("app.wiring", "web", "upstreams.api")),
        (["completion", "bash"], ("app.stores", "commands.serve", "service", "storage")),
        (["--port", "1"], ("simulator", "doctor.examination", "setup", "selftest", "autostart", "commands.keys")),
    ],
)
def test_a_command_imports_what_it_needs(words: list[str], unneeded: tuple[str, ...]) -> None:
    program = f"import sys; from claude_openai_proxy.commands.table import read; read({words!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    imported = {name.removeprefix("claude_openai_proxy.") for name in done.stdout.split()}
    assert f"commands.{words[0].replace('--port', 'serve')}" in imported
    assert imported & set(unneeded) == set()


@pytest.mark.parametrize("words", [["-V"], ["--version"]])
def test_the_version(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read(words)

    assert (ended.value.code, capsys.readouterr().out) == (0, f"claude-openai-proxy {__version__}\n")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_has_the_commands_and_the_flags_of_serve(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(words)
    told = capsys.readouterr().out

    assert all(word in told for word in ("serve", "models", "doctor", "login", "--port PORT", "--demo", "--reload"))
    assert "Allowed: auto, api or" in told


@pytest.mark.parametrize("words", [["help", "doctor"], ["doctor", "--help"]])
def test_help_of_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(words)

    assert "--no-request" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--prot", "1"], "did you mean --port?"),
        (["serve", "--log-leve=debug"], "did you mean --log-level?"),
        (
            ["sevre"],
            "there is no command 'sevre': did you mean serve? Commands: serve, models, doctor, login,",
        ),
        (["xyz"], "there is no command 'xyz'. Commands: "),
        (["models", "--port", "1"], "unrecognized arguments: --port 1"),
    ],
)
def test_what_was_probably_meant_is_named(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read(words)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


# ---- models ---------------------------------------------------------------------------------------------------------


def test_a_list_that_upstream_did_not_tell_says_so_and_is_no_success(tmp_path: Path) -> None:
    run = finished("models", "--upstream", "api", home=tmp_path)

    assert run.returncode == 1
    assert "custom-claude-4-opus -> claude-opus-5-5" in run.stdout.splitlines()
    assert run.stderr == (
        f"claude-openai-proxy: These are the built-in models, not what your login offers: {NO_LOGIN}\n"
    )


def test_a_list_that_could_not_be_asked_for_says_why(tmp_path: Path) -> None:
    nowhere = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "UPSTREAM_RETRIES": "0"}

    run = finished("models", home=tmp_path, extra=nowhere)

    assert run.returncode == 1
    assert "127.0.0.1:9 refuses connections" in run.stderr


def test_models_as_json_are_the_body_of_the_route(tmp_path: Path) -> None:
    run = finished("models", "--demo", "--json", home=tmp_path)

    told = json.loads(run.stdout)
    assert (run.returncode, run.stderr, told["object"]) == (0, "", "list")
    assert told["data"][0]["resolves_to"] == "claude-opus-5-5"
    assert told["data"][0]["pricing"]["input"] == 4


# ---- login ----------------------------------------------------------------------------------------------------------


def test_login_runs_the_login_of_the_program_that_was_found(computer: Machine) -> None:
    run = finished("login", home=computer.home, extra={"CLAUDE_CLI_PATH": str(computer.claude.program)})

    assert run.returncode == 0
    assert run.stdout.startswith(f"Running {computer.claude.program} auth login\n")
    assert computer.claude.asked == ["auth login"]


def test_login_hands_on_the_kind_of_account(computer: Machine) -> None:
    finished("login", "--console", home=computer.home, extra={"CLAUDE_CLI_PATH": str(computer.claude.program)})

    assert computer.claude.asked == ["auth login --console"]


def test_login_without_the_program_says_how_to_get_it(computer: Machine) -> None:
    run = finished("login", home=computer.home, extra={"CLAUDE_CLI_PATH": "/nowhere/claude"})

    assert run.returncode == 2
    assert "was not found at /nowhere/claude. Install it (https://" in run.stderr


# ---- serve ----------------------------------------------------------------------------------------------------------


def test_the_start_lines_have_the_version_the_page_and_how_to_stop(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=3012\nDEFAULT_MODEL=sonnet\n", encoding="utf-8")
    with running("--demo", "--port", "0", home=tmp_path) as command:
        port = command.port()
        command.line(rf"^In a browser: open http://localhost:{port}/$")
        command.line(r"^Settings from \.env$")
        command.line(r"^Warning: PROT in \.env \(line 1\) is not a setting: did you mean PORT\?$")
        command.line(r"^Any other model \(sonnet, DEFAULT_MODEL\) -> claude-sonnet-5-5$")
        command.line(rf"^claude-openai-proxy {__version__}\. Ctrl-C stops\.$")


def test_a_port_that_this_proxy_itself_has_is_told_as_that(tmp_path: Path) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command:
        port = command.port()
        run = finished("--demo", "--port", str(port), home=tmp_path)

    assert run.returncode == 2
    assert f"this proxy runs there already ({__version__}, upstream demo, ok)" in run.stderr
    assert f"Open http://localhost:{port}/" in run.stderr


def test_the_demo_on_a_public_address_does_not_speak_of_a_login(tmp_path: Path) -> None:
    run = finished("--demo", "--host", "0.0.0.0", home=tmp_path)

    assert run.returncode == 2
    assert "login" not in run.stderr


def test_reload_says_that_it_watches(tmp_path: Path) -> None:
    with running("--demo", "--reload", "--port", "0", home=tmp_path) as command:
        command.line(r"^Watching the program and \.env: a change starts the server anew\.$")


def test_all_mistakes_of_the_configuration_are_told_a_line_each(tmp_path: Path) -> None:
    run = finished("--port", "x", home=tmp_path, extra={"LOG_LEVEL": "loud"})

    assert [line.split(" ")[1] for line in run.stderr.splitlines()] == ["PORT", "LOG_LEVEL"]


# ---- colours --------------------------------------------------------------------------------------------------------


def test_levels_are_coloured_on_a_terminal_only(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        words = argv("doctor", "--demo", "--port", str(free.getsockname()[1]), "--no-request")
    for extra, seen in (({}, True), ({"NO_COLOR": "1"}, False)):
        process = subprocess.Popen(words, cwd=tmp_path, env=environment(tmp_path, extra), stdout=theirs)
        process.wait(30)
        assert (b"\x1b[32mok\x1b[0m" in os.read(ours, 65_536)) is seen
    os.close(ours)
    os.close(theirs)


def test_a_pipe_and_no_stream_get_no_colours(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert coloured(["ok  x"], file, {}) == ["ok  x"]
    assert coloured(["ok  x"], None, {}) == ["ok  x"]
