"""Which models there are, what each alias stands for now, and what a model accepts."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import UNSET, Struct

from claude_openai_proxy.errors import ModelNotFoundError, ProxyError
from claude_openai_proxy.protocols.openai_chat_response import Model
from claude_openai_proxy.service.offered_models import Listing, OfferedModels
from claude_openai_proxy.translate.models.facts import BUILT_IN, LINES, ModelFacts, facts_for, newest_active
from claude_openai_proxy.upstreams.interface import Upstream

SHOWN_CHARACTERS = 200
"""Of a name that nobody knows."""
FACTS_KEPT = 256
"""Models whose facts are put together once, not for every request."""

_DATE = re.compile(r"-\d{8}")


class ModelNames(Struct, frozen=True):
    """What the user set: alias -> line or model id, and the model for absent or unknown names."""

    aliases: Mapping[str, str]
    default: str | None = None


class ResolvedModel(Struct, frozen=True):
    """`asked` is the client's name, `id` the one that goes upstream."""

    asked: str
    id: str
    facts: ModelFacts


class ModelCatalog:
    """Models of the current upstream, asked once an hour; the built-in table where upstream does not say."""

    def __init__(
        self,
        *,
        current: Callable[[], Awaitable[Upstream]],
        names: ModelNames,
        clock: Callable[[], float],
        pins: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`pins` tells which line is pinned to which model id at the moment."""
        self._current = current
        self._names = names
        self._pins = pins
        self._facts_for = lru_cache(maxsize=FACTS_KEPT)(facts_for)
        self._offered = OfferedModels(clock)

    async def resolve(self, name: str | None) -> ResolvedModel:
        """The model that `name` stands for. Raises `ModelNotFoundError`, which names the known ones."""
        listing = await self._known()
        for candidate in (name, self._names.default):
            if candidate and (id_ := self._id_of(candidate, listing)):
                return ResolvedModel(name or candidate, id_, self._facts_of(id_, listing))
        raise ModelNotFoundError(self._not_found(name, listing))

    async def list(self) -> list[Model]:
        """The aliases first, then every active model, newest first."""
        listing = await self._known()
        aliases = [self._alias_row(alias, listing) for alias in self._names.aliases]
        facts = [facts_for(info.id, info) for info in listing.infos.values()] or list(BUILT_IN)
        active = sorted((f for f in facts if f.lifecycle != "retired"), key=lambda f: f.created, reverse=True)
        return aliases + [_row(f.id, f) for f in active if f.id not in self._names.aliases]

    async def get(self, name: str) -> Model:
        """One row. Raises `ModelNotFoundError`."""
        listing = await self._known()
        if name in self._names.aliases:
            return self._alias_row(name, listing)
        if (id_ := self._id_of(name, listing)) is None:
            raise ModelNotFoundError(self._not_found(name, listing))
        return _row(name, facts_for(id_, listing.infos.get(id_)))

    async def aliases(self) -> dict[str, str]:
        """Each alias and the model id it stands for now."""
        listing = await self._known()
        return {alias: self._id_of(alias, listing) or target for alias, target in self._names.aliases.items()}

    def known_aliases(self) -> dict[str, str]:
        """As `aliases`, as far as it is known now: asks nobody."""
        aliases = self._names.aliases
        return {alias: self._id_of(alias, self._offered.known) or target for alias, target in aliases.items()}

    async def aclose(self) -> None:
        """Stop a listing under way."""
        await self._offered.aclose()

    # ---- names --------------------------------------------------------------------------------------------------

    def _id_of(self, name: str, listing: Listing) -> str | None:
        target = self._names.aliases.get(name)
        if target is None:
            return _offered(name, listing)
        if target not in LINES:
            return target
        return self._pins().get(target) or newest_active(target, list(listing.infos.values()))

    def _facts_of(self, id_: str, listing: Listing) -> ModelFacts:
        """Those of a name that is too long to be a model's are not kept: clients make names up."""
        info = listing.infos.get(id_)
        return self._facts_for(id_, info) if len(id_) <= SHOWN_CHARACTERS else facts_for(id_, info)

    def _alias_row(self, alias: str, listing: Listing) -> Model:
        id_ = self._id_of(alias, listing) or self._names.aliases[alias]
        return _row(alias, facts_for(id_, listing.infos.get(id_)), resolves_to=id_)

    def _not_found(self, name: str | None, listing: Listing) -> str:
        ids = list(listing.infos) or [facts.id for facts in BUILT_IN if facts.lifecycle == "active"]
        known = ", ".join([*self._names.aliases, *ids])
        if not name:
            return f"The request names no model and DEFAULT_MODEL is not set. Known models: {known}."
        shown = name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}…"
        return (
            f"The model {shown!r} does not exist or your login has no access to it. Known models: {known}. For a "
            "program with a name of its own, the proxy's settings MODEL_ALIASES (name=target) and DEFAULT_MODEL help."
        )

    # ---- upstream's listing -------------------------------------------------------------------------------------

    async def _known(self) -> Listing:
        try:
            upstream = await self._current()
        except ProxyError:
            return Listing()
        return await self._offered.of(upstream)


def _offered(name: str, listing: Listing) -> str | None:
    """The id of a model on offer. A name without its date (`claude-haiku-4-5`) stands for the one with it.

    Where upstream's list is unknown or partial, upstream itself judges the names that can be Claude's.
    """
    if name in listing.infos:
        return name
    if id_ := next((id_ for id_ in listing.infos if _DATE.fullmatch(id_.removeprefix(name))), None):
        return id_
    return name if not listing.complete and name.startswith("claude-") else None


def _row(id_: str, facts: ModelFacts, *, resolves_to: str | None = None) -> Model:
    return Model(
        id=id_,
        created=_epoch_seconds(facts.created),
        owned_by="anthropic",
        resolves_to=resolves_to or UNSET,
        display_name=facts.display_name or UNSET,
        context_window=facts.context_window or UNSET,
        max_output_tokens=facts.max_output or UNSET,
    )


def _epoch_seconds(created: str) -> int:
    """0 for what is no date: some gateways write what they like."""
    try:
        return int(datetime.fromisoformat(created).timestamp())
    except (ValueError, OverflowError):
        return 0
