"""`/v1/batches`, `/v1/batches/{id}`, `/v1/batches/{id}/cancel` (https://platform.openai.com/docs/api-reference/batch)."""

from typing import Final

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_batches import Batch, BatchRequest
from claude_openai_proxy.service.batches.batches import Batches
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import check_json
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.json_body import json_text, not_this, too_deep
from claude_openai_proxy.web.query import Query

LONGEST_IDEMPOTENCY_KEY: Final = 255

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(BatchRequest).decode


class BatchPages:
    """Every answer about one batch says how its lines are run, in `x-batch-mode`."""

    def __init__(self, batches: Batches, *, bodies: Bodies) -> None:
        self._batches = batches
        self._bodies = bodies

    async def create(self, exchange: Exchange) -> None:
        """`POST`: a new one, whose file is read afterwards."""
        check_json(exchange)
        async with self._bodies.read(exchange) as body:
            request = _request(body.take())
            key = exchange.header(b"idempotency-key")
            if len(key) > LONGEST_IDEMPOTENCY_KEY:
                raise InvalidRequestError(f"Idempotency-Key is longer than {LONGEST_IDEMPOTENCY_KEY} characters.")
            async with ClientWatch(exchange):
                batch, mode = await self._batches.create(request, exchange.record.principal, key=key)
                await _answer(exchange, batch, mode)

    async def all(self, exchange: Exchange) -> None:
        """`GET`: a page, the newest first."""
        async with ClientWatch(exchange):
            asked = Query(exchange.query).page("desc")
            if not asked.descending:
                raise InvalidRequestError("Batches are listed with the newest first.", param="order")
            page = await self._batches.page(exchange.record.principal, after=asked.after or "", limit=asked.limit)
            await exchange.answer(200, _encode(page))

    async def one(self, exchange: Exchange) -> None:
        """`GET`: as it is now."""
        async with ClientWatch(exchange):
            batch, mode = await self._batches.one(exchange.rest, exchange.record.principal)
            await _answer(exchange, batch, mode)

    async def cancel(self, exchange: Exchange) -> None:
        """`POST`: it is to end. What is in the body does not matter."""
        async with ClientWatch(exchange):
            batch, mode = await self._batches.cancel(exchange.rest, exchange.record.principal)
            await _answer(exchange, batch, mode)


def _request(body: bytes) -> BatchRequest:
    try:
        return _decode(json_text(body))
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_this(error) from None


async def _answer(exchange: Exchange, batch: Batch, mode: str) -> None:
    await exchange.answer(200, _encode(batch), headers=((b"x-batch-mode", mode.encode()),))
