"""The server that runs on this machine or elsewhere, asked as its operator.

What is shown to it: nothing first; where that is not enough, `CLAUDE_OPENAI_PROXY_KEY`; and to this machine's own
addresses alone, over HTTP or not, the credential that lies in STATE_DIR.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from claude_openai_proxy.app.installation import operator_credential
from claude_openai_proxy.commands.invocation import Invocation, add_settings_flags
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.settings.values import is_loopback
from claude_openai_proxy.setup.json_http import NoAnswerError, StatusError, opened
from claude_openai_proxy.setup.target import KEY_VARIABLE

_USER_AGENT: Final = "claude-openai-proxy-command"
_NOT_LET_IN: Final = (401, 403)


class NotToldError(Exception):
    """The server does not answer, or not this; the message says what to do."""


def add_server_flags(parser: argparse.ArgumentParser) -> None:
    """Where it is."""
    add_settings_flags(parser, "port")
    parser.add_argument("--url", metavar="URL", help="where the server is (default: http://localhost:PORT)")


class RunningServer:
    """`keys`: what may be shown, in this order; "" is nothing."""

    def __init__(self, url: str, keys: list[str]) -> None:
        self.url = url
        self._keys = keys

    def document(self, path: str) -> bytes:
        """The body at `path`. Raises `NotToldError`."""
        with self._opened(path) as response:
            try:
                body: bytes = response.read()
            except OSError as error:
                raise NotToldError(f"{self.url} broke off.") from error
            return body

    def events(self, path: str) -> Iterator[tuple[str, str]]:
        """Kind and data of each event at `path`. Raises `NotToldError`."""
        kind = ""
        with self._opened(path) as response:
            try:
                for raw in response:
                    name, _, value = raw.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
                    if name == "data":
                        yield kind, value
                    kind = value if name == "event" else ""
            except OSError as error:
                raise NotToldError(f"{self.url} broke off.") from error

    def _opened(self, path: str) -> Any:
        told = NotToldError(f"{self.url} lets nobody in.")
        for key in self._keys:
            try:
                return opened(
                    self.url + path,
                    {"user-agent": _USER_AGENT, **({"authorization": f"Bearer {key}"} if key else {})},
                )
            except StatusError as error:
                told = NotToldError(_told(error))
                if error.status not in _NOT_LET_IN:
                    break
            except NoAnswerError as error:
                raise NotToldError(
                    f"{error} Start the proxy (claude-openai-proxy), or name another address with --url."
                ) from error
        raise told


def running_server(invocation: Invocation, settings: Settings) -> RunningServer:
    """The one that these settings mean."""
    url = str(invocation.arguments.url or f"http://localhost:{settings.port}").rstrip("/").removesuffix("/v1")
    keys = ["", invocation.environment.get(KEY_VARIABLE, "")]
    if is_loopback(urlsplit(url).hostname or ""):
        keys.append(operator_credential(settings))
    return RunningServer(url, list(dict.fromkeys(keys)))


def _told(error: StatusError) -> str:
    try:
        message = str(json.loads(error.body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = "without a word"
    if error.status in _NOT_LET_IN:
        return (
            "The server asks for an operator's key: run this on its own machine with its STATE_DIR, or export "
            f"{KEY_VARIABLE}=<a key made with `keys add NAME --operator`>."
        )
    if error.status == 404:
        return "What answers there is no Claude OpenAI Proxy of this version."
    return f"The server answered HTTP {error.status}: {message}"
