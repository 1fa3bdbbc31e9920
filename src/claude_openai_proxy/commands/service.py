"""`service`: the server as a service of this user, by systemd or launchd. No secret is written into a unit."""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from claude_openai_proxy.autostart.supervisors import (
    Said,
    Supervisor,
    SupervisorError,
    log_file,
    runner,
    supervisor,
    without_secrets,
)
from claude_openai_proxy.autostart.units import Service
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, PROGRAM, Invocation, add_settings_flags
from claude_openai_proxy.doctor.machine import served_already
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import SETTINGS, Settings, SettingsError

HELP = "run the server as a service of this user"
VERBS: Final = ("install", "status", "logs", "print", "uninstall")

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
    ours = found.file.exists()
    if settings.port and not ours and (told := asyncio.run(served_already(settings))):
        raise SettingsError(f"{told}. Stop it first: a service cannot have the same port.")
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
