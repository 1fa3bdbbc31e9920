"""Addresses of host names: looked up once for all who wait, and remembered for a moment, failures too.

The event loop looks up only a few names at a time. A resolver that takes its time would hold back every request behind
those few, if each looked for itself.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
LookUp = Callable[[str, int], Awaitable[Sequence[tuple[int, Address]]]]
"""Family and address of each way to host and port, at least one. Raises `OSError`."""

KNOWN_SECONDS: Final = 30.0
FAILED_SECONDS: Final = 1.0


async def look_up(host: str, port: int) -> list[tuple[int, Address]]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Names:
    """One question for each name at a time."""

    def __init__(self, ask: LookUp = look_up, *, known_seconds: float = KNOWN_SECONDS) -> None:
        self._ask = ask
        self._known_seconds = known_seconds
        self._answers: dict[tuple[str, int], asyncio.Task[Sequence[tuple[int, Address]]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[tuple[int, Address]]:
        """The ways to host and port. Raises `OSError`, to all who wait for the same name the same one."""
        answer = self._answers.get((host, port))
        if answer is None:
            answer = self._answers[host, port] = asyncio.create_task(self._answer(host, port))
        # Unlike awaiting it, waiting for it does not cancel it for the others when one of them leaves.
        await asyncio.wait([answer])
        return answer.result()

    def forget(self, host: str, port: int) -> None:
        """None of its addresses answered: the next one asks again."""
        answer = self._answers.get((host, port))
        if answer is not None and answer.done():
            del self._answers[host, port]

    async def _answer(self, host: str, port: int) -> Sequence[tuple[int, Address]]:
        kept = FAILED_SECONDS
        try:
            found = await self._ask(host, port)
            kept = self._known_seconds
            return found
        finally:
            asyncio.get_running_loop().call_later(kept, self._drop, host, port, asyncio.current_task())

    def _drop(self, host: str, port: int, answer: object) -> None:
        if self._answers.get((host, port)) is answer:
            del self._answers[host, port]
