"""`GET /v1/key`: what a client key is, told to whoever holds it, and to an operator of any."""

from typing import Final, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.storage.client_keys import StoredKey
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange

_encode: Final = msgspec.json.Encoder().encode


class KeyReport(Struct, frozen=True):
    """Times are seconds since 1970; `models` empty: all of them; `stored`: made with `keys add`."""

    name: str
    stored: bool
    operator: bool
    models: tuple[str, ...]
    created: int | None = None
    expires: int | None = None
    object: Literal["key"] = "key"


class KeyPage:
    """The own key; `?name=` another one, for an operator."""

    def __init__(self, keys: ClientKeys) -> None:
        self._keys = keys

    async def __call__(self, exchange: Exchange) -> None:
        """One object. Raises `ClientRefusedError` for another's key without being an operator, or for none."""
        async with ClientWatch(exchange):
            await exchange.answer(200, _encode(self._report(exchange)), headers=((b"cache-control", b"no-store"),))

    def _report(self, exchange: Exchange) -> KeyReport:
        who = exchange.record.principal
        name = parse_qs(exchange.query.decode("latin-1")).get("name", [who.name])[-1]
        if name == who.name:
            return _report(who, self._keys.stored(who))
        if not who.operator:
            raise ClientRefusedError("A client key sees its own row only.", status=403, code="operator_only")
        for key in self._keys.valid():
            if key.name == name:
                return _report(Principal(key.name, key.id, key.models, operator=key.operator), key)
        raise ClientRefusedError("No valid key has that name.", status=404, code="key_not_found")


def _report(who: Principal, key: StoredKey | None) -> KeyReport:
    return KeyReport(
        name=who.name,
        stored=key is not None,
        operator=who.operator,
        models=who.models,
        created=int(key.created) if key else None,
        expires=int(key.expires) if key and key.expires is not None else None,
    )
