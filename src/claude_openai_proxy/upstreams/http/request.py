"""What is asked, and for how long its answer is waited for."""

from msgspec import Struct

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.upstreams.http.address import URL


class Patience(Struct, frozen=True):
    """`silence`: seconds without a byte, in any phase. `deadline`: loop time at which all must be over."""

    silence: float
    deadline: float | None = None


class Request(Struct, frozen=True):
    """One request. `host`, `content-length` and `accept-encoding` are added."""

    method: str
    url: URL
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


_Alike = tuple[str, URL, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...] | None]
"""All of a request that its head tells, but for its length."""


class HeadEncoder:
    """Encodes the heads of requests: one that follows upon another is mostly the same but for its length."""

    def __init__(self) -> None:
        self._last: _Alike | None = None
        self._lines = b""

    def encode(self, request: Request, *, proxy_headers: tuple[tuple[str, str], ...] | None = None) -> bytes:
        """The request line and the headers; a proxy for plain http wants the whole URL in it, and headers of its own.

        Raises `UpstreamConnectionError` for a header that cannot be sent, such as a key with a line break in it.
        """
        alike = (request.method, request.url, request.headers, proxy_headers)
        if alike != self._last:
            self._lines = _lines(*alike)
            self._last = alike
        if request.body or request.method == "POST":
            return b"%bcontent-length: %d\r\n\r\n" % (self._lines, len(request.body))
        return self._lines + b"\r\n"


def _lines(
    method: str, url: URL, headers: tuple[tuple[str, str], ...], proxy_headers: tuple[tuple[str, str], ...] | None
) -> bytes:
    origin = url.origin
    root = f"{origin.scheme}://{origin.host_header}" if proxy_headers is not None else ""
    lines = [
        f"{method} {root}{url.path} HTTP/1.1",
        f"host: {origin.host_header}",
        "accept-encoding: identity",
        *[f"{name}: {value}" for name, value in (*headers, *(proxy_headers or ()))],
    ]
    return _encode_lines(lines)


def _encode_lines(lines: list[str]) -> bytes:
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise UpstreamConnectionError(_bad_header(lines), reached=False)
    try:
        return f"{head}\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise UpstreamConnectionError(_bad_header(lines), reached=False) from error


def _bad_header(lines: list[str]) -> str:
    names = (line.partition(":")[0] for line in lines if not (line.isprintable() and line.isascii()))
    return f"The request was not sent: its header {next(names, '')!r} holds a character that HTTP does not allow"
