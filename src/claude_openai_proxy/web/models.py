"""`GET /v1/models` and `GET /v1/models/{id}`: OpenAI's, or Anthropic's for whoever sends `anthropic-version`.

Codex asks with `client_version` and finds its own catalogue in OpenAI's list, as `models` beside `data`.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import ModelRow, ModelRows
from claude_openai_proxy.protocols.codex_models import CodexModel
from claude_openai_proxy.protocols.openai_chat_response import ModelList
from claude_openai_proxy.service.codex_models import codex_models
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.messages.dialect import speaks_messages

MOST_ROWS: Final = 1000
"""On one of Anthropic's pages (https://docs.anthropic.com/en/api/models-list)."""
ROWS: Final = 20
"""Where the client does not say how many."""

_encode: Final = msgspec.json.Encoder().encode


class _ListForCodex(ModelList, frozen=True, kw_only=True, tag="list"):
    """One body for both of its readers."""

    models: list[CodexModel]


class ModelPages:
    """The models, all or one; `exchange.rest` is the id."""

    def __init__(self, catalog: ModelCatalog) -> None:
        self._catalog = catalog

    async def all(self, exchange: Exchange) -> None:
        """In OpenAI's list, or on a page of Anthropic's."""
        async with ClientWatch(exchange):
            allowed = exchange.record.principal.models
            if speaks_messages(exchange):
                await exchange.answer(200, _encode(_page(await self._catalog.rows(allowed), exchange)))
            else:
                rows = await self._catalog.list(allowed)
                asks_as_codex = "client_version" in _asked(exchange)
                listed = _ListForCodex(data=rows, models=codex_models(rows)) if asks_as_codex else ModelList(data=rows)
                await exchange.answer(200, _encode(listed))

    async def one(self, exchange: Exchange) -> None:
        """By its id, or by an alias."""
        async with ClientWatch(exchange):
            if speaks_messages(exchange):
                await exchange.answer(200, _encode(await self._catalog.row(exchange.rest)))
            else:
                await exchange.answer(200, _encode(await self._catalog.get(exchange.rest)))


def _asked(exchange: Exchange) -> dict[str, str]:
    """The query; of a name that comes twice the last one counts."""
    return {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}


def _page(rows: Sequence[ModelRow], exchange: Exchange) -> ModelRows:
    """The part of `rows` that the query asks for: `limit`, and `after_id` or `before_id`. Raises on a wrong one."""
    asked = _asked(exchange)
    limit = _limit(asked.get("limit"))
    ids = [row.id for row in rows]
    if "before_id" in asked:
        end = _place(asked["before_id"], ids, "before_id")
        start = max(0, end - limit)
        more = start > 0
    else:
        start = _place(asked["after_id"], ids, "after_id") + 1 if "after_id" in asked else 0
        end = min(len(rows), start + limit)
        more = end < len(rows)
    page = list(rows[start:end])
    return ModelRows(page, more, page[0].id if page else None, page[-1].id if page else None)


def _limit(asked: str | None) -> int:
    if asked is None:
        return ROWS
    if not (asked.isdecimal() and len(asked) <= 4 and 1 <= int(asked) <= MOST_ROWS):
        raise InvalidRequestError(f"limit: must be a number from 1 to {MOST_ROWS}", param="limit")
    return int(asked)


def _place(id_: str, ids: Sequence[str], name: str) -> int:
    if id_ not in ids:
        raise InvalidRequestError(f"{name}: no such model", param=name)
    return ids.index(id_)
