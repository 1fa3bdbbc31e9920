"""Whether a connection at rest has heard something that the event loop has not told yet."""

import asyncio
import select
from typing import Final

_POLLS: Final = hasattr(select, "poll")
"""Windows has only `select`, which there takes any socket; elsewhere it takes none above 1023."""


def has_news(transport: asyncio.BaseTransport) -> bool:
    """Whether bytes or the end have come in. On a connection that nobody asked anything, either makes it useless.

    The event loop sees the other side's farewell only on its next turn, and a request written before that is lost.
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        # No network: the demonstration's own transport, or a test's.
        return False
    if not _POLLS:
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))
