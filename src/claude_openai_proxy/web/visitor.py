"""From where a request comes, and by which name it reached the proxy: as it says, or as a trusted proxy before it says.

Without trusted proxies the `x-forwarded-*` headers say nothing: anybody can send them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Header = Callable[[bytes], str]
"""A header of the request by its lower-case name, "" where it is absent."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """`address` of the client, "" where nobody knows it; `host` as it was typed there, `named` every name that came."""

    address: str = ""
    scheme: str = "http"
    host: str = ""
    named: tuple[str, ...] = ("",)

    @property
    def origin(self) -> str:
        """Of the proxy's own pages."""
        return f"{self.scheme}://{self.host}"


class TrustedProxies:
    """`networks`: addresses or networks of the proxies before this one whose word counts."""

    def __init__(self, networks: Collection[str] = ()) -> None:
        self._networks = [ip_network(network, strict=False) for network in networks]

    def visitor(self, peer: str, header: Header) -> Visitor:
        """`peer` is the other end of the connection. A forwarded name counts beside `host`, never instead of it."""
        host = header(b"host")
        if not self._networks or not self._trusts(_address(peer)):
            return Visitor(peer, "http", host, (host,))
        forwarded = _last(header(b"x-forwarded-host"))
        scheme = "https" if _last(header(b"x-forwarded-proto")).lower() == "https" else "http"
        address = self._client(peer, header(b"x-forwarded-for"))
        return Visitor(address, scheme, forwarded or host, (host, forwarded) if forwarded else (host,))

    def _client(self, peer: str, forwarded_for: str) -> str:
        """The last one in the chain that is no trusted proxy: what stands before it anybody may have written."""
        client = peer
        for item in reversed(forwarded_for.split(",")):
            address = _address(item.strip())
            if address is None:
                break
            client = str(address)
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(_within(address, network) for network in self._networks)


def _within(address: IPv4Address | IPv6Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """With or without port and brackets; an IPv4 address on an IPv6 socket is an IPv4 address.

    A zone (`fe80::1%eth0`) is left out: it may be any text.
    """
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _last(values: str) -> str:
    """What the nearest proxy added."""
    return values.rpartition(",")[2].strip()
