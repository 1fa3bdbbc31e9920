"""What must be true before a request goes to the CLI: there is one, it keeps the contract, and it is logged in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from claude_openai_proxy.errors import NoLoginError, ProxyError
from claude_openai_proxy.translate.claude_code.errors import LOG_IN
from claude_openai_proxy.upstreams.claude_code.binary import Binary, inspect
from claude_openai_proxy.upstreams.claude_code.contract import prove
from claude_openai_proxy.upstreams.claude_code.environment import config_directory
from claude_openai_proxy.upstreams.claude_code.login import CliLogin, auth_status, preferred_login
from claude_openai_proxy.upstreams.claude_code.private import remove_leftovers

FRESH_SECONDS: Final = 60.0
REMEMBERED_SECONDS: Final = 5.0
"""Whoever asks so soon after a failure, or for the login alone, is told the same: each look takes processes."""


_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Ready:
    """A CLI that may be used, and the environment that gives it `login`."""

    binary: Binary
    login: CliLogin
    environment: Mapping[str, str]


class Setup:
    """Finds out once, and again when the CLI was updated or its login failed.

    `withhold_keys`: API keys stay out of the process unless they are the only login; `keys` are more of them, with the
    base URL that they belong to.
    """

    def __init__(
        self,
        find: Callable[[Mapping[str, str]], Path | None],
        environment: Mapping[str, str],
        state_dir: Path,
        *,
        keys: Mapping[str, str],
        withhold_keys: bool,
    ) -> None:
        self._find = find
        self._environment = environment
        self._keys = keys
        self._state_dir = state_dir
        self._withhold_keys = withhold_keys
        self._one_at_a_time = asyncio.Lock()
        self.known: Ready | None = None
        """The last result; None until there is one, and after `forget`."""
        self._looked = 0.0
        self._unfit: tuple[ProxyError, Binary, float] | None = None
        """The check that a binary failed, and when; None once one passed."""
        self._failed: tuple[ProxyError, int, float] | None = None
        """The last failure, of which state of the login, and when."""
        self._seen: tuple[tuple[Binary, CliLogin], int, float] | None = None
        """The last look at the login alone, likewise."""
        self._changes = 0
        """Of the login. A check that was under way meanwhile looked at the old one: its result does not count."""

    @property
    def unfit(self) -> ProxyError | None:
        """Why the binary that is there must not be used, as far as is known; stays until it passes or is replaced."""
        return self._unfit[0] if self._unfit is not None and self._unfit[1].unchanged() else None

    @property
    def seen(self) -> tuple[Binary, CliLogin] | None:
        """What is known of program and login, whether or not it was used yet; None after `forget`."""
        if self.known is not None:
            return self.known.binary, self.known.login
        return self._seen[0] if self._seen is not None and self._seen[1] == self._changes else None

    async def ready(self) -> Ready:
        """Raises `NoLoginError`, and `UpstreamError` where the CLI is not fit for use."""
        if self.known is not None and self.known.binary.unchanged():
            return self.known
        came = time.monotonic()
        async with self._one_at_a_time:
            while self.known is None or not self.known.binary.unchanged():
                if self._unfit is not None and self.unfit is not None and _lately(self._unfit[2]):
                    raise self.unfit.with_traceback(None)
                changes = self._changes
                ready = await self._remembering(self._prepare, came)
                if changes == self._changes:
                    self.known = ready
            return self.known

    async def binary(self) -> Binary:
        """The program there is. Raises as `inspect`."""
        return await inspect(self._find(self._environment), self._environment)

    async def prove(self, binary: Binary) -> bool:
        """Check the contract; False where an earlier proof was enough. Raises `UpstreamProtocolError`."""
        return await prove(binary, self._environment, self._state_dir)

    async def login(self, *, again: bool = False) -> tuple[Binary, CliLogin]:
        """What the CLI says now, contract or not; who waits for a look of another's shares it, except `again`."""
        came = time.monotonic()
        async with self._one_at_a_time:
            if not again and self._seen is not None and self._seen[1] == self._changes and came <= self._seen[2]:
                # Found while this one waited: whoever comes later looks anew, a login counts at once.
                return self._seen[0]
            changes = self._changes
            binary, login, _ = await self._remembering(self._look, came)
            self._seen = (binary, login), changes, time.monotonic()
            return binary, login

    def fresh(self) -> Ready | None:
        """The last result while it is young enough to be told without asking the CLI again."""
        young = self.known is not None and time.monotonic() - self._looked < FRESH_SECONDS
        return self.known if young and self.known is not None and self.known.binary.unchanged() else None

    def use(self, environment: Mapping[str, str], keys: Mapping[str, str]) -> None:
        """From now on choose from these variables."""
        if (environment, keys) != (self._environment, self._keys):
            self._environment, self._keys = environment, keys
            self.forget()

    def forget(self) -> None:
        """The login was refused: look again before the next request."""
        self.known = None
        self._changes += 1

    def _counts(self, changes: int, at: float) -> bool:
        return changes == self._changes and _lately(at)

    async def _remembering(self, look: Callable[[], Awaitable[_Found]], came: float) -> _Found:
        """What `look` finds; a failure is told to all who come in the next seconds without looking again.

        That nobody is logged in is told to those alone who came before it was found: a login counts at once.
        """
        if self._failed is not None and self._counts(*self._failed[1:]):
            error, _, at = self._failed
            if came <= at or not isinstance(error, NoLoginError):
                raise error.with_traceback(None)
        changes = self._changes
        try:
            return await look()
        except ProxyError as error:
            if self._unfit is None or error is not self._unfit[0]:
                self._failed = error, changes, time.monotonic()
            raise

    async def _prepare(self) -> Ready:
        await asyncio.to_thread(remove_leftovers, config_directory(self._environment))
        binary, login, environment = await self._look()
        if login.kind == "none":
            raise NoLoginError(f"Claude Code is not logged in. {LOG_IN}")
        await self._judge(binary)
        return Ready(binary, login, environment)

    async def _judge(self, binary: Binary) -> None:
        """What it finds is of the binary, and says nothing of the login."""
        try:
            await self.prove(binary)
        except ProxyError as error:
            self._unfit = error, binary, time.monotonic()
            raise
        self._unfit = None

    async def _look(self) -> tuple[Binary, CliLogin, Mapping[str, str]]:
        self._looked = time.monotonic()
        binary = await self.binary()
        if not self._withhold_keys:
            everything = {**self._environment, **self._keys}
            return binary, await auth_status(binary.path, everything), everything
        login, environment = await preferred_login(binary.path, self._environment, self._keys)
        return binary, login, environment


def _lately(at: float) -> bool:
    return time.monotonic() - at < REMEMBERED_SECONDS
