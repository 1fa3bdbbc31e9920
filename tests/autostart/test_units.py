"""What is written for systemd and launchd: nothing is expanded, nothing secret, nothing throttled."""

import plistlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from claude_openai_proxy.autostart.units import LABEL, Service, launchd_plist, systemd_unit

SERVICE = Service(
    program=Path("/home/ann/.local/bin/claude-openai-proxy"),
    arguments=("serve", "--port", "3000"),
    environment={"PATH": "/home/ann/.local/bin:/usr/bin:/bin", "HOME": "/home/ann"},
    drain_seconds=30,
    log=Path("/home/ann/Library/Logs/claude-openai-proxy.log"),
)
ODD = replace(
    SERVICE,
    program=Path('/home/ann b/50%/a"b/$HOME/claude-openai-proxy'),
    environment={"PATH": '/a b:/c%d:/e"f:/g\\h', "HOME": "/home/ann b"},
)


def test_a_unit_runs_the_program_in_the_user_s_scope() -> None:
    assert systemd_unit(SERVICE, systemd=255).splitlines() == [
        "[Unit]",
        "Description=Claude OpenAI Proxy",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "ExecStart=/home/ann/.local/bin/claude-openai-proxy serve --port 3000",
        'Environment="HOME=/home/ann"',
        'Environment="PATH=/home/ann/.local/bin:/usr/bin:/bin"',
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
        "RestartSec=2",
        "RestartSteps=6",
        "RestartMaxDelaySec=120",
        "TimeoutStopSec=45",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictRealtime=yes",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]


def test_an_older_systemd_gets_no_setting_that_it_does_not_know() -> None:
    unit = systemd_unit(SERVICE, systemd=252)
    assert "RestartSteps" not in unit
    assert "RestartSec=10" in unit


def test_blanks_quotes_percent_and_dollar_are_escaped() -> None:
    unit = systemd_unit(ODD, systemd=252)
    assert r'ExecStart="/home/ann b/50%%/a\"b/$$HOME/claude-openai-proxy" serve --port 3000' in unit
    assert r'Environment="PATH=/a b:/c%%d:/e\"f:/g\\h"' in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("service", [SERVICE, ODD], ids=["plain", "odd"])
def test_systemd_takes_the_unit(tmp_path: Path, service: Service) -> None:
    program = tmp_path / service.program.parent.name / service.program.name
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "claude-openai-proxy.service"
    version = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    unit.write_text(systemd_unit(replace(service, program=program), systemd=int(version)))
    found = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in found.stderr.splitlines() if unit.name in line]
    assert about_ours == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_system_unit_of_deploy(tmp_path: Path) -> None:
    printed = (Path(__file__).parents[2] / "deploy" / "claude-openai-proxy.service").read_text(encoding="utf-8")
    program = "/opt/claude-openai-proxy/bin/claude-openai-proxy"
    assert f"ExecStart={program}\n" in printed
    unit = tmp_path / "claude-openai-proxy.service"
    unit.write_text(printed.replace(program, "/bin/true"), encoding="utf-8")
    found = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if unit.name in line] == []


def test_an_agent_starts_at_login_and_is_not_throttled() -> None:
    plist = plistlib.loads(launchd_plist(ODD))
    assert plist["Label"] == LABEL
    assert plist["ProgramArguments"] == [str(ODD.program), "serve", "--port", "3000"]
    assert plist["EnvironmentVariables"] == ODD.environment
    assert plist["ProcessType"] == "Interactive"
    assert plist["KeepAlive"] == {"SuccessfulExit": False}
    assert plist["ExitTimeOut"] == 45
