"""Which way to Claude is taken now: the first login in Claude Code's order decides."""

from typing import Protocol

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.upstreams.current_login import CurrentLogin
from claude_openai_proxy.upstreams.interface import Upstream, UpstreamStatus
from claude_openai_proxy.upstreams.login import NO_LOGIN, Login, UpstreamName


class ClaudeCodeAccess(Protocol):
    """The Claude Code CLI of this machine, as far as the choice needs it."""

    async def subscription(self) -> str:
        """What the CLI says of its own login (`Claude Max`); "" where there is none or no CLI."""
        ...

    async def upstream(self, login: Login) -> Upstream:
        """The upstream that answers through the CLI. Raises `NoLoginError` where there is no CLI that can."""
        ...

    async def aclose(self) -> None:
        """End every process."""
        ...


class SelectedUpstream:
    """The `UpstreamChoice` of a server: asks for the login again with every request."""

    def __init__(
        self,
        *,
        logins: CurrentLogin,
        api: Upstream,
        claude_code: ClaudeCodeAccess | None = None,
        preference: UpstreamName = "auto",
    ) -> None:
        self.logins = logins
        self._api = api
        self._claude_code = claude_code
        self._preference = preference
        self._kind = "none"

    @property
    def kind(self) -> str:
        """The kind that answered last or would answer."""
        return self._kind

    async def login(self) -> Login | None:
        """The login that decides. Raises `NoLoginError` where one is set that will not be used."""
        login = self.logins.find()
        if login is None or (self._preference == "claude-code" and login.via == "claude-code" and _is_key(login)):
            return self.logins.find(subscription=await self._subscription()) or login
        return login

    async def current(self) -> Upstream:
        """See `UpstreamChoice.current`."""
        login = await self.login()
        if login is None:
            self._kind = "none"
            raise NoLoginError(NO_LOGIN)
        upstream = self._api if login.via == "api" else await self._through_the_cli(login)
        self._kind = upstream.identity.kind
        return upstream

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `UpstreamChoice.status`."""
        try:
            login = await self.login()
            upstream = await self.current()
        except NoLoginError as error:
            return UpstreamStatus(logged_in=False, login="", detail=error.message)
        assert login is not None, "current() raises without one"
        status = await upstream.status(deep=deep)
        return UpstreamStatus(
            logged_in=status.logged_in,
            login=login.source,
            billed=login.billed,
            reachable=status.reachable,
            detail=status.detail,
        )

    async def shadowed_subscription(self) -> str:
        """A subscription that stays unused because a key comes first; "" where there is none."""
        login = await self.login()
        return await self._subscription() if login is not None and login.via == "api" else ""

    async def aclose(self) -> None:
        """See `UpstreamChoice.aclose`."""
        await self._api.aclose()
        if self._claude_code:
            await self._claude_code.aclose()

    async def _through_the_cli(self, login: Login) -> Upstream:
        if self._claude_code is None:
            raise NoLoginError(f"{login.source} can only be used through Claude Code, which is not available here.")
        return await self._claude_code.upstream(login)

    async def _subscription(self) -> str:
        if self._claude_code is None or self._preference == "api":
            return ""
        return await self._claude_code.subscription()


def _is_key(login: Login) -> bool:
    return login.kind in {"auth_token", "api_key", "api_key_helper"}
