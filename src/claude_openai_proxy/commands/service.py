"""`service`: the server as a service of this user, by systemd or launchd. No secret is written into a unit."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from claude_openai_proxy.app.installation import operator_credential
from claude_openai_proxy.autostart.supervisors import (
    Said,
    Supervisor,
    SupervisorError,
    log_file,
    runner,
    supervisor,
    without_secrets,
)
from claude_openai_proxy.autostart.units import STOP_MARGIN_SECONDS, Service
from claude_openai_proxy.commands.asking import agreed, somebody_is_here
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.commands.running_server import NotToldError, RunningServer
from claude_openai_proxy.doctor.machine import served_already
from claude_openai_proxy.service.server_status import StatusReport
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SETTINGS, Settings, SettingsError

HELP = "run the server as a service of this user"
VERBS: Final = ("install", "status", "logs", "print", "uninstall")

_LOOK_SECONDS: Final = 0.2
_CARRIED: Final = ("HOME", "PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What is to be done; the settings are those of the server, which reads them itself."""
    parser.add_argument("verb", choices=VERBS)
    add_settings_flags(parser)


def run(invocation: Invocation) -> int:
    """Raises `SettingsError` where there is no supervisor, or another copy of the server has the port."""
    settings = invocation.settings()
    home = Path(invocation.environment.get("HOME", ""))
    found = supervisor(sys.platform, home, runner(invocation.environment))
    if found is None or not home.is_absolute():
        raise SettingsError("Services are known here for systemd and launchd only, and for a user with a HOME.")
    service = service_of(invocation, settings, home)
    match invocation.arguments.verb:
        case "print":
            say([found.unit(service).decode().rstrip("\n")])
            return OK
        case "install":
            return _install(invocation, settings, found, service)
        case "uninstall":
            return _uninstall(found)
        case "status":
            return _told(found.status())
        case _:
            return _told(found.logs())


def service_of(invocation: Invocation, settings: Settings, home: Path) -> Service:
    """The program as PATH has it, which survives updates: a link is not followed to the version behind it."""
    on_path = shutil.which(PROGRAM, path=invocation.environment.get("PATH", ""))
    program, first = (
        (Path(on_path).absolute(), ()) if on_path else (Path(sys.executable), ("-m", "claude_openai_proxy"))
    )
    named = invocation.arguments.env_file
    file = ("--env-file", str((invocation.cwd / named).absolute())) if named else ()
    return Service(
        program=program,
        arguments=[*first, "serve", *file],
        environment=without_secrets(invocation.environment, _CARRIED),
        drain_seconds=settings.drain_seconds,
        log=log_file(home),
    )


def _install(invocation: Invocation, settings: Settings, found: Supervisor, service: Service) -> int:
    taken = "" if found.file.exists() or not settings.port else asyncio.run(served_already(settings))
    if taken and not _made_room(invocation, settings, taken):
        say(["Nothing was changed."])
        return OK
    found.file.parent.mkdir(parents=True, exist_ok=True)
    service.log.parent.mkdir(parents=True, exist_ok=True)
    found.file.write_bytes(found.unit(service))
    try:
        found.start()
    except SupervisorError as error:
        complain([f"{PROGRAM}: {found.file} is written, but it does not start: {error}"])
        return PROBLEMS_FOUND
    say([f"Installed: {found.file}", *_left_out(invocation), f"To look at it: {PROGRAM} service status"])
    if sys.platform.startswith("linux"):
        say(["It ends when you log out, unless you say: loginctl enable-linger"])
    return OK


def _made_room(invocation: Invocation, settings: Settings, told: str) -> bool:
    """Whether the port is free now: a copy of this user's is stopped where its user says so. Raises `SettingsError`."""
    pid = _pid_of_ours(invocation, settings)
    shown = f"{told}, process {pid}" if pid else told
    if not pid or not somebody_is_here():
        raise SettingsError(f"{shown}. Stop it first: a service cannot have the same port.")
    if not agreed(f"{shown}. Stop it, and let the service have the port?"):
        return False
    os.kill(pid, signal.SIGTERM)
    patience = time.monotonic() + settings.drain_seconds + STOP_MARGIN_SECONDS
    while asyncio.run(served_already(settings)):
        if time.monotonic() > patience:
            raise SettingsError(f"Process {pid} was told to end, and has not yet. Install the service when it has.")
        time.sleep(_LOOK_SECONDS)
    return True


def _pid_of_ours(invocation: Invocation, settings: Settings) -> int:
    """Of the running copy, if it is a process of this user's with this program in it; 0 otherwise.

    A container's answers here with a number that means another process, or none.
    """
    try:
        body = RunningServer(f"http://localhost:{settings.port}", ["", operator_credential(settings)]).document(
            "/status"
        )
        pid = msgspec.json.decode(body, type=StatusReport).pid
    except (NotToldError, msgspec.DecodeError, UnicodeDecodeError):
        return 0
    listed = runner(invocation.environment)("ps", "-o", "uid=", "-o", "args=", "-p", str(pid)) if pid > 1 else None
    uid, _, command = listed.text.strip().partition(" ") if listed and not listed.code else ("", "", "")
    named = PROGRAM in command or PROGRAM.replace("-", "_") in command
    return pid if uid == str(os.getuid()) and named else 0


def _left_out(invocation: Invocation) -> list[str]:
    """Settings of this shell that the service will not see: nothing is copied that nobody asked for."""
    names = [setting.name for setting in SETTINGS if invocation.environment.get(setting.name)]
    own = f"put them into your own .env (see {PROGRAM} config) to let it have them"
    return [f"Not handed to the service: {', '.join(names)} of this shell; {own}."] if names else []


def _uninstall(found: Supervisor) -> int:
    if not found.file.exists():
        say(["There is no service."])
        return OK
    found.stop()
    found.file.unlink(missing_ok=True)
    say([f"Removed: {found.file}"])
    return OK


def _told(said: Said) -> int:
    say([said.text])
    return OK if said.code == 0 else PROBLEMS_FOUND
