"""`keys` and `storage`: what they print, and that a running server knows."""

import json
import signal
import stat
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from cli.running import Command, finished, running

STATE = ".local/state/claude-openai-proxy"
LOGIN = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
PUBLIC = ("--host", "0.0.0.0", "--port", "0")


def keys(home: Path, *words: str, code: int = 0) -> tuple[str, str]:
    run = finished("keys", *words, home=home)
    assert run.returncode == code, run.stderr
    return run.stdout, run.stderr


def added(home: Path, *words: str) -> str:
    return keys(home, "add", *words)[0].strip()


def status(port: int, path: str, key: str = "") -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def becomes(command: Command, port: int, key: str, wanted: int) -> None:
    """Asks until the server knows; the test's own time limit ends it."""
    while status(port, "/v1/key", key) != wanted:
        assert command.process.poll() is None


def test_a_running_server_knows_what_is_added_rotated_revoked_and_switched_off(tmp_path: Path) -> None:
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as command:
        port = command.port()
        assert status(port, "/v1/key") == 200
        first = added(tmp_path, "ann", "--models", "sonnet,claude-opus-5-5", "--expires", "90d")
        becomes(command, port, "", 401)
        becomes(command, port, first, 200)

        second = keys(tmp_path, "rotate", "ann", "--overlap", "0m")[0].strip()
        becomes(command, port, second, 200)
        becomes(command, port, first, 401)

        keys(tmp_path, "revoke", "ann")
        becomes(command, port, second, 401)
        assert status(port, "/v1/key") == 401
        keys(tmp_path, "off")
        becomes(command, port, "", 200)


def test_a_key_that_was_shown_opens_after_the_command_and_the_server_were_killed(tmp_path: Path) -> None:
    """Each command is killed as soon as its key is read; the server, between two of them, at any moment."""
    shown = []
    for number in range(3):
        with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as server:
            port = server.port()
            with running("keys", "add", f"client-{number}", home=tmp_path) as command:
                shown.append(command.line("^cop_.*")[0])
                command.signal(signal.SIGKILL)
            becomes(server, port, shown[-1], 200)
            server.signal(signal.SIGKILL)
            assert server.end() == -signal.SIGKILL
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as server:
        port = server.port()
        assert [status(port, "/v1/key", key) for key in shown] == [200, 200, 200]
        assert status(port, "/v1/key") == 401
    assert keys(tmp_path, "list")[0].count("client-") == 3


@pytest.mark.parametrize("seen", ["", "state.db", "state.db-wal"])
def test_a_command_that_is_killed_on_its_way_leaves_a_store_that_works(tmp_path: Path, seen: str) -> None:
    with running("keys", "add", "ann", home=tmp_path) as command:
        while not (tmp_path / STATE / seen).exists():
            assert command.process.poll() is None
        command.signal(signal.SIGKILL)
        command.end()
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as server:
        port = server.port()
        needed = "Clients need a key." in keys(tmp_path, "list")[1]
        assert status(port, "/v1/key") == (401 if needed else 200)
        assert ("ann" in keys(tmp_path, "list")[0]) == needed
        secret = keys(tmp_path, *(("rotate", "ann") if needed else ("add", "ann")))[0].strip()
        becomes(server, port, secret, 200)
    assert keys(tmp_path, "list")[0].count("ann") == 1
    assert ": whole" in finished("storage", "check", home=tmp_path).stdout


def test_the_credential_of_the_commands_is_an_operator_s_and_nobody_else_s_to_read(tmp_path: Path) -> None:
    added(tmp_path, "ann")
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as command:
        port = command.port()
        assert status(port, "/health?deep=1", "cop_operator_" + "0" * 64) == 401
        credential = tmp_path / STATE / "operator.key"
        assert stat.S_IMODE(credential.stat().st_mode) == 0o600
        assert status(port, "/v1/key?name=ann", f"cop_operator_{credential.read_text()}") == 200


def test_the_key_alone_is_on_standard_output_and_its_digest_alone_in_the_file(tmp_path: Path) -> None:
    out, said = keys(tmp_path, "add", "ann")
    assert out.startswith("cop_")
    assert len(out.splitlines()) == 1
    assert f"{STATE}/state.db" in said
    assert "every client needs a key" in said
    kept = b"".join(file.read_bytes() for file in (tmp_path / STATE).iterdir())
    assert out.strip().split("_", 2)[2].encode() not in kept


def test_list_and_show_tell_all_but_the_key(tmp_path: Path) -> None:
    secret = added(tmp_path, "ann", "--models", "sonnet", "--operator")
    (head, row), said = keys(tmp_path, "list")[0].splitlines(), keys(tmp_path, "list")[1]
    assert head.split() == ["NAME", "ID", "MODELS", "EXPIRES", "LIMITS"]
    assert [row.split()[0], *row.split()[2:]] == ["ann", "sonnet", "never", "none", "operator"]
    assert "Clients need a key." in said
    shown = keys(tmp_path, "show", "ann")[0]
    assert "models    sonnet" in shown
    assert "secrets that work: 1" in shown
    assert secret not in shown + row


