"""How many connections there may be, and who makes room."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from claude_openai_proxy.serving.connections import Connections, address_group
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.web.asgi import HTTPScope, Receive, Send
from serving.raw import Echo, answer, client_of, get, serving, talking
from web.serving import served


@dataclass(eq=False)
class Guest:
    address: str = "192.0.2.1"
    since: float = 0.0
    idle: bool = True
    aborted: bool = False
    looks: int = 0
    seen_enough: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self, now: float) -> None:
        assert now == 10.0
        self.looks += 1
        if self.looks == 3:
            self.seen_enough.set()

    def abort(self) -> None:
        self.aborted = True


async def test_the_oldest_stranger_of_an_address_makes_room() -> None:
    connections = Connections(Limits(strangers=2), lambda: 10.0)
    guests = [Guest() for _ in range(4)]
    assert all(connections.admit(guest) for guest in guests)
    assert [guest.aborted for guest in guests] == [True, True, False, False]
    assert len(connections) == 2


async def test_those_who_have_only_just_come_are_given_their_time() -> None:
    connections = Connections(Limits(strangers=2, stranger_seconds=1), lambda: 10.0)
    guests = [Guest(since=9.5) for _ in range(50)]
    assert all(connections.admit(guest) for guest in guests)
    assert not any(guest.aborted for guest in guests)


async def test_other_addresses_are_not_touched() -> None:
    connections = Connections(Limits(strangers=1), lambda: 10.0)
    friend, stranger = Guest(address="192.0.2.2"), Guest()
    for guest in (friend, stranger, Guest()):
        connections.admit(guest)
    assert (friend.aborted, stranger.aborted) == (False, True)


async def test_who_has_shown_a_key_or_is_being_answered_stays() -> None:
    connections = Connections(Limits(strangers=2), lambda: 10.0)
    known, busy, silent = Guest(), Guest(idle=False), Guest()
    connections.admit(known)
    connections.vouch(known)
    for guest in (busy, silent, Guest()):
        connections.admit(guest)
    assert (known.aborted, busy.aborted, silent.aborted) == (False, False, True)


async def test_the_last_places_are_kept_for_those_who_are_known() -> None:
    connections = Connections(Limits(most_connections=3), lambda: 10.0)
    known = [Guest(address=f"192.0.2.{number}") for number in range(2)]
    for guest in known:
        connections.admit(guest)
        connections.vouch(guest)
    stranger, newer = Guest(), Guest(address="192.0.2.9")
    connections.admit(stranger)
    assert connections.admit(newer)
    assert stranger.aborted
    connections.vouch(newer)
    assert not connections.admit(Guest())
    connections.leave(known[0])
    assert connections.admit(Guest())


async def test_every_open_connection_is_looked_at() -> None:
    connections = Connections(Limits(sweep_seconds=0.01), lambda: 10.0)
    stays, goes = Guest(), Guest()
    connections.admit(stays)
    connections.admit(goes)
    connections.leave(goes)
    await stays.seen_enough.wait()
    assert goes.looks == 0
    connections.leave(stays)


async def test_a_look_that_comes_late_judges_nobody() -> None:
    """The loop stood still: what clients did meanwhile has not been noticed yet."""
    connections, guest = Connections(Limits(sweep_seconds=0.01), lambda: 10.0), Guest()
    connections.admit(guest)
    time.sleep(0.05)  # noqa: ASYNC251 - the loop is to stand still
    for _ in range(2):
        await asyncio.sleep(0)
    assert guest.looks == 0
    await guest.seen_enough.wait()
    connections.leave(guest)


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("/run/socket", "/run/socket"),
    ],
)
def test_who_counts_as_one(host: str, group: str) -> None:
    assert address_group(host) == group


# ---- on sockets -----------------------------------------------------------------------------------------------------

FEW = Limits(strangers=3, stranger_seconds=0.0)


async def test_silent_connections_keep_nobody_out() -> None:
    async with served(Echo(), FEW) as url, client_of(url) as first, client_of(url), client_of(url):
        async with client_of(url) as last:
            await last.send(get())
            assert (await last.answer()).status == 200
        assert await first.everything() == b""


async def test_a_connection_that_was_vouched_for_is_kept() -> None:
    async def vouching(scope: HTTPScope, _receive: Receive, send: Send) -> None:
        scope["extensions"]["claude_openai_proxy"].vouch()
        await answer(send)

    async with served(serving(vouching), FEW) as url, client_of(url) as known:
        await known.send(get())
        await known.answer()
        for _ in range(10):
            async with client_of(url), client_of(url), client_of(url), client_of(url):
                pass
        await known.send(get())
        assert (await known.answer()).status == 200


async def test_a_place_that_is_taken_is_told_by_the_end_of_the_connection() -> None:
    async with talking(Echo(), Limits(most_connections=0)) as client:
        assert await client.everything() == b""
