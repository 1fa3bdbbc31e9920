"""The two supervisors that can run the server for one user: systemd's user manager and launchd.

Each is asked by its own programs, in the user's scope only. A unit or an agent of ours is replaced; nothing else is
touched.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from claude_openai_proxy.autostart.units import LABEL, NAME, Service, launchd_plist, systemd_unit

LOG_LINES: Final = 100
UNIT: Final = f"{NAME}.service"


class SupervisorError(Exception):
    """A supervisor did not do what it was asked; what it said."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed, and its exit code."""

    code: int
    text: str


Run = Callable[..., Said]
"""Runs a program with these words; standard output and error together."""


class Supervisor(Protocol):
    """Starts the server with the login of its user, and anew where it fails."""

    @property
    def file(self) -> Path:
        """Where its unit stands."""
        ...

    def unit(self, service: Service) -> bytes:
        """What is written there."""
        ...

    def start(self) -> None:
        """Take the file that was written, now and at each login. Raises `SupervisorError`."""
        ...

    def stop(self) -> None:
        """End it, and do not start it again; no matter whether it ran."""
        ...

    def status(self) -> Said:
        """In its own words."""
        ...

    def logs(self) -> Said:
        """The last lines."""
        ...


class Systemd:
    """https://www.freedesktop.org/software/systemd/man/latest/systemctl.html"""

    def __init__(self, home: Path, run: Run) -> None:
        self.file = home / ".config" / "systemd" / "user" / UNIT
        self._run = run

    def unit(self, service: Service) -> bytes:
        """For the version that runs here."""
        found = re.search(r"systemd (\d+)", self._run("systemctl", "--version").text)
        return systemd_unit(service, systemd=int(found[1]) if found else 0).encode()

    def start(self) -> None:
        """`restart` takes a changed unit, whether it ran before or not."""
        for words in (("daemon-reload",), ("enable", UNIT), ("restart", UNIT)):
            _wanted(self._run("systemctl", "--user", *words))

    def stop(self) -> None:
        """A unit that is not known is one that does not run."""
        self._run("systemctl", "--user", "disable", "--now", UNIT)

    def status(self) -> Said:
        """Its exit code is systemd's: 0 while it runs."""
        return self._run("systemctl", "--user", "status", "--no-pager", UNIT)

    def logs(self) -> Said:
        """Of the journal."""
        return self._run("journalctl", "--user", "--unit", UNIT, "--lines", str(LOG_LINES), "--no-pager")


class Launchd:
    """launchctl(1): `bootstrap` refuses an agent that is there already, so `bootout` comes first."""

    def __init__(self, home: Path, run: Run, *, uid: int) -> None:
        self.file = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._run = run
        self._domain = f"gui/{uid}"

    def unit(self, service: Service) -> bytes:
        """A property list."""
        return launchd_plist(service)

    def start(self) -> None:
        """At once, and at each login."""
        self.stop()
        _wanted(self._run("launchctl", "bootstrap", self._domain, str(self.file)))

    def stop(self) -> None:
        """An agent that is not known is one that does not run."""
        self._run("launchctl", "bootout", f"{self._domain}/{LABEL}")

    def status(self) -> Said:
        """Its exit code is 0 where the agent is known."""
        return self._run("launchctl", "print", f"{self._domain}/{LABEL}")

    def logs(self) -> Said:
        """Of the file that the agent writes."""
        return self._run("tail", "-n", str(LOG_LINES), str(log_file(self.file.parents[2])))


def log_file(home: Path) -> Path:
    """Where launchd writes what the server says."""
    return home / "Library" / "Logs" / f"{NAME}.log"


def supervisor(platform: str, home: Path, run: Run) -> Supervisor | None:
    """The one of this platform; None where there is none that is known here."""
    if platform == "darwin":
        return Launchd(home, run, uid=os.getuid())
    return Systemd(home, run) if platform.startswith("linux") else None


def runner(environment: Mapping[str, str]) -> Run:
    """Runs programs of PATH."""

    def run(*words: str) -> Said:
        try:
            done = subprocess.run(  # noqa: S603 - words of this file
                words, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
            )  # fmt: skip
        except OSError as error:
            return Said(127, f"{words[0]}: {error.strerror}")
        return Said(done.returncode, done.stdout.rstrip("\n"))

    return run


def _wanted(said: Said) -> None:
    if said.code:
        raise SupervisorError(said.text or f"exit code {said.code}")


def without_secrets(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """What a unit may carry: those of `names` that are there."""
    return {name: environment[name] for name in names if environment.get(name)}
