"""What an answer is put together with, whatever the dialect: a translator of its own, and who keeps it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from claude_openai_proxy.protocols.anthropic import MessagesRequest, StreamEvent, Usage

Piece = TypeVar("Piece")
"""What a dialect's answer is made of: chunks, events, lines."""


class Progress(Protocol):
    """What is known of an answer in no dialect's shape. (`AnswerStream` is one.)"""

    @property
    def usage(self) -> Usage:
        """So far."""
        ...

    @property
    def messages(self) -> tuple[Usage, ...]:
        """Of each message by itself."""
        ...

    @property
    def cut(self) -> bool:
        """An emulated stop was reached."""
        ...

    @property
    def paused(self) -> bool:
        """The last message ended with `pause_turn`."""
        ...

    @property
    def skipped(self) -> int:
        """Events that nothing was made of."""
        ...

    @property
    def unfenced(self) -> bool:
        """A code fence around a JSON answer was left out."""
        ...


class Translator(Protocol[Piece]):
    """Stream events into a dialect's pieces: the way back of one choice, whatever the dialect."""

    @property
    def answer(self) -> Progress:
        """What is known of the answer."""
        ...

    @property
    def finish_reason(self) -> str | None:
        """How the answer ended, in the dialect's word; None before `finish`."""
        ...

    def feed(self, event: StreamEvent) -> list[Piece]:
        """What this event adds. Raises `UpstreamProtocolError`."""
        ...

    def finish(self) -> list[Piece]:
        """What comes last. Raises `UpstreamProtocolError`."""
        ...


class Keeper(Protocol):
    """Keeps what an answer said. (`TurnKeeper` is one.)"""

    def feed(self, events: Sequence[StreamEvent]) -> None:
        """All that upstream sends."""
        ...

    def go_on(self) -> None:
        """The turn has paused."""
        ...

    def begin_again(self, request: MessagesRequest) -> None:
        """What came does not count; another request is asked."""
        ...

    async def keep(self) -> None:
        """The answer is complete and its end about to go out: takes a moment at most, and raises nothing."""
        ...
