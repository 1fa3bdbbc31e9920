"""Requests to a proxy nearby, straight to it, as a client makes them."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final

SILENT_ANSWER_SECONDS: Final = 120.0
"""For an answer to begin, and between two pieces of it."""
AGENT: Final = "claude-openai-proxy-selftest"

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

JSONObject = dict[str, Any]


class CaseFailedError(Exception):
    """What is wrong, in words that quote nothing; `said` is what the proxy said of it, which may."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end. `headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: JSONObject

    def ok(self) -> "Answer":
        """Itself. Raises `CaseFailedError` where it is an error."""
        if self.status != 200:
            error = self.error
            place = f", param {error['param']}" if error.get("param") else ""
            kind = error.get("code") or error.get("type") or "no error object"
            raise CaseFailedError(f"HTTP {self.status} {kind}{place}", str(error.get("message", "")))
        return self

    @property
    def error(self) -> JSONObject:
        """The error object; empty where there is none."""
        error = self.body.get("error")
        return error if isinstance(error, dict) else {}


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy at `root`, an address without `/v1`; `key` "" for none, `model` is the one that is asked."""

    root: str
    model: str
    key: str = field(default="", repr=False)

    def get(self, path: str) -> Answer:
        """Raises `CaseFailedError` where nothing answers, or no JSON."""
        with self._open(path, None) as response:
            return _read(response)

    def post(self, path: str, body: JSONObject) -> Answer:
        """See `get`."""
        with self._open(path, body) as response:
            return _read(response)

    @contextmanager
    def stream(self, path: str, body: JSONObject) -> Iterator[Iterator[str]]:
        """The data of each event as it comes; leaving closes the connection. Raises as `Answer.ok` does."""
        with self._open(path, body | {"stream": True}) as response:
            if response.status != 200:
                _read(response).ok()
            yield _events(response)

    @contextmanager
    def _open(self, path: str, body: JSONObject | None) -> Iterator[Any]:
        headers = {"user-agent": AGENT, "content-type": "application/json"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data, headers)  # noqa: S310 - the user's own address
        try:
            response = _DIRECT.open(request, timeout=SILENT_ANSWER_SECONDS)
        except urllib.error.HTTPError as error:
            response = error
        except (OSError, ValueError, HTTPException) as error:
            raise CaseFailedError("nothing answers", str(error)) from error
        with response:
            try:
                yield response
            except (OSError, HTTPException) as error:
                raise CaseFailedError("the answer broke off", str(error)) from error


def _read(response: Any) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        body = json.loads(response.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise CaseFailedError(f"HTTP {response.status} without a JSON object")
    return Answer(response.status, headers, body)


def _events(response: Any) -> Iterator[str]:
    for line in response:
        if line.startswith(b"data: "):
            yield line[6:].decode().strip()
