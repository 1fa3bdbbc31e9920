"""Which path leads where. Paths match exactly, with or without `/v1`, with or without a slash at the end."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from claude_openai_proxy.web.chat.completions import ChatCompletions
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.models import ModelPages
from claude_openai_proxy.web.pages.health import HealthPage
from claude_openai_proxy.web.pages.page import Page

Endpoint = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is its path in records and error texts."""

    name: str
    method: str
    endpoint: Endpoint
    access: Access = "key"

    @property
    def methods(self) -> str:
        """For `allow`."""
        return "GET, HEAD, OPTIONS" if self.method == "GET" else f"{self.method}, OPTIONS"

    def takes(self, method: str) -> bool:
        """HEAD goes wherever GET goes."""
        return method == self.method or (method == "HEAD" and self.method == "GET")


class Router:
    """`exact` by path without `/v1`; `below` takes whatever follows its path and a slash."""

    def __init__(self, exact: Mapping[str, Route], below: Mapping[str, Route]) -> None:
        self._exact = {spelling: route for path, route in exact.items() for spelling in _spellings(path)}
        self._below = dict(below)

    def find(self, path: str) -> tuple[Route, str] | None:
        """The route of `path`, and what follows it; None where nothing is."""
        if route := self._exact.get(path):
            return route, ""
        bare = path.removeprefix("/v1").rstrip("/")
        for prefix, below in self._below.items():
            if bare.startswith(prefix + "/") and bare != prefix:
                return below, bare[len(prefix) + 1 :]
        return None

    @property
    def offered(self) -> str:
        """Every route, for the text of a 404."""
        routes = dict.fromkeys([*self._exact.values(), *self._below.values()])
        return ", ".join(f"{route.method} {route.name}" for route in routes)


def make_router(chat: ChatCompletions, models: ModelPages, health: HealthPage, page: Page) -> Router:
    """The routes of this server."""
    return Router(
        exact={
            "/chat/completions": Route("/v1/chat/completions", "POST", chat),
            "/models": Route("/v1/models", "GET", models.all),
            "/health": Route("/health", "GET", health, access="health"),
            "/": Route("/", "GET", page, access="page"),
        },
        below={"/models": Route("/v1/models/{id}", "GET", models.one)},
    )


def _spellings(path: str) -> set[str]:
    bare = path.rstrip("/")
    return {bare or "/", f"{bare}/", f"/v1{bare}", f"/v1{bare}/"}
