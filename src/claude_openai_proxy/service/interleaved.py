"""Several choices at once (`n` > 1): as many upstream streams, merged as they come."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, Self

from claude_openai_proxy.service.answer_parts import Piece
from claude_openai_proxy.service.answering import Answering


class Interleaved(Generic[Piece]):
    """Runs each `Answering` in a task, `at_once` of them; the first failure fails all, leaving cancels all."""

    def __init__(self, choices: Sequence[Answering[Piece]], *, at_once: int | None = None) -> None:
        self.choices = choices
        self._at_once = min(len(choices), at_once or len(choices))
        self._turns = asyncio.Semaphore(self._at_once)
        self._tasks: list[asyncio.Task[None]] = []
        self._arrived: asyncio.Queue[list[Piece] | BaseException | None] = asyncio.Queue()
        # As many batches wait as there are choices: a slow client holds back every stream.
        self._room = asyncio.Semaphore(len(choices))
        # The official SDK puts a stream together in the order in which its choices begin: it must be theirs.
        self._begun = [asyncio.Event() for _ in choices]
        self._opened = 0
        self._all_opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        """Returns once upstream has answered every request that may run at once."""
        for number, choice in enumerate(self.choices):
            task = asyncio.create_task(self._run(number, choice))
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._cancel)
            await self._all_opened
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cancel what still runs upstream."""
        await self._cancel()

    async def __aiter__(self) -> AsyncIterator[list[Piece]]:
        """Pieces of all choices as they come, the first ones in the choices' order; raises the first failure."""
        running = len(self.choices)
        while running:
            item = await self._arrived.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
                continue
            self._room.release()
            yield item

    async def _run(self, number: int, choice: Answering[Piece]) -> None:
        async with self._turns, choice:
            self._opened += 1
            if self._opened == self._at_once:
                self._all_opened.set_result(None)
            async for batch in choice:
                if number:
                    await self._begun[number - 1].wait()
                await self._room.acquire()
                self._arrived.put_nowait(batch)
                self._begun[number].set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._all_opened.done():
            self._all_opened.set_exception(error)
        self._arrived.put_nowait(error)

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
