"""What a script does, one step after the other. A step that is a dict is a stream event; bytes go out as they are."""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from claude_openai_proxy.simulator.loose_json import JSONObject


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence for this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """Silence until the test sets this event."""

    event: asyncio.Event


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence until the caller leaves."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The TCP connection is aborted (a reset, no farewell)."""


@dataclass(frozen=True, slots=True)
class Close:
    """The answer ends here, politely: a correct last chunk, then the connection is closed."""


Step: TypeAlias = JSONObject | bytes | Pause | Gate | Hang | Cut | Close
