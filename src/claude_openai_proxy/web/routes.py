"""Which path leads where, and what is told of paths that lead nowhere.

Paths match with or without `/v1`, with or without a slash at the end, and with any run of slashes as one. Azure's
spellings count too: `/openai/v1/...`, and `/openai/deployments/{model}/chat/completions`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from claude_openai_proxy.web.batches.batches import BatchPages
from claude_openai_proxy.web.chat.completions import ChatCompletions
from claude_openai_proxy.web.chat.stored import StoredCompletionPages
from claude_openai_proxy.web.completions.completions import Completions
from claude_openai_proxy.web.conversations.conversations import ConversationPages
from claude_openai_proxy.web.dialect import OPENAI, Dialect
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.files.files import FilePages
from claude_openai_proxy.web.messages.dialect import MESSAGES, speaks_messages
from claude_openai_proxy.web.messages.messages import Messages
from claude_openai_proxy.web.models import ModelPages
from claude_openai_proxy.web.pages.health import HealthPage
from claude_openai_proxy.web.pages.key import KeyPage
from claude_openai_proxy.web.pages.live import LivePages
from claude_openai_proxy.web.pages.metrics import MetricsPage
from claude_openai_proxy.web.pages.page import Page
from claude_openai_proxy.web.pages.plan import PlanPage
from claude_openai_proxy.web.pages.readme import readme, readme_access
from claude_openai_proxy.web.pages.usage import UsagePage
from claude_openai_proxy.web.responses.responses import Responses
from claude_openai_proxy.web.responses.socket import ResponsesSocket
from claude_openai_proxy.web.responses.stored import StoredResponsePages

Endpoint = Callable[[Exchange], Awaitable[None]]

_SLASHES: Final = re.compile(r"/{2,}")
_DEPLOYMENT: Final = re.compile(r"/deployments/(?P<rest>.+)(?P<path>/chat/completions)")
_CHAT_PATH: Final = "/chat/completions"
_TAKEN: Final = {"{id}": "([^/]+)", "{chat_id}": "(chatcmpl-[^/]+)", "{path}": "(.+)"}
"""What a pattern takes of a path. A base URL that ends with `_CHAT_PATH` makes paths that look like ids below it."""
_NOT_SERVED: Final = (
    "embeddings", "audio", "images", "videos", "uploads", "moderations",
    "assistants", "threads", "vector_stores", "fine_tuning", "realtime", "evals", "containers",
)  # fmt: skip
"""First words of paths that OpenAI serves and this proxy does not."""


def needs_key(_: Exchange) -> Access:
    """The rule."""
    return "key"


def openais(_: Exchange) -> Dialect:
    """The rule."""
    return OPENAI


def anthropics(_: Exchange) -> Dialect:
    """Of routes that only Anthropic has."""
    return MESSAGES


def dialect_meant(exchange: Exchange) -> Dialect:
    """Of routes that both APIs have, and of those that nobody has."""
    return MESSAGES if speaks_messages(exchange) else OPENAI


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is its path in records and error texts; `access` and `dialect` may depend on what is asked of it.

    `others`: what else can be done at the same path, by method.
    """

    name: str
    method: str
    endpoint: Endpoint
    access: Callable[[Exchange], Access] = needs_key
    dialect: Callable[[Exchange], Dialect] = openais
    others: tuple[tuple[str, Endpoint], ...] = ()

    @property
    def methods(self) -> str:
        """For `allow`."""
        named = [self.method, *(method for method, _ in self.others)]
        return ", ".join(f"{method}, HEAD" if method == "GET" else method for method in [*named, "OPTIONS"])

    def endpoint_of(self, method: str) -> Endpoint | None:
        """None where the method is not taken. HEAD goes wherever GET goes."""
        asked = "GET" if method == "HEAD" else method
        return self.endpoint if asked == self.method else dict(self.others).get(asked)


