"""Asking once more where another way is open: what admits, translates and asks is entered again, from its beginning.

Each way may want another translation, so nothing of the first try is kept but the record.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Opened = TypeVar("Opened")

_asks_again: ContextVar[bool] = ContextVar("_asks_again", default=False)


class AnotherWayError(Exception):
    """Nothing of an answer has come, and another way is open."""


def asks_again() -> bool:
    """Whether whoever asks now would ask once more: only then may an error be kept from the client for that."""
    return _asks_again.get()


def on_any_way(
    opening: Callable[Given, AbstractAsyncContextManager[Opened]],
) -> Callable[Given, AbstractAsyncContextManager[Opened]]:
    """`opening`, entered again as often as it raises `AnotherWayError`."""

    @asynccontextmanager
    async def opened(*args: Given.args, **kwargs: Given.kwargs) -> AsyncIterator[Opened]:
        enter = partial(opening, *args, **kwargs)
        del args, kwargs
        async with AsyncExitStack() as stack:
            answer = await _entered(stack, enter)
            del enter  # It holds the request, which may be large, and its answer may take long.
            yield answer

    return opened


async def _entered(stack: AsyncExitStack, opening: Callable[[], AbstractAsyncContextManager[Opened]]) -> Opened:
    token = _asks_again.set(True)
    try:
        while True:
            with suppress(AnotherWayError):
                return await stack.enter_async_context(opening())
    finally:
        _asks_again.reset(token)