def test_limits_are_kept_shown_and_changed(tmp_path: Path) -> None:
    out, said = keys(tmp_path, "add", "ann", "--rpm", "20", "--tpm", "8000", "--budget", "2.50/day")
    assert out.startswith("cop_")
    assert "Requests without max_tokens reserve 8,192 tokens of output: this limit refuses them." in said
    limits = "20 requests/min, 8000 tokens/min, 2.5 USD/day"
    assert limits in keys(tmp_path, "list")[0]
    assert f"limits    {limits}" in keys(tmp_path, "show", "ann")[0]
    assert "ann has these limits now: 5 USD/day." in keys(tmp_path, "limit", "ann", "--budget", "5")[1]
    assert "limits    5 USD/day" in keys(tmp_path, "show", "ann")[0]
    keys(tmp_path, "limit", "ann")
    assert "limits    none" in keys(tmp_path, "show", "ann")[0]
    off = finished("keys", "limit", "ann", "--budget", "5", home=tmp_path, extra={"LEDGER_DAYS": "0"})
    assert "with a restart of the server a budget begins anew" in off.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "ann"], "There is a key named ann already."),
        (["rotate", "bob"], "No valid key is named bob."),
        (["revoke", "bob"], "No valid key is named bob."),
        (["show", "bob"], "No key is named bob."),
        (["add", "a b"], "is not a name"),
        (["add", "bob", "--expires", "soon"], "is not a span of time"),
        (["add", "bob", "--models", ","], "is not a list of model names"),
        (["add", "bob", "--rpm", "0"], "is not a whole number"),
        (["add", "bob", "--tpm", "many"], "is not a whole number"),
        (["add", "bob", "--budget", "5/week"], "is not an amount of US dollars a day"),
        (["limit", "bob", "--rpm", "5"], "No valid key is named bob."),
        ([], "the following arguments are required"),
    ],
)
def test_what_cannot_be_done_is_a_line_and_exit_code_2(tmp_path: Path, words: list[str], told: str) -> None:
    added(tmp_path, "ann")
    out, said = keys(tmp_path, *words, code=2)
    assert (out, told in said) == ("", True)


def test_a_name_is_unique_over_the_setting_and_the_file(tmp_path: Path) -> None:
    setting = {"PROXY_API_KEYS": "ann:a-key-of-the-setting"}
    run = finished("keys", "add", "ann", home=tmp_path, extra=setting)
    assert (run.returncode, "PROXY_API_KEYS has a key named ann" in run.stderr) == (2, True)
    added(tmp_path, "ann")
    start = finished("serve", "--port", "0", home=tmp_path, extra={**LOGIN, **setting})
    assert (start.returncode, "ann names a key of PROXY_API_KEYS and a stored one" in start.stderr) == (2, True)


def test_in_memory_no_keys_are_kept(tmp_path: Path) -> None:
    run = finished("keys", "add", "ann", home=tmp_path, extra={"STATE": "memory"})
    assert (run.returncode, "STATE=memory" in run.stderr) == (2, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "proxy.example"])
def test_a_public_address_without_client_keys_is_refused_with_the_line_that_mends_it(tmp_path: Path, host: str) -> None:
    run = finished("serve", "--host", host, "--port", "0", home=tmp_path, extra=LOGIN)
    (line,) = run.stderr.splitlines()
    assert run.returncode == 2
    assert line.startswith(f"claude-openai-proxy: PROXY_HOST is {host!r} (from --host), so that other machines could")
    assert "claude-openai-proxy keys add NAME" in line


def test_a_stored_key_opens_a_public_address(tmp_path: Path) -> None:
    added(tmp_path, "ann")
    with running(*PUBLIC, home=tmp_path, extra=LOGIN) as command:
        command.line(r"^Listening on http://0\.0\.0\.0:(\d+)")


def test_the_database_is_checked_and_compacted(tmp_path: Path) -> None:
    added(tmp_path, "ann")
    run = finished("storage", "check", home=tmp_path)
    assert (run.returncode, "whole" in run.stdout, "client_keys: 1 rows" in run.stdout) == (0, True, True)
    assert "MB, now" in finished("storage", "compact", home=tmp_path).stdout

    (tmp_path / STATE / "state.db").write_bytes(b"SQLite format 3\0" + b"damaged" * 1000)
    broken = finished("storage", "check", home=tmp_path)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert len(broken.stderr.splitlines()) == 1


def test_a_damaged_file_keeps_the_door_shut(tmp_path: Path) -> None:
    added(tmp_path, "ann")
    (tmp_path / STATE / "state.db").write_bytes(b"SQLite format 3\0" + b"damaged" * 1000)
    for leftover in (tmp_path / STATE).glob("state.db-*"):
        leftover.unlink()
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as command:
        port = command.port()
        assert status(port, "/v1/models") == 503
        assert json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60).read())
