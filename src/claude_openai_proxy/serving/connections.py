"""All open connections: how many there may be, from whom, and who has waited too long.

| a connection is | counted | may be closed for a newer one |
|---|---|---|
| a stranger's: no request on it passed the doors | per address, in all | after `stranger_seconds`, while idle |
| vouched for: a key was shown, or none is asked for | in all | no |
| gone | no | |

Invariants: a connection is among the strangers of exactly one address, or vouched for; an address without strangers is
not kept; the sweep runs exactly while there are connections.
"""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from claude_openai_proxy.serving.limits import Limits


class Guest(Protocol):
    """A connection, as far as it is counted here."""

    address: str
    since: float

    @property
    def idle(self) -> bool:
        """Whether no answer is made on it."""
        ...

    def check(self, now: float) -> None:
        """Look at the deadlines."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Connections:
    """`clock` counts seconds, as the connections' own times do."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._open: dict[Guest, None] = {}
        self._strangers: dict[Guest, None] = {}
        self._strangers_of: dict[str, dict[Guest, None]] = {}
        self._sweeping = False
        self._due = 0.0
        """When the next sweep is to be, by the loop's time."""

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def admit(self, guest: Guest) -> bool:
        """Count a new connection; False where there is no room for it, nor anybody who could make room."""
        of_address = self._strangers_of.get(guest.address, {})
        if len(of_address) >= self._limits.strangers:
            self._close_oldest(of_address)
        if len(self._open) >= self._limits.most_connections and not self._close_oldest(self._strangers):
            return False
        self._open[guest] = self._strangers[guest] = None
        self._strangers_of.setdefault(guest.address, {})[guest] = None
        if not self._sweeping:
            self._sweeping = True
            self._sweep_later()
        return True

    def vouch(self, guest: Guest) -> None:
        """A request on this connection has passed the doors."""
        if guest not in self._strangers:
            return
        del self._strangers[guest]
        of_address = self._strangers_of[guest.address]
        del of_address[guest]
        if not of_address:
            del self._strangers_of[guest.address]

    def leave(self, guest: Guest) -> None:
        """It is gone."""
        self._open.pop(guest, None)
        self.vouch(guest)

    def _close_oldest(self, strangers: Iterable[Guest]) -> bool:
        """The one who came first and has no answer made; those who have only just come are given their time."""
        young = self._clock() - self._limits.stranger_seconds
        for guest in strangers:
            if guest.since > young:
                return False
            if guest.idle:
                self.leave(guest)
                guest.abort()
                return True
        return False

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + self._limits.sweep_seconds
        loop.call_at(self._due, self._sweep)

    def _sweep(self) -> None:
        """One that comes late judges nobody: while the loop stood still, what clients did was not noticed."""
        late = asyncio.get_running_loop().time() - self._due
        if late < self._limits.sweep_seconds:
            now = self._clock()
            for guest in list(self._open):
                guest.check(now)
        self._sweeping = bool(self._open)
        if self._sweeping:
            self._sweep_later()


def address(name: object) -> tuple[str, int] | None:
    """Host and port of one side of a connection."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) >= 2 else None


def address_group(host: str) -> str:
    """Who counts as one: an IPv4 address; of IPv6 the network that one subscriber has (/64)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return host
