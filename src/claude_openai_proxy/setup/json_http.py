"""JSON over HTTP with a server nearby: straight to it, whatever the environment says of ways out."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

SILENT_SECONDS: Final = 60.0
"""For an answer to begin, and between two pieces of it."""
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NoAnswerError(Exception):
    """Nothing answers there."""


class StatusError(Exception):
    """It answered with an HTTP error; `body` is what it said."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


def opened(url: str, headers: Mapping[str, str], body: object = None) -> Any:
    """The response, to be read and closed; with a `body` by POST. Raises `NoAnswerError`, `StatusError`."""
    if not url.startswith(("http://", "https://")):
        raise NoAnswerError(f"{url} is no address: it begins with http:// or https://.")
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, {"content-type": "application/json", **headers})  # noqa: S310
        return _DIRECT.open(request, timeout=SILENT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            raise StatusError(error.code, error.read()) from error
    except (OSError, ValueError) as error:
        raise NoAnswerError(f"Nothing answers at {url}.") from error


def message_of(error: StatusError) -> str:
    """What the proxy said of it."""
    try:
        return str(json.loads(error.body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def document(url: str, headers: Mapping[str, str], body: object = None) -> dict[str, Any] | None:
    """The answer's JSON object; None where it is none. Raises as `opened` does."""
    with opened(url, headers, body) as response:
        try:
            answer = json.loads(response.read())
        except ValueError:
            return None
    return answer if isinstance(answer, dict) else None
