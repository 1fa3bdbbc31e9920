"""A request's head, as the parser gave it: judged before anything is done for it, and told in ASGI's words."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from claude_openai_proxy.protocols.openai_errors import Error
from claude_openai_proxy.web.asgi import ASGIVersions, Extensions, Header, HTTPScope
from claude_openai_proxy.web.errors import Failure

_CLOSE: Final[Header] = (b"connection", b"close")
_UPGRADE_HEADERS: Final = (b"upgrade", b"http2-settings")
_ASGI: Final[ASGIVersions] = {"version": "3.0", "spec_version": "2.3"}
_SCHEMES: Final = (b"http://", b"https://")


def refusal(status: int, code: str, message: str) -> Failure:
    """An answer after which the connection is of no more use."""
    return Failure(status, Error(message, "invalid_request_error", code=code), (_CLOSE,))


MALFORMED: Final = refusal(400, "malformed_http", "What came is not a valid HTTP request.")
HEAD_TOO_LARGE: Final = refusal(431, "headers_too_large", "The request's headers are larger than this server reads.")
URL_TOO_LONG: Final = refusal(414, "url_too_long", "The request's URL is longer than this server reads.")
HEAD_TOO_SLOW: Final = refusal(408, "request_timeout", "The request's headers did not come in time.")
WRONG_VERSION: Final = refusal(400, "http_version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0.")
ONE_HOST: Final = refusal(400, "malformed_http", "The request must have exactly one Host header.")


class RefusedRequestError(Exception):
    """What was asked is refused before the application sees it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error.message)
        self.failure = failure


class RequestHead(NamedTuple):
    """`raw_path` and `query` are as sent; `keep_alive`: the client means to go on; `expects_continue`: it waits."""

    method: bytes
    raw_path: bytes
    query: bytes
    http_version: str
    headers: list[Header]
    keep_alive: bool
    expects_continue: bool

    def scope(
        self, client: tuple[str, int] | None, server: tuple[str, int] | None, extensions: Extensions
    ) -> HTTPScope:
        """The same in ASGI's words."""
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": self.http_version,
            "method": self.method.decode("ascii"),
            "scheme": "http",
            "path": _decoded(self.raw_path),
            "raw_path": self.raw_path,
            "query_string": self.query,
            "root_path": "",
            "headers": self.headers,
            "client": client,
            "server": server,
            "extensions": extensions,
        }


def check_head(names: Sequence[bytes], http_version: str) -> None:
    """A version spoken here, and one Host; HTTP/1.0 may go without (RFC 9112 3.2). Raises `RefusedRequestError`."""
    if http_version not in ("1.0", "1.1"):
        raise RefusedRequestError(WRONG_VERSION)
    hosts = names.count(b"host")
    if hosts != 1 and (hosts or http_version == "1.1"):
        raise RefusedRequestError(ONE_HOST)


def split_target(target: bytes, headers: list[Header]) -> tuple[bytes, bytes]:
    """Path and query as sent. The host of a whole URL counts instead of the Host header (RFC 9112 3.2.2).

    Raises `RefusedRequestError`.
    """
    if not target.startswith(b"/") and target != b"*":
        if not target.lower().startswith(_SCHEMES):
            raise RefusedRequestError(MALFORMED)
        authority, slash, rest = target.partition(b"://")[2].partition(b"/")
        authority, mark, query = authority.partition(b"?")
        headers[:] = [(b"host", authority), *(header for header in headers if header[0] != b"host")]
        target = b"/" + rest if slash else b"/" + mark + query
    path, _, query = target.partition(b"?")
    return path, query


def _decoded(path: bytes) -> str:
    """Without percent signs, whatever its bytes are."""
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("utf-8", "replace")


def asks_for_websocket(headers: Sequence[Header]) -> bool:
    """Of all upgrades the one that could be taken."""
    return any(name == b"upgrade" and value.strip().lower() == b"websocket" for name, value in headers)


def head_bytes(method: bytes, target: bytes, http_version: str, headers: Sequence[Header]) -> bytes:
    """The head as it goes over the wire."""
    lines = [b"%b %b HTTP/%b" % (method, target, http_version.encode())]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join([*lines, b"", b""])


def without_upgrade(headers: Sequence[Header]) -> list[Header]:
    """The same request without the offer to go on in another protocol, which may be ignored (RFC 9110 7.8)."""
    return [
        (name, _other_options(value) if name == b"connection" else value)
        for name, value in headers
        if name not in _UPGRADE_HEADERS
    ]


def _other_options(connection: bytes) -> bytes:
    options = (option.strip() for option in connection.split(b","))
    return b", ".join(option for option in options if option.lower() not in _UPGRADE_HEADERS)
