"""A systemd user unit and a launchd agent as text, from the same facts.

https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html, launchd.plist(5).
"""

import plistlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAME: Final = "claude-openai-proxy"
"""Of the unit."""
LABEL: Final = "io.github.claude-openai-proxy"
"""Of the agent."""
STOP_MARGIN_SECONDS: Final = 15
"""What a supervisor waits beyond the drain before it kills."""
BACK_OFF_SINCE: Final = 254
"""The systemd version that knows RestartSteps."""

_MISTAKE: Final = 2
"""The exit code of a mistake in the settings, which a restart does not mend."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@+=:,./-]+")


@dataclass(frozen=True, slots=True)
class Service:
    """What is to run. `environment` holds PATH and HOME and no secret; `log` is where launchd writes."""

    program: Path
    arguments: Sequence[str]
    environment: dict[str, str]
    drain_seconds: int
    log: Path


def systemd_unit(service: Service, *, systemd: int) -> str:
    """The text of a user unit for this version of systemd."""
    command = " ".join(_systemd_word(word) for word in (str(service.program), *service.arguments))
    environment = [f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(service.environment.items())]
    back_off = (
        ["RestartSec=2", "RestartSteps=6", "RestartMaxDelaySec=120"] if systemd >= BACK_OFF_SINCE else ["RestartSec=10"]
    )
    lines = [
        "[Unit]",
        "Description=Claude OpenAI Proxy",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"ExecStart={command}",
        *environment,
        "Restart=on-failure",
        f"RestartPreventExitStatus={_MISTAKE}",
        *back_off,
        f"TimeoutStopSec={service.drain_seconds + STOP_MARGIN_SECONDS}",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictRealtime=yes",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return "\n".join(lines)


def launchd_plist(service: Service) -> bytes:
    """The property list of an agent.

    `ProcessType` is Interactive: as Background, launchd throttles it so much that a start takes seconds.
    """
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": [str(service.program), *service.arguments],
            "EnvironmentVariables": dict(sorted(service.environment.items())),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": service.drain_seconds + STOP_MARGIN_SECONDS,
            "ProcessType": "Interactive",
            "StandardOutPath": str(service.log),
            "StandardErrorPath": str(service.log),
            "Umask": 0o077,
        },
        sort_keys=False,
    )


def _systemd_word(word: str) -> str:
    """One word of ExecStart: `$` begins a variable there."""
    word = word.replace("$", "$$")
    return word.replace("%", "%%") if _PLAIN.fullmatch(word) else _quoted(word)


def _quoted(text: str) -> str:
    """A quoted value: `%` begins a specifier in it. Line breaks cannot occur in what is given here."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
