"""Making a process forget the conversation that it had, before it may serve another."""

import asyncio
from collections.abc import Sequence
from typing import Final

from claude_openai_proxy.errors import UpstreamConnectionError
from claude_openai_proxy.protocols.claude_code import ControlRequestFrame, Frame
from claude_openai_proxy.translate.claude_code.clear import ClearReader
from claude_openai_proxy.translate.claude_code.request import clear_frames, mcp_answer
from claude_openai_proxy.upstreams.claude_code.process import CliProcess

SETTLE_SECONDS: Final = 2.0
"""How long after an answer the CLI may take to end its turn; it does so at once where the budget is spent."""
CLEAR_SECONDS: Final = 10.0
"""On an idle machine it takes some 20 ms."""


async def clear(process: CliProcess, *, model: str, settled: bool) -> None:
    """Return once the process has forgotten its turn for `model`; `settled` says that the CLI ended that turn.

    Raises `TimeoutError` and `UpstreamError` where the process does anything but that: it must be ended then.
    """
    reader = ClearReader(settled=settled)
    async with asyncio.timeout(SETTLE_SECONDS):
        while not reader.settled:
            _feed(reader, process, await process.frames(within=None))
    async with asyncio.timeout(CLEAR_SECONDS):
        process.write(clear_frames(model, prompted=process.prompted))
        while not reader.cleared:
            _feed(reader, process, await process.frames(within=None))


def _feed(reader: ClearReader, process: CliProcess, frames: Sequence[Frame]) -> None:
    if not frames:
        raise UpstreamConnectionError("The Claude Code process ended.", reached=False)
    for frame in frames:
        reader.feed(frame)
        if isinstance(frame, ControlRequestFrame) and (answer := mcp_answer(frame, ())):
            process.write(answer)
