"""`GET /v1/models` and `GET /v1/models/{id}`."""

from typing import Final

import msgspec

from claude_openai_proxy.protocols.openai_chat_response import ModelList
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange

_encode: Final = msgspec.json.Encoder().encode


class ModelPages:
    """The models, all or one; `exchange.rest` is the id."""

    def __init__(self, catalog: ModelCatalog) -> None:
        self._catalog = catalog

    async def all(self, exchange: Exchange) -> None:
        """In OpenAI's list."""
        async with ClientWatch(exchange):
            await exchange.answer(
                200, _encode(ModelList(data=await self._catalog.list(exchange.record.principal.models)))
            )

    async def one(self, exchange: Exchange) -> None:
        """By its id, or by an alias."""
        async with ClientWatch(exchange):
            await exchange.answer(200, _encode(await self._catalog.get(exchange.rest)))
