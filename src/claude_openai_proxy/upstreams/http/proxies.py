"""Which proxy a request goes through: the words of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, handed in as values."""

from base64 import b64encode
from ipaddress import ip_address, ip_network
from typing import Self
from urllib.parse import unquote

from msgspec import Struct

from claude_openai_proxy.upstreams.http.address import URL, Origin
from claude_openai_proxy.urls import split_url


class Proxy(Struct, frozen=True):
    """One proxy; `authorization` is the value of `proxy-authorization`, "" without a login."""

    origin: Origin
    authorization: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `http://user:password@host:port`. Raises `ValueError`, which never quotes the password."""
        parts = split_url(text if "://" in text else f"http://{text}")
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"The proxy {shown} is not an http or https proxy")
        return cls(URL.parse(shown).origin, _basic(parts.username, parts.password))

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the proxy itself wants to see."""
        return (("proxy-authorization", self.authorization),) if self.authorization else ()


def _basic(username: str | None, password: str | None) -> str:
    if username is None:
        return ""
    login = f"{unquote(username)}:{unquote(password or '')}"
    return f"Basic {b64encode(login.encode()).decode()}"


class Proxies:
    """The proxies for http and https origins, and the hosts that are reached without one."""

    def __init__(self, *, http: str = "", https: str = "", no_proxy: str = "") -> None:
        """Take the values as they stand in the environment. Raises `ValueError` for a URL that is no proxy's."""
        self._by_scheme = {
            scheme: Proxy.parse(value) for scheme, value in (("http", http), ("https", https)) if value.strip()
        }
        self._exceptions = tuple(no_proxy.replace(",", " ").lower().split())

    def choose(self, origin: Origin) -> Proxy | None:
        """The proxy for `origin`, None where it is reached directly."""
        proxy = self._by_scheme.get(origin.scheme)
        if proxy is None or any(_covers(exception, origin) for exception in self._exceptions):
            return None
        return proxy


def _covers(exception: str, origin: Origin) -> bool:
    """Whether an entry of NO_PROXY (`*`, host, .domain, host:port, address, network) covers the origin."""
    if exception in ("*", origin.host, origin.authority):
        return True
    if "/" in exception:
        return _in_network(origin.host, exception)
    name, colon, port = exception.rpartition(":")
    if colon and port.isdecimal() and "]" not in port:
        return int(port) == origin.port and _covers(name.strip("[]"), origin)
    return origin.host.endswith("." + exception.removeprefix("*").removeprefix("."))


def _in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
