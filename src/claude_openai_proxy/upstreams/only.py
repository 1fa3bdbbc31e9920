"""The `UpstreamChoice` of a server that has just one upstream and needs no login for it: the demo."""

from collections.abc import Awaitable, Callable

from claude_openai_proxy.upstreams.interface import Upstream, UpstreamStatus


class OnlyUpstream:
    """Always the same upstream; `closing` closes what stands behind it."""

    def __init__(self, upstream: Upstream, *, login: str, closing: Callable[[], Awaitable[None]]) -> None:
        self._upstream = upstream
        self._login = login
        self._closing = closing

    async def current(self) -> Upstream:
        """See `UpstreamChoice.current`."""
        return self._upstream

    async def status(self, *, deep: bool = False) -> UpstreamStatus:
        """See `UpstreamChoice.status`."""
        reachable = (await self._upstream.status(deep=True)).reachable if deep else None
        kind = self._upstream.identity.kind
        return UpstreamStatus(logged_in=True, login=self._login, kind=kind, billed="nobody", reachable=reachable)

    async def aclose(self) -> None:
        """See `UpstreamChoice.aclose`."""
        await self._upstream.aclose()
        await self._closing()
