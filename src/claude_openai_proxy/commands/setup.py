"""`setup`: point a client at the proxy, prove that it works, and take it back."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from claude_openai_proxy.commands.asking import agreed, somebody_is_here
from claude_openai_proxy.commands.colours import coloured
from claude_openai_proxy.commands.invocation import (
    OK,
    PROBLEMS_FOUND,
    PROGRAM,
    Invocation,
    add_settings_flags,
)
from claude_openai_proxy.commands.running_server import NotToldError, running_server
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.setup.client import ShownClient, WrittenClient
from claude_openai_proxy.setup.clipboard import copied
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.open_webui import KEY_VARIABLE as OPEN_WEBUI_KEY
from claude_openai_proxy.setup.open_webui import OpenWebUI, shown_change, with_connection, without_connection
from claude_openai_proxy.setup.proof import FIRST_REQUEST_SECONDS, OwnQuestion, Step, first_request, prove
from claude_openai_proxy.setup.request_log import RequestLog
from claude_openai_proxy.setup.running_proxy import NotReadyError, RunningProxy
from claude_openai_proxy.setup.shown_clients import SHOWN
from claude_openai_proxy.setup.target import KEY_VARIABLE, Target, from_a_container
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Change, Undo, planned
from claude_openai_proxy.setup.written_clients import WRITTEN

HELP = "point a client program at the proxy, and prove that it works"

_CLIENTS: Final[dict[str, WrittenClient | ShownClient]] = {client.name: client for client in (*WRITTEN, *SHOWN)}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Which client, and how far to go."""
    add_settings_flags(parser, "port")
    parser.add_argument("client", nargs="?", metavar="CLIENT", help="without one: what is installed, what is set up")
    parser.add_argument("--url", metavar="URL", help="where the proxy is, with /v1 (default: http://localhost:PORT/v1)")
    parser.add_argument("--model", metavar="MODEL", help="the model to begin with (default: custom-claude-4-sonnet)")
    parser.add_argument(
        "--at", metavar="URL", help="open-webui: where it runs; an administrator's key in OPEN_WEBUI_API_KEY"
    )
    parser.add_argument("--container", action="store_true", help="it runs in a container of this machine")
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    parser.add_argument("--no-proof", action="store_true", help="do not send the requests that prove it")
    parser.add_argument("--prove", action="store_true", help="write nothing, only prove")
    parser.add_argument("--undo", action="store_true", help="take back what was written")


def run(invocation: Invocation) -> int:
    """Raises `SettingsError` for a client that nobody knows, and where only the user can say how to go on."""
    settings = invocation.settings()
    session = _Session(invocation, settings)
    name = invocation.arguments.client
    if name is None:
        return session.list()
    client = _CLIENTS.get(name.lower())
    if client is None:
        meant = get_close_matches(name.lower(), _CLIENTS, n=1)
        hint = f": did you mean {meant[0]}?" if meant else "."
        raise SettingsError(f"No client is called {name!r}{hint} There are: {', '.join(_CLIENTS)}.")
    try:
        if client.name == "open-webui" and invocation.arguments.at:
            return session.connect(invocation.arguments.at.rstrip("/"))
        return session.show(client) if isinstance(client, ShownClient) else session.set_up(client)
    except (NotReadyError, EditError, OSError) as error:
        complain([f"{PROGRAM}: {error}"])
        return PROBLEMS_FOUND


