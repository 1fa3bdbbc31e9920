"""Where a request goes."""

from typing import Final, Self

from msgspec import Struct

from claude_openai_proxy.urls import split_url

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(Struct, frozen=True):
    """One server. `host` is a name in ASCII, or an address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host:port`, with brackets round an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The authority without the port that goes without saying."""
        return self.authority.removesuffix(f":{DEFAULT_PORTS[self.scheme]}")


class URL(Struct, frozen=True):
    """An origin and a path with its query, as it stands in a request line."""

    origin: Origin
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an absolute http or https URL. Raises `ValueError` with a sentence."""
        parts = split_url(text)
        if parts.scheme not in DEFAULT_PORTS:
            raise ValueError(f"{text!r} is not a URL that begins with http:// or https://")
        host, port = parts.hostname or "", parts.port
        path = parts.path or "/"
        origin = Origin(parts.scheme, _ascii(host), DEFAULT_PORTS[parts.scheme] if port is None else port)
        return cls(origin, f"{path}?{parts.query}" if parts.query else path)

    def __truediv__(self, path: str) -> "URL":
        """The URL `path` below this one, whether or not this one ends with a slash."""
        return URL(self.origin, f"{self.path.rstrip('/')}/{path}")


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()
