"""The Claude Code upstream: the CLI with its own login, in processes that serve one request at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from claude_openai_proxy.errors import (
    NoLoginError,
    NotOfferedError,
    ProxyError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamStatusError,
)
from claude_openai_proxy.protocols.anthropic import MessagesRequest, ModelInfo
from claude_openai_proxy.protocols.claude_code import OfferedModel
from claude_openai_proxy.translate.claude_code.big_numbers import with_exact_numbers
from claude_openai_proxy.translate.claude_code.models import offered_models
from claude_openai_proxy.translate.claude_code.request import system_text
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.upstreams.claude_code.binary import Binary, find_cli
from claude_openai_proxy.upstreams.claude_code.login import CliLogin, check_account
from claude_openai_proxy.upstreams.claude_code.pool import IDLE_SECONDS, Pool
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch
from claude_openai_proxy.upstreams.claude_code.setup import Ready, Setup
from claude_openai_proxy.upstreams.claude_code.start_lock import StartLock
from claude_openai_proxy.upstreams.claude_code.turn import Turn
from claude_openai_proxy.upstreams.interface import (
    AnswerFacts,
    Identity,
    MessageStream,
    PoolStatus,
    UpstreamStatus,
)

CONNECT_RETRIES: Final = 2


class ClaudeCode:
    """Claude through the Claude Code CLI.

    `cli`: the program, "" to look for it. `environment`: what the process's own is chosen from; `keys`: what is
    added to it where the CLI has no other login, a key and the base URL that belongs to it. `state_dir`: where the
    result of the contract check is kept, and the lock that all who start processes with this login take. Times in
    seconds; `retries` of a 5xx before the first event, 0 also switches off those after a failed connect.
    `pool_size` processes are kept ready (0: a fresh one for each request), up to `pool_largest` under load.
    `withhold_keys`: leave API keys out, unless they are the only login.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        state_dir: Path,
        cli: str = "",
        keys: Mapping[str, str] = MappingProxyType({}),
        timeout: float = 60.0,
        total_timeout: float | None = None,
        pool_size: int = 2,
        pool_largest: int = 16,
        pool_idle_seconds: float = IDLE_SECONDS,
        retries: int = 1,
        pause: float = 0.25,
        withhold_keys: bool = True,
    ) -> None:
        self._timeout = timeout
        self._total_timeout = total_timeout
        self._retries = retries
        self._pause = pause
        self._pool = Pool(
            size=pool_size, largest=pool_largest, idle_seconds=pool_idle_seconds, lock=StartLock(state_dir)
        )
        self._largest = pool_largest
        self._used: Ready | None = None
        """What the processes of the pool were started with."""
        self._menu: tuple[Ready, Sequence[OfferedModel]] | None = None
        """What a process of this login said of the models: the same for all of them."""
        self._refused: set[str] = set()
        """Models that this login was refused, whatever the menu says."""
        self._setup = Setup(
            lambda given: find_cli(cli, given), environment, state_dir, keys=keys, withhold_keys=withhold_keys
        )

    @property
    def identity(self) -> Identity:
        """Version, account and payer are those of the CLI, known once it was looked at."""
        if (seen := self._setup.seen) is None:
            return Identity(kind="claude-code", version="", account="")
        binary, login = seen
        return Identity("claude-code", binary.version, login.account, login.payer)

    @property
    def capabilities(self) -> Capabilities:
        """`metadata` stays the CLI's own, and its menu of models is shorter than what it accepts."""
        return Capabilities(
            metadata=False, complete_model_list=False, system_is_marked=True, simultaneous=self._largest
        )

    async def prepare(self) -> None:
        """Find the CLI, check it and start spare processes. Raises `NoLoginError` and `UpstreamError`."""
        await self._prepare()
        self._pool.refill()

    @property
    def known_login(self) -> CliLogin | None:
        """The login in use; None before the first request and after a refusal."""
        return self._setup.known.login if self._setup.known else None

    @property
    def pool(self) -> PoolStatus:
        """Its processes."""
        return self._pool.status

    def use_environment(
        self, environment: Mapping[str, str], *, keys: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Choose what a process is given from these; a login that was found with others is looked up again."""
        self._setup.use(environment, keys)
        if self._setup.known is None:
            self._pool.discard_idle("login")

    async def binary(self) -> Binary:
        """The CLI there is. Raises `NoLoginError` without one, `UpstreamError` for a broken or old one."""
        return await self._setup.binary()

    async def prove(self, binary: Binary) -> bool:
        """Check the contract; False where an earlier proof was enough. Raises `UpstreamProtocolError`."""
        return await self._setup.prove(binary)

    async def login(self) -> CliLogin:
        """The login that the CLI has now. Raises `NoLoginError` without a CLI, `UpstreamError` for a broken one."""
        return (await self._setup.login())[1]

    def stream(
        self,
        request: MessagesRequest,
        facts: AnswerFacts,
        *,
        whole: bool = False,  # noqa: ARG002 - the CLI streams
    ) -> AbstractAsyncContextManager[MessageStream]:
        """See `Upstream.stream`; leaving frees the process, or ends it."""
        exact = with_exact_numbers(request)
        if exact is not request:
            facts.note("big_numbers_as_text")
        return self._stream(exact, facts)

    async def models(self) -> list[ModelInfo]:
        """The CLI's menu of models: a seed, not all that it accepts, and without what it has refused."""
        ready = await self._prepare()
        if self._menu is None or self._menu[0] is not ready:
            self._pool.give_back(await self._take())
        assert self._menu is not None, "whoever takes a process has seen its menu"
        return [model for model in offered_models(self._menu[1]) if model.id not in self._refused]

    async def count_tokens(self, request: MessagesRequest) -> int:
        """Not offered by the CLI. Raises `NotOfferedError`."""
        raise NotOfferedError(
            f"Tokens for {request.model} cannot be counted through Claude Code: counting needs an API key."
        )

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `Upstream.status`; `deep` also checks the contract and starts a process."""
        try:
            binary, login = await self._look(deep=deep)
        except UpstreamError as error:
            return UpstreamStatus(logged_in=False, login="", reachable=False, detail=error.message)
        except ProxyError as error:
            return UpstreamStatus(logged_in=False, login="", detail=error.message)
        trouble = self._setup.unfit or self._pool.trouble
        told = UpstreamStatus(
            logged_in=login.kind != "none",
            login=f"{login.words} (Claude Code {binary.version})",
            billed=login.billed,
            pool=self.pool,
            account=login.account,
            reachable=False if trouble else None,
            detail=trouble.message if trouble else "",
        )
        return told if not deep else await self._deep_status(told)

    async def aclose(self) -> None:
        """End all processes."""
        await self._pool.aclose()

    # ---- one request ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _stream(self, request: MessagesRequest, facts: AnswerFacts) -> AsyncIterator[MessageStream]:
        turn = await self._begin(request, facts)
        try:
            # Only now: a process that starts takes the processor away from the one that is just being asked.
            self._pool.refill()
            yield turn
        finally:
            self._release(turn, request.model)

    def _release(self, turn: Turn, model: str) -> None:
        if turn.reusable:
            self._pool.recycle(turn.process, model=model, settled=turn.settled)
        else:
            self._pool.retire(turn.process, "stop reason" if turn.done else "unfinished", interrupt=not turn.done)

    async def _begin(self, request: MessagesRequest, facts: AnswerFacts) -> Turn:
        loop = asyncio.get_running_loop()
        deadline = None if self._total_timeout is None else loop.time() + self._total_timeout
        repairs: list[str] = []
        while True:
            try:
                return await self._try(request, deadline, facts)
            except UpstreamError as error:
                repair = self._retry_of(error, repairs)
                if repair is None:
                    raise
            repairs.append(repair)
            facts.note(repair)
            await asyncio.sleep(self._pause)

    async def _try(self, request: MessagesRequest, deadline: float | None, facts: AnswerFacts) -> Turn:
        process = await self._take(prompted=bool(system_text(request)))
        facts.account = self.identity.account
        turn = Turn(process, request, facts, now=time.time(), timeout=self._timeout, deadline=deadline)
        with ExitStack() as undo:
            undo.callback(self._pool.retire, process, "failed", interrupt=True)
            try:
                await turn.begin()
            except (NoLoginError, UpstreamStatusError) as error:
                if isinstance(error, UpstreamStatusError):
                    self._refused |= {request.model} if error.refusal == "model" else set()
                if isinstance(error, NoLoginError) or error.status == 401:
                    self._forget_login()
                raise
            undo.pop_all()
        return turn

    def _retry_of(self, error: UpstreamError, repairs: list[str]) -> str | None:
        """The repair to try after `error`: a second chance, where nothing of an answer has come."""
        if not self._retries:
            return None
        if isinstance(error, UpstreamStatusError) and error.status >= 500:
            return "retried_5xx" if repairs.count("retried_5xx") < self._retries else None
        if isinstance(error, UpstreamConnectionError) and not error.reached and not self._pool.trouble:
            return "connect_retried" if repairs.count("connect_retried") < CONNECT_RETRIES else None
        return None

    # ---- processes -----------------------------------------------------------------------------------------------

    async def _prepare(self) -> Ready:
        ready = await self._setup.ready()
        if ready is not self._used:
            self._use(ready)
        return ready

    def _use(self, ready: Ready) -> None:
        if self._used is not None and self._used.login != ready.login:
            self._refused.clear()
        self._setup.known = self._used = ready
        self._pool.use(Launch(ready.binary.path, ready.environment))

    async def _take(self, *, prompted: bool = True) -> CliProcess:
        ready = await self._prepare()
        process = await self._pool.take(prompted=prompted)
        with ExitStack() as undo:
            undo.callback(self._forget_login)
            undo.callback(self._pool.retire, process, "login", interrupt=False)
            check_account(process.initialized.account, ready.login)
            self._menu = ready, process.initialized.models
            undo.pop_all()
        return process

    async def _look(self, *, deep: bool) -> tuple[Binary, CliLogin]:
        if not deep and (fresh := self._setup.fresh()):
            return fresh.binary, fresh.login
        binary, login = await self._setup.login(again=deep)
        known = self._setup.known
        if known is not None and known.login != login:
            self._forget_login()
        return binary, login

    def _forget_login(self) -> None:
        self._setup.forget()
        self._pool.discard_idle("login")

    async def _deep_status(self, told: UpstreamStatus) -> UpstreamStatus:
        if self.pool.busy >= self._largest:
            return replace(
                told, reachable=True, detail="", pool=self.pool
            )  # All are answering: proof enough, and none is free.
        try:
            self._pool.give_back(await self._take())
        except ProxyError as error:
            return replace(told, reachable=False, detail=error.message)
        return replace(told, reachable=True, detail="", pool=self.pool)