class Router:
    """`exact` by path without `/v1`; `below` by patterns of such paths, the first that fits.

    `{id}` in a pattern is one step of the path, `{path}` any number (`_TAKEN`); what stands there is taken.
    """

    def __init__(self, exact: Mapping[str, Route], below: Mapping[str, Route]) -> None:
        self._exact = dict(exact)
        self._as_clients_write = {f"/v1{path}": route for path, route in exact.items()}
        """The same with `/v1`: what most requests ask for."""
        self._below = {_pattern(path): route for path, route in below.items()}

    def find(self, path: str) -> tuple[Route, str] | None:
        """The route of `path`, and what it takes of it (ids with a slash between, the model in Azure's spelling).

        None where nothing is.
        """
        if route := self._as_clients_write.get(path):
            return route, ""
        bare = _bare(path)
        if route := self._exact.get(bare):
            return route, ""
        if (deployment := _DEPLOYMENT.fullmatch(bare)) and (route := self._exact.get(deployment["path"])):
            return route, deployment["rest"]
        for pattern, below in self._below.items():
            if taken := pattern.fullmatch(bare):
                return below, "/".join(taken.groups())
        return None

    @property
    def offered(self) -> str:
        """Every route, for the text of a 404."""
        routes = dict.fromkeys([*self._exact.values(), *self._below.values()])
        return ", ".join(
            f"{method} {route.name}"
            for route in routes
            for method in (route.method, *(other for other, _ in route.others))
        )

    def advice(self, path: str) -> str:
        """What is likely to be wrong with a path that leads nowhere; "" where nobody can tell."""
        bare = _bare(path)
        if bare.startswith("/v1/") and self.find(bare):
            return " The path has /v1 twice: the client adds its own, so take /v1 off the end of its base URL."
        if bare.startswith(_CHAT_PATH + "/") and self.find(bare.removeprefix(_CHAT_PATH)):
            return f" The base URL of the client must end with /v1, not with {_CHAT_PATH}."
        if (word := bare.removeprefix("/").partition("/")[0]) in _NOT_SERVED:
            return f" The API /v1/{word} is not served yet: use POST /v1/chat/completions."
        return ""


@dataclass(frozen=True, slots=True)
class OwnPages:
    """Of what neither API has: the server's state, and what can be known of it."""

    health: HealthPage
    page: Page
    key: KeyPage
    plan: PlanPage
    usage: UsagePage
    metrics: MetricsPage
    live: LivePages


def make_router(
    *,
    chat: ChatCompletions,
    completions: Completions,
    messages: Messages,
    responses: Responses,
    socket: ResponsesSocket,
    models: ModelPages,
    own: OwnPages,
    files: FilePages,
    batches: BatchPages,
    stored_completions: StoredCompletionPages,
    stored_responses: StoredResponsePages,
    conversations: ConversationPages,
) -> Router:
    """The routes of this server."""
    return Router(
        exact={
            _CHAT_PATH: Route("/v1/chat/completions", "POST", chat, others=(("GET", stored_completions.all),)),
            "/completions": Route("/v1/completions", "POST", completions),
            "/responses": Route("/v1/responses", "POST", responses, others=(("GET", socket),)),
            "/responses/compact": Route("/v1/responses/compact", "POST", responses.compact),
            "/responses/input_tokens": Route("/v1/responses/input_tokens", "POST", responses.input_tokens),
            **_message_routes(messages),
            "/models": Route("/v1/models", "GET", models.all, dialect=dialect_meant),
            "/files": Route("/v1/files", "GET", files.all, dialect=dialect_meant, others=(("POST", files.upload),)),
            "/batches": Route("/v1/batches", "GET", batches.all, others=(("POST", batches.create),)),
            "/conversations": Route("/v1/conversations", "POST", conversations.create),
            **_own_routes(own),
        },
        below={
            **_stored_completion_routes(stored_completions),
            **_stored_response_routes(stored_responses),
            **_conversation_routes(conversations),
            **_file_routes(files),
            **_batch_routes(batches),
            "/models/{path}": Route("/v1/models/{id}", "GET", models.one, dialect=dialect_meant),
        },
    )


