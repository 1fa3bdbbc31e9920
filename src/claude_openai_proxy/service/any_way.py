"""Asking once more where another way is open: what admits, translates and asks is entered again, from its beginning.

Each way may want another translation, so nothing of the first try is kept but the record.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import ContextVar
from functools import partial
from types import TracebackType
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

    def opened(*args: Given.args, **kwargs: Given.kwargs) -> _OnAnyWay[Opened]:
        return _OnAnyWay(partial(opening, *args, **kwargs))

    return opened


class _OnAnyWay(AbstractAsyncContextManager[Opened]):
    __slots__ = ("_enter", "_opening")

    def __init__(self, enter: Callable[[], AbstractAsyncContextManager[Opened]]) -> None:
        self._enter: Callable[[], AbstractAsyncContextManager[Opened]] | None = enter

    async def __aenter__(self) -> Opened:
        # It holds the request, which may be large, and its answer may take long.
        enter, self._enter = self._enter, None
        assert enter is not None, "is entered once"
        token = _asks_again.set(True)
        try:
            while True:
                self._opening = enter()
                with suppress(AnotherWayError):
                    return await self._opening.__aenter__()
        finally:
            _asks_again.reset(token)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self._opening.__aexit__(kind, error, traceback)
