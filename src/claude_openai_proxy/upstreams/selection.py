"""Which way to Claude is taken now: the first login in Claude Code's order decides."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from claude_openai_proxy.errors import NoLoginError, PersonalPlanError, ProxyError, UpstreamError
from claude_openai_proxy.logins.current import CurrentLogin
from claude_openai_proxy.logins.layers import Layer
from claude_openai_proxy.logins.login import NO_LOGIN, Login
from claude_openai_proxy.trust import UpstreamName
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.login import CliLogin
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamStatus

ASK_AGAIN_SECONDS = 3.0
"""While nobody is logged in, the CLI is asked so often at most: each question starts a process."""


class SelectedUpstream:
    """The `UpstreamChoice` of a server: the login is looked up again with every request.

    `refusal` says why a login of the CLI must not serve here, or "": a personal plan stays one person's.
    """

    def __init__(
        self,
        *,
        logins: CurrentLogin,
        api: Upstream,
        claude_code: ClaudeCode,
        preference: UpstreamName,
        refusal: Callable[[CliLogin], str],
        clock: Callable[[], float],
    ) -> None:
        self.logins = logins
        self.api = api
        self.claude_code = claude_code
        self._preference = preference
        self._refusal = refusal
        self._clock = clock
        self._layers: tuple[Layer, ...] | None = None
        self._login: Login | None = None
        self._asked: tuple[float, CliLogin | ProxyError] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> Upstream:
        """See `UpstreamChoice.current`. Raises `PersonalPlanError` where the login is not for so many."""
        login = self.configured()
        if login is not None and login.via == "api":
            return self.api
        await self._use_cli(login)
        return self.claude_code

    async def of_kind(self, kind: UpstreamName) -> Upstream:
        """The way of this kind, whichever comes first. Raises `NoLoginError`, `PersonalPlanError`, `UpstreamError`.

        Through Claude Code by its own login alone: with a key it would be the same as by the API.
        """
        self.configured()
        if kind == "api":
            await self.logins.credential()
            return self.api
        cli = self.claude_code.known_login or await self._looked_up()
        if isinstance(cli, ProxyError):
            raise cli
        if cli.kind in ("none", "api key"):
            raise NoLoginError(NO_LOGIN)
        if refusal := self._refusal(cli):
            raise PersonalPlanError(refusal)
        return self.claude_code

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `UpstreamChoice.status`."""
        try:
            upstream = await self.current()
        except UpstreamError as error:
            return UpstreamStatus(logged_in=False, login="", reachable=False, detail=error.message)
        except ProxyError as error:
            return UpstreamStatus(logged_in=False, login="", detail=error.message)
        status = await upstream.status(deep=deep)
        if upstream is self.claude_code and not status.logged_in:
            return UpstreamStatus(logged_in=False, login="", detail=status.detail or NO_LOGIN)
        identity = upstream.identity
        status = replace(status, kind=identity.kind, account=status.account or identity.account)
        if upstream is self.claude_code or self._login is None:
            return status
        return replace(status, login=self._login.source, billed=self._login.billed)

    async def prepare(self) -> None:
        """Make Claude Code ready where it is the way now; what fails is told to who asks, as always."""
        with suppress(ProxyError):
            if await self.current() is self.claude_code:
                await self.claude_code.prepare()

    async def shadowed_subscription(self) -> str:
        """A login of the CLI that stays unused because a key comes first; "" where there is none. Asks the CLI."""
        if self._preference != "auto" or not self._by_key():
            return ""
        cli = await self._cli_login()
        return cli.words if isinstance(cli, CliLogin) and cli.personal else ""

    async def start_refusal(self) -> str:
        """Why the login that would be used must not serve here; "" where it may, or nobody knows. Asks the CLI."""
        if self._by_key():
            return ""
        cli = await self._cli_login()
        return self._refusal(cli) if isinstance(cli, CliLogin) else ""

    def notes(self) -> tuple[str, ...]:
        """What a person should know of the login, and of settings files that could not be used."""
        login = self.configured()
        return (*self.logins.problems(), *(login.notes() if login else ()))

    async def aclose(self) -> None:
        """See `UpstreamChoice.aclose`."""
        await self.api.aclose()
        await self.claude_code.aclose()

    def configured(self) -> Login | None:
        """The login that settings name; the CLI's own is not among them. Raises `UntrustedLoginError`."""
        layers = self.logins.layers()
        if layers is not self._layers:
            self.claude_code.use_environment(self.logins.cli_environment(), keys=self.logins.cli_keys())
            self._asked = None
            self._login = self.logins.find()
            self._layers = layers
        return self._login

    def _by_key(self) -> bool:
        login = self.configured()
        return login is not None and login.via == "api"

    async def _use_cli(self, configured: Login | None) -> None:
        cli = await self._cli_login()
        if isinstance(cli, ProxyError):
            # Without a CLI and any other sign of a login, how to get one is what matters.
            wanted = configured is not None or self._preference == "claude-code"
            raise cli if wanted or isinstance(cli, UpstreamError) else NoLoginError(NO_LOGIN)
        if cli.kind == "none":
            raise NoLoginError(NO_LOGIN)
        if refusal := self._refusal(cli):
            raise PersonalPlanError(refusal)

    async def _cli_login(self) -> CliLogin | ProxyError:
        if self._preference == "api":
            return NoLoginError(NO_LOGIN)
        return self.claude_code.known_login or await self._looked_up()

    async def _looked_up(self) -> CliLogin | ProxyError:
        async with self._one_at_a_time:
            while self._asked is None or self._clock() >= self._asked[0]:
                layers, answer = self._layers, await self._ask()
                if layers is self._layers:
                    self._asked = (self._clock() + ASK_AGAIN_SECONDS, answer)
            return self._asked[1]

    async def _ask(self) -> CliLogin | ProxyError:
        try:
            return await self.claude_code.login()
        except ProxyError as error:
            return error
