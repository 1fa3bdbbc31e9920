"""`GET /v1/key`: what a client key is, told to whoever holds it, and to an operator of any."""

import math
from typing import Final, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.allowances import Allowances, Standing
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.storage.client_keys import StoredKey
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange

_encode: Final = msgspec.json.Encoder().encode


class MinuteReport(Struct, frozen=True):
    """Of the last minute; all of it is there again after `reset_seconds` without a request."""

    limit: int
    remaining: int
    reset_seconds: int


class BudgetReport(Struct, frozen=True):
    """US dollars of a day (UTC) by list price; `reserved` by requests under way; the next day in `reset_seconds`."""

    limit: float
    spent: float
    reserved: float
    reset_seconds: int


class LimitsOfKey(Struct, frozen=True):
    """Those that the key has."""

    requests_per_minute: MinuteReport | UnsetType = UNSET
    tokens_per_minute: MinuteReport | UnsetType = UNSET
    dollars_per_day: BudgetReport | UnsetType = UNSET


class KeyReport(Struct, frozen=True):
    """Times are seconds since 1970; `models` empty: all of them; `stored`: made with `keys add`."""

    name: str
    stored: bool
    operator: bool
    models: tuple[str, ...]
    created: int | None = None
    expires: int | None = None
    limits: LimitsOfKey | UnsetType = UNSET
    """Absent where it has none."""
    object: Literal["key"] = "key"


class KeyPage:
    """The own key; `?name=` another one, for an operator."""

    def __init__(self, keys: ClientKeys, allowances: Allowances) -> None:
        self._keys = keys
        self._allowances = allowances

    async def __call__(self, exchange: Exchange) -> None:
        """One object. Raises `ClientRefusedError` for another's key without being an operator, or for none."""
        async with ClientWatch(exchange):
            report = await self._report(exchange)
            await exchange.answer(200, _encode(report), headers=((b"cache-control", b"no-store"),))

    async def _report(self, exchange: Exchange) -> KeyReport:
        who = exchange.record.principal
        name = parse_qs(exchange.query.decode("latin-1")).get("name", [who.name])[-1]
        if name == who.name:
            return await self._report_of(who, self._keys.stored(who))
        if not who.operator:
            raise ClientRefusedError("A client key sees its own row only.", status=403, code="operator_only")
        for key in self._keys.valid():
            if key.name == name:
                return await self._report_of(key.principal, key)
        raise ClientRefusedError("No valid key has that name.", status=404, code="key_not_found")

    async def _report_of(self, who: Principal, key: StoredKey | None) -> KeyReport:
        return KeyReport(
            name=who.name,
            stored=key is not None,
            operator=who.operator,
            models=who.models,
            created=int(key.created) if key else None,
            expires=int(key.expires) if key and key.expires is not None else None,
            limits=_limits(await self._allowances.standing(who)) if who.limits else UNSET,
        )


def _limits(standing: Standing) -> LimitsOfKey:
    minutes = {one.kind: MinuteReport(one.limit, one.remaining, math.ceil(one.reset)) for one in standing.minutes}
    budget: BudgetReport | UnsetType = UNSET
    if standing.budget is not None:
        limit, spent, reserved, seconds = standing.budget
        budget = BudgetReport(limit, round(spent, 6), round(reserved, 6), math.ceil(seconds))
    return LimitsOfKey(minutes.get("requests", UNSET), minutes.get("tokens", UNSET), budget)