class _Session:
    """One call of the command."""

    def __init__(self, invocation: Invocation, settings: Settings) -> None:
        self._arguments = invocation.arguments
        self._environment = invocation.environment
        self._machine = Machine(invocation.environment, sys.platform)
        url = (self._arguments.url or f"http://localhost:{settings.port}/v1").rstrip("/")
        self._proxy = RunningProxy(url, invocation.environment.get(KEY_VARIABLE, ""))
        self._invocation, self._settings = invocation, settings
        self._log = RequestLog(self._log_lines)
        self._since = self._log.now()
        self._undo = Undo(settings.storage.directory / "setup")

    def list(self) -> int:
        """Every client: is it here, is it set up."""
        lines = []
        for client in WRITTEN:
            file = client.file(self._machine)
            here = "installed" if client.installed(self._machine) else "not found"
            done = "set up" if self._undo.knows(client.name, file) else ""
            lines.append(f"{client.name:<15} {here:<10} {done:<7} {file}".rstrip())
        lines += [f"{client.name:<15} {'by hand':<10} {client.title}" for client in SHOWN]
        say([*lines, "", f"To set one up, or to see how: {PROGRAM} setup NAME"])
        return OK

    def show(self, client: ShownClient) -> int:
        """What its user has to enter, and whether it came here then."""
        if self._arguments.undo:
            raise SettingsError(f"Nothing is ever written for {client.name}.")
        target = self._proxy.target(self._arguments.model)
        say([f"{client.title}:", *client.how(target)])
        if somebody_is_here() and not self._arguments.dry_run and copied(client.copied(target), self._machine):
            say([f"On the clipboard: {client.copied(target)}"])
        return self._watched(client)

    def _watched(self, client: ShownClient | WrittenClient) -> int:
        """Wait for its first request, where somebody is here to make it, or told us to."""
        looks_only = self._arguments.no_proof or self._arguments.dry_run
        if looks_only or not (somebody_is_here() or self._arguments.prove):
            return OK
        waiting = f"its first request is waited for, {FIRST_REQUEST_SECONDS:g} s (Ctrl-C ends)"
        say([f"Ask something in {client.title}: {waiting}"])
        try:
            return OK if self._told(first_request(self._log, self._since)) else PROBLEMS_FOUND
        except KeyboardInterrupt:
            say(["", f"To look again: {PROGRAM} setup {client.name} --prove"])
            return OK

    def _told(self, step: Step) -> bool:
        line = f"{'ok' if step.ok else 'problem':<8} {step.name}: {step.detail}"
        say(coloured([line], sys.stdout, self._environment))
        return step.ok

    def connect(self, address: str) -> int:
        """Open WebUI, by its API: one connection more, or one less."""
        webui = OpenWebUI(address, self._environment.get(OPEN_WEBUI_KEY, ""))
        base_url = self._proxy.base_url
        if self._arguments.container:
            base_url = from_a_container(base_url)
        before = webui.config()
        if self._arguments.undo:
            self._updated(webui, before, without_connection(before, base_url))
            return OK
        target = self._proxy.target(self._arguments.model)
        if not self._updated(webui, before, with_connection(before, base_url, target.key)) or self._arguments.no_proof:
            return OK
        listed = webui.offers(target.model.id)
        say(
            [f"{'ok' if listed else 'problem':<8} {target.model.id} is {'' if listed else 'not '}in its list of models"]
        )
        return OK if listed else PROBLEMS_FOUND

    def _updated(self, webui: OpenWebUI, before: dict[str, object], after: dict[str, object]) -> bool:
        """Whether to go on: it is like that now."""
        if after == before:
            say([f"{webui.url} is like that already."])
            return not self._arguments.dry_run
        say([*shown_change(before, after)])
        if self._arguments.dry_run:
            return False
        if not self._arguments.yes and not _agreed(f"Change the connections of {webui.url}?"):
            say(["Nothing was changed."])
            return False
        webui.update(after)
        if not self._arguments.undo:
            say([f"To take it back: {PROGRAM} setup open-webui --at {webui.url} --undo"])
        return True

    def set_up(self, client: WrittenClient) -> int:
        """Write, prove, and say how to undo."""
        file = client.file(self._machine)
        if self._arguments.undo:
            remove = client.give_back(self._undo.text_before(client.name, file)) if client.give_back else client.remove
            say([self._undo.take_back(client.name, file, remove)])
            return OK
        target = self._proxy.target(self._arguments.model)
        if self._arguments.container:
            target = replace(target, base_url=from_a_container(target.base_url))
        if not self._arguments.prove:
            change = planned(file, client.write(target))
            if not self._written(client, change):
                return OK
            if after := client.after(target):
                say(after)
        if self._arguments.no_proof:
            return OK
        return self._proven(client, target)

    def _written(self, client: WrittenClient, change: Change) -> bool:
        """Whether to go on: it is in the file now."""
        if not change.changes_anything:
            say([f"{change.path} has it already."])
            return not self._arguments.dry_run
        say([*change.diff()])
        if self._arguments.dry_run:
            return False
        if not self._arguments.yes and not _agreed(f"Write {change.path}?"):
            say(["Nothing was written."])
            return False
        self._undo.write(client.name, change)
        say([f"Written: {change.path}", f"To take it back: {PROGRAM} setup {client.name} --undo"])
        return True

    def _proven(self, client: WrittenClient, target: Target) -> int:
        command = self._command(client, target)
        health = self._proxy.health()
        requests = "one request" if command is None else f"one request, and {client.title} itself as many as it needs"
        say([f"Proof: {requests}; billed: {health.get('billed', 'to the login of the proxy')}."])
        proven = True
        question = None if command is None else OwnQuestion(command, {**self._environment, **client.variables})
        for step in prove(client.name, target, self._proxy, self._log, question):
            proven = self._told(step)
        if proven and client.command is None:
            return self._watched(client)
        return OK if proven else PROBLEMS_FOUND

    def _log_lines(self) -> Sequence[str]:
        """Of the proxy that runs. Raises `NotReadyError` where it does not show them."""
        try:
            server = running_server(self._invocation, self._settings)
            return [data for _, data in server.events("/logs")]
        except NotToldError as error:
            raise NotReadyError(str(error)) from error

    def _command(self, client: WrittenClient, target: Target) -> Sequence[str] | None:
        """With the whole path of its program; None where it has no such command or is not here."""
        if client.command is None:
            return None
        program, *words = client.command(target, client.file(self._machine))
        found = self._machine.program(program)
        if found is None:
            say([f"{program} is not installed here, so only the proxy is proven."])
            return None
        return [found, *words]


def _agreed(question: str) -> bool:
    """Raises `SettingsError` where nobody can answer."""
    if not somebody_is_here():
        raise SettingsError(f"{question} Nobody is here to say: add --yes to write, or --dry-run to look.")
    return agreed(question)
