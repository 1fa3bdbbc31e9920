"""What models the current login is offered: one question to upstream at a time, one cache.

| state | a request |
|---|---|
| nothing known of this login, first question under way | waits for it, until `LISTING_SECONDS` after it was asked |
| nothing known, and the question failed or outlasted that | goes on without; asked again after `LIST_AGAIN_SECONDS` |
| known | takes it; once it is older than `LIST_FRESH_SECONDS` it is asked for anew meanwhile |
| another login | as at the beginning; an answer under way for the old one is dropped |
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.anthropic import ModelInfo
from claude_openai_proxy.upstreams.interface import Upstream

LIST_FRESH_SECONDS = 3600.0
LIST_AGAIN_SECONDS = 60.0
LISTING_SECONDS = 2.5
"""Clients that ask for the list wait for 3 s (Claude Code) or 5 s (Codex), then work as if there were none."""
_NEVER_ASKED = float("-inf")


class Listing(Struct, frozen=True, eq=False):
    """What one login was offered. `complete` says that a name which is not in it does not exist."""

    infos: Mapping[str, ModelInfo] = MappingProxyType({})
    complete: bool = False


class OfferedModels:
    """The listing of the current login, as far as it is known."""

    def __init__(self, clock: Callable[[], float], *, patience: float = LISTING_SECONDS) -> None:
        self._clock = clock
        self._patience = patience
        self._account = ""
        self._good_until = _NEVER_ASKED
        self._question: asyncio.Task[None] | None = None
        self._waiting_ends = 0.0
        self.known = Listing()
        """The last one; asks nobody."""
        self.trouble = ""
        """Why there is no newer one; "" where the last question was answered."""

    async def of(self, upstream: Upstream) -> Listing:
        """The listing for a request to `upstream`. Never raises `ProxyError`: it may be an empty one."""
        if upstream.identity.account != self._account:
            self._another_login(upstream.identity.account)
        if self._clock() >= self._good_until and not self._asking:
            self._ask(upstream)
        if self._question is not None and self._asking and not self.known.infos:
            left = self._waiting_ends - asyncio.get_running_loop().time()
            _, pending = await asyncio.wait([self._question], timeout=max(0.0, left))
            if pending:
                self.trouble = f"Claude's side has not told its models within {self._patience:g} s."
        return self.known

    async def aclose(self) -> None:
        """Stop a question under way."""
        if self._question is not None:
            self._question.cancel()
            await asyncio.wait([self._question])

    @property
    def _asking(self) -> bool:
        return self._question is not None and not self._question.done()

    def _another_login(self, account: str) -> None:
        # A login becomes known with its first use, which the question itself may be: that one goes on.
        if self._account and self._question is not None:
            self._question.cancel()
            self._question = None
        if self._account or not self._asking:
            self.known, self._good_until = Listing(), _NEVER_ASKED
        self._account = account

    def _ask(self, upstream: Upstream) -> None:
        self._question = asyncio.create_task(self._answer(upstream))
        if self._good_until == _NEVER_ASKED:
            self._waiting_ends = asyncio.get_running_loop().time() + self._patience

    async def _answer(self, upstream: Upstream) -> None:
        good_for = LIST_AGAIN_SECONDS
        try:
            infos = await upstream.models()
            # Upstream vouches that this is the offer of the login that it names now.
            self._account = upstream.identity.account
            self.known = Listing({info.id: info for info in infos}, upstream.capabilities.complete_model_list)
            good_for, self.trouble = LIST_FRESH_SECONDS, ""
        except ProxyError as error:
            self.trouble = error.message
        finally:
            if asyncio.current_task() is self._question:
                self._good_until = self._clock() + good_for