def _message_routes(messages: Messages) -> dict[str, Route]:
    """Anthropic's own."""
    return {
        "/messages": Route("/v1/messages", "POST", messages.create, dialect=anthropics),
        "/messages/count_tokens": Route("/v1/messages/count_tokens", "POST", messages.count_tokens, dialect=anthropics),
    }


def _own_routes(own: OwnPages) -> dict[str, Route]:
    """Those that neither API has."""
    health, page = own.health, own.page
    return {
        "/key": Route("/v1/key", "GET", own.key),
        "/usage": Route("/usage", "GET", own.usage, access=own.usage.access),
        "/usage/link": Route("/usage/link", "POST", own.usage.link, access=own.usage.link_access),
        "/usage/session": Route("/usage/session", "POST", own.usage.session, access=own.usage.session_access),
        "/usage/plan": Route("/usage/plan", "GET", own.plan, access=own.plan.access),
        "/metrics": Route("/metrics", "GET", own.metrics, access=own.metrics.access),
        "/status": Route("/status", "GET", own.live.status, access=own.live.access),
        "/logs": Route("/logs", "GET", own.live.logs, access=own.live.access),
        "/health": Route("/health", "GET", health, access=health.access),
        "/ready": Route("/ready", "GET", health.ready, access=health.access),
        "/": Route("/", "GET", page, access=page.access),
        "/readme": Route("/readme", "GET", readme, access=readme_access),
    }


def _stored_completion_routes(completions: StoredCompletionPages) -> dict[str, Route]:
    return {
        "/chat/completions/{chat_id}/messages": Route(
            "/v1/chat/completions/{id}/messages", "GET", completions.messages
        ),
        "/chat/completions/{chat_id}": Route(
            "/v1/chat/completions/{id}",
            "GET",
            completions.one,
            others=(("POST", completions.update), ("DELETE", completions.delete)),
        ),
    }


def _stored_response_routes(responses: StoredResponsePages) -> dict[str, Route]:
    return {
        "/responses/{id}/cancel": Route("/v1/responses/{id}/cancel", "POST", responses.cancel),
        "/responses/{id}/input_items": Route("/v1/responses/{id}/input_items", "GET", responses.input_items),
        "/responses/{id}": Route("/v1/responses/{id}", "GET", responses.one, others=(("DELETE", responses.delete),)),
    }


def _conversation_routes(conversations: ConversationPages) -> dict[str, Route]:
    return {
        "/conversations/{id}/items/{id}": Route(
            "/v1/conversations/{id}/items/{item_id}",
            "GET",
            conversations.item,
            others=(("DELETE", conversations.delete_item),),
        ),
        "/conversations/{id}/items": Route(
            "/v1/conversations/{id}/items", "GET", conversations.items, others=(("POST", conversations.add_items),)
        ),
        "/conversations/{id}": Route(
            "/v1/conversations/{id}",
            "GET",
            conversations.one,
            others=(("POST", conversations.update), ("DELETE", conversations.delete)),
        ),
    }


def _batch_routes(batches: BatchPages) -> dict[str, Route]:
    return {
        "/batches/{id}/cancel": Route("/v1/batches/{id}/cancel", "POST", batches.cancel),
        "/batches/{id}": Route("/v1/batches/{id}", "GET", batches.one),
    }


def _file_routes(files: FilePages) -> dict[str, Route]:
    return {
        "/files/{path}/content": Route("/v1/files/{id}/content", "GET", files.content, dialect=dialect_meant),
        "/files/{path}": Route(
            "/v1/files/{id}", "GET", files.one, dialect=dialect_meant, others=(("DELETE", files.delete),)
        ),
    }


def _pattern(path: str) -> re.Pattern[str]:
    for name, steps in _TAKEN.items():
        path = path.replace(name, steps)
    return re.compile(path)


def _bare(path: str) -> str:
    """Without doubled slashes, without the slash at the end, and without what may stand before the route's own path."""
    bare = _SLASHES.sub("/", path).rstrip("/")
    for prefix in ("/openai", "/v1"):
        if bare == prefix or bare.startswith(prefix + "/"):
            bare = bare.removeprefix(prefix)
    return bare or "/"
