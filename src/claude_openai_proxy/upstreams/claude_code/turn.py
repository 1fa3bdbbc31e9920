"""One request on one process: what goes in, what comes out, and how long silence may last."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from claude_openai_proxy.errors import ProxyError, TimeoutPhase, UpstreamTimeoutError
from claude_openai_proxy.protocols.anthropic import MessagesRequest, StreamEvent
from claude_openai_proxy.protocols.claude_code import ControlRequestFrame, Frame, StreamEventFrame
from claude_openai_proxy.translate.claude_code.answer import AnswerReader
from claude_openai_proxy.translate.claude_code.request import mcp_answer, system_text, tool_names, turn_frames
from claude_openai_proxy.upstreams.claude_code.process import CliProcess
from claude_openai_proxy.upstreams.interface import AnswerFacts

_ENDS: Final = frozenset({"end_turn", "stop_sequence", "tool_use"})
"""Stop reasons after which a process is used again. After any other the CLI might go on by itself: it is killed."""


class Turn:
    """A `MessageStream` over a process. `deadline` is a time of the loop's clock, or None."""

    def __init__(
        self,
        process: CliProcess,
        request: MessagesRequest,
        facts: AnswerFacts,
        *,
        now: float,
        timeout: float,
        deadline: float | None,
    ) -> None:
        self.process = process
        self._request = request
        self._tools = tool_names(request)
        self._reader = AnswerReader(model=request.model, now=now)
        self._timeout = timeout
        self._deadline = deadline
        self._first: Sequence[StreamEvent] = ()
        self._error: ProxyError | None = None
        """Read together with events that came before it: raised once they are handed over."""
        self._facts = facts
        self._heard = False
        """The process has said anything since it was asked; what it is told first it answers at once."""

    @property
    def done(self) -> bool:
        """Whether the answer is complete."""
        return self._reader.done

    @property
    def reusable(self) -> bool:
        """Whether the answer is complete and ended in a way that the process can be used after."""
        return self._reader.done and self._error is None and self._reader.stop_reason in _ENDS

    @property
    def settled(self) -> bool:
        """Whether the CLI itself has ended the turn, too."""
        return self._reader.settled

    async def begin(self) -> None:
        """Send the request and wait for the first events of the answer. Raises the errors of `MessageStream`."""
        self.process.uses += 1
        self.process.prompted |= bool(system_text(self._request))
        self.process.write(turn_frames(self._request))
        self._first = await self._next_events()

    async def __aiter__(self) -> AsyncIterator[Sequence[StreamEvent]]:
        """The batches: first the one that `begin` waited for; whoever iterates again goes on from there."""
        first, self._first = self._first, ()
        if first:
            yield first
        while not self._reader.done:
            yield await self._next_events()

    async def _next_events(self) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        while not events:
            if self._error is not None:
                raise self._error
            events = self._read(await self._next_frames())
        return events

    def _read(self, frames: Sequence[Frame]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        try:
            for frame in frames:
                events += self._feed(frame)
        except ProxyError as error:
            self._error = error
        if not frames:
            self._error = self._reader.ended(heard=self._heard)
        self._heard = True
        if self._reader.done and not self.reusable:
            self.process.kill()
        return events

    def _feed(self, frame: Frame) -> list[StreamEvent]:
        if isinstance(frame, StreamEventFrame):
            return self._reader.feed(frame)
        if isinstance(frame, ControlRequestFrame):
            answer = mcp_answer(frame, self._tools)
            if answer is not None:
                self.process.write(answer)
            return []
        events = self._reader.feed(frame)
        self._facts.request_id = self._reader.request_id
        self._facts.rate_limits = self._reader.rate_limits
        return events

    async def _next_frames(self) -> list[Frame]:
        within = self._timeout
        if self._deadline is not None:
            within = min(within, max(0.0, self._deadline - asyncio.get_running_loop().time()))
        try:
            return await self.process.frames(within=within)
        except TimeoutError as error:
            raise self._silence() from error

    def _silence(self) -> UpstreamTimeoutError:
        total = self._deadline is not None and asyncio.get_running_loop().time() >= self._deadline
        phase: TimeoutPhase = "total" if total else "between events" if self._reader.started else "first byte"
        if total:
            return UpstreamTimeoutError("Claude's answer took longer than the total time allowed.", phase=phase)
        message = f"Claude was silent for {self._timeout:g} s ({phase}), through the Claude Code CLI."
        return UpstreamTimeoutError(message, phase=phase, request_id=self._reader.request_id or None)
