"""`service`: what is written, and what is asked of the supervisor. The supervisors' programs are stand-ins here."""

import sys
from pathlib import Path

import pytest

from claude_openai_proxy.autostart.supervisors import Launchd, Said, SupervisorError, supervisor
from claude_openai_proxy.autostart.units import Service
from claude_openai_proxy.commands import service
from claude_openai_proxy.commands.invocation import Invocation
from claude_openai_proxy.commands.table import read
from claude_openai_proxy.settings import SettingsError
from cli.running import finished, running

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$HOME/asked"
case "$*" in {fails}) echo "no"; exit 1;; esac
echo "systemd 255"
"""
SERVICE = Service(Path("/x/claude-openai-proxy"), ["serve"], {"HOME": "/x"}, 30, Path("/x/log"))


@pytest.fixture
def extra(tmp_path: Path) -> dict[str, str]:
    return with_programs(tmp_path)


def with_programs(home: Path, fails: str = "nothing") -> dict[str, str]:
    programs = home / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("systemctl", "journalctl"):
        (programs / name).write_text(STAND_IN.format(fails=fails), encoding="utf-8")
        (programs / name).chmod(0o755)
    own = programs / "claude-openai-proxy"
    own.write_text("#!/bin/sh\n", encoding="utf-8")
    own.chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin"}


def asked(home: Path) -> list[str]:
    file = home / "asked"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is Linux's")


@linux
def test_print_shows_the_unit_and_changes_nothing(tmp_path: Path, extra: dict[str, str]) -> None:
    run = finished("service", "print", home=tmp_path, extra=extra)
    assert f"ExecStart={tmp_path}/programs/claude-openai-proxy serve\n" in run.stdout
    assert asked(tmp_path) == ["systemctl --version"]
    assert not (tmp_path / ".config").exists()


@linux
def test_a_unit_names_the_link_that_updates_keep_and_what_the_cli_needs(tmp_path: Path, extra: dict[str, str]) -> None:
    """As `uv tool`, pipx and brew lay it."""
    link = tmp_path / "programs" / "claude-openai-proxy"
    real = tmp_path / "versions" / "1.2.3" / "bin" / "claude-openai-proxy"
    real.parent.mkdir(parents=True)
    link.rename(real)
    link.symlink_to(real)
    unit = finished("service", "print", home=tmp_path, extra=extra).stdout
    assert f"ExecStart={link} serve\n" in unit
    assert "1.2.3" not in unit
    assert f'Environment="HOME={tmp_path}"\n' in unit
    assert f'Environment="PATH={extra["PATH"]}"\n' in unit


@linux
def test_it_is_installed_without_a_secret_and_removed_without_a_trace(tmp_path: Path, extra: dict[str, str]) -> None:
    unit = tmp_path / ".config" / "systemd" / "user" / "claude-openai-proxy.service"
    keyed = {**extra, "ANTHROPIC_API_KEY": "sk-ant-made-up", "PORT": "0"}
    installed = finished("service", "install", home=tmp_path, extra=keyed)
    assert (installed.returncode, installed.stderr) == (0, "")
    assert "Not handed to the service: PORT, ANTHROPIC_API_KEY of this shell" in installed.stdout
    assert "loginctl enable-linger" in installed.stdout
    assert "made-up" not in unit.read_text(encoding="utf-8") + installed.stdout
    service = "claude-openai-proxy.service"
    assert asked(tmp_path)[1:] == [
        "systemctl --user daemon-reload", f"systemctl --user enable {service}", f"systemctl --user restart {service}",
    ]  # fmt: skip

    removed = finished("service", "uninstall", home=tmp_path, extra=extra)
    assert (removed.returncode, unit.exists()) == (0, False)
    assert asked(tmp_path)[-1] == f"systemctl --user disable --now {service}"
    assert "There is no service." in finished("service", "uninstall", home=tmp_path, extra=extra).stdout


@linux
def test_what_the_supervisor_refuses_is_told(tmp_path: Path) -> None:
    refusing = {**with_programs(tmp_path, "*daemon-reload*"), "PORT": "0"}
    run = finished("service", "install", home=tmp_path, extra=refusing)
    assert (run.returncode, run.stderr.strip().endswith("it does not start: no")) == (1, True)
    assert finished("service", "status", home=tmp_path, extra=with_programs(tmp_path, "*status*")).returncode == 1


@linux
def test_a_copy_that_runs_already_is_not_stopped(tmp_path: Path, extra: dict[str, str]) -> None:
    with running("--demo", "--port", "0", home=tmp_path) as command:
        run = finished("service", "install", home=tmp_path, extra={**extra, "PORT": str(command.port())})
        assert run.returncode == 2
        assert "this proxy runs there already" in run.stderr
        assert f", process {command.process.pid}. Stop it first" in run.stderr
        assert asked(tmp_path) == []
        assert command.process.poll() is None


@linux
@pytest.mark.parametrize("agreed", [True, False])
def test_a_copy_of_the_users_own_ends_when_its_user_says_so(
    agreed: bool, tmp_path: Path, extra: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []

    def answer(question: str) -> bool:
        questions.append(question)
        return agreed

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(service, "agreed", answer)
    words = ["service", "install"]
    with running("--demo", "--port", "0", home=tmp_path) as command:
        given = {"HOME": str(tmp_path), **extra, "PORT": str(command.port())}
        assert service.run(Invocation(read(words), words, given, tmp_path)) == 0
        assert f", process {command.process.pid}. Stop it" in questions[0]
        assert (command.end() == 0) if agreed else command.process.poll() is None
    assert bool(asked(tmp_path)) == agreed


@linux
def test_a_process_that_is_not_ours_is_never_stopped(
    tmp_path: Path, extra: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's proxy names a process of its own; here it is this test's."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(service, "PROGRAM", "another-program")
    words = ["service", "install"]
    with running("--demo", "--port", "0", home=tmp_path) as command:
        given = {"HOME": str(tmp_path), **extra, "PORT": str(command.port())}
        with pytest.raises(SettingsError, match=r"ok\)\. Stop it first"):
            service.run(Invocation(read(words), words, given, tmp_path))
        assert command.process.poll() is None


def test_launchd_forgets_an_agent_before_it_takes_it(tmp_path: Path) -> None:
    words: list[tuple[str, ...]] = []

    def run(*asked: str) -> Said:
        words.append(asked)
        return Said(5 if asked[1] == "bootout" else 0, "")

    agent = Launchd(tmp_path, run, uid=501)
    agent.start()
    label = "io.github.claude-openai-proxy"
    file = tmp_path / "Library" / "LaunchAgents" / f"{label}.plist"
    assert agent.file == file
    assert words == [
        ("launchctl", "bootout", f"gui/501/{label}"), ("launchctl", "bootstrap", "gui/501", str(file)),
    ]  # fmt: skip
    assert b"<string>/x/claude-openai-proxy</string>" in agent.unit(SERVICE)
    with pytest.raises(SupervisorError, match="exit code 5"):
        Launchd(tmp_path, lambda *_: Said(5, ""), uid=501).start()


def test_other_platforms_have_none(tmp_path: Path) -> None:
    assert supervisor("win32", tmp_path, lambda *_: Said(0, "")) is None
