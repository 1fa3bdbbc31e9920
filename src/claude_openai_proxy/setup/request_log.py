"""What the proxy's own log says of a client's requests: the proof that they came, and who sent them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

LOOK_AGAIN_SECONDS: Final = 0.25
OWN: Final = "claude-openai-proxy"
"""How the user agents of our own commands begin."""


class _Line(msgspec.Struct):
    """What is read of a line of the log."""

    time: str
    status: int
    client: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """`client` is its user agent, as the log has it."""

    client: str
    status: int


class RequestLog:
    """`lines`: the last ones, JSON each; of several workers those of whichever answers. Raises `NotReadyError`."""

    def __init__(
        self,
        lines: Callable[[], Iterable[str]],
        *,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._lines = lines
        self._now = wall_clock
        self._sleep = sleep

    def now(self) -> float:
        """The moment to ask `first_since` with."""
        return self._now()

    def first_since(self, moment: float, *, seconds: float) -> SeenRequest | None:
        """A request for a model that has ended since `moment` and was not ours, waited for; one with status 200 where
        there is one. Raises `NotReadyError` where the log is not shown.
        """
        patience = self._now() + seconds
        while True:
            seen = sorted(self._since(moment), key=lambda request: request.status != 200)
            if seen and (seen[0].status == 200 or self._now() >= patience):
                return seen[0]
            if self._now() >= patience:
                return None
            self._sleep(LOOK_AGAIN_SECONDS)

    def _since(self, moment: float) -> Iterable[SeenRequest]:
        for line in self._lines():
            one = msgspec.json.decode(line, type=_Line)
            ended = datetime.fromisoformat(one.time).timestamp()
            # The log counts milliseconds.
            if one.model and not one.client.startswith(OWN) and ended >= moment - 0.001:
                yield SeenRequest(one.client, one.status)
