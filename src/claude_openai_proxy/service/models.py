"""Which models there are, what each alias stands for now, and what a model accepts."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from msgspec import UNSET, Struct

from claude_openai_proxy.errors import ModelNotAllowedError, ModelNotFoundError, ProxyError
from claude_openai_proxy.protocols.anthropic import ModelCapabilities, ModelRow
from claude_openai_proxy.protocols.openai_chat_response import Model, ModelPricing
from claude_openai_proxy.service.model_names import SHOWN_CHARACTERS, ModelNames, Naming
from claude_openai_proxy.service.offered_models import Listing, OfferedModels
from claude_openai_proxy.translate.models.facts import BUILT_IN, ModelFacts, facts_for
from claude_openai_proxy.translate.models.lifecycle import retires
from claude_openai_proxy.translate.models.prices import Price, price_of
from claude_openai_proxy.upstreams.interface import Upstream

NAMES_KEPT = 256
"""Names whose models are looked up once, not for every request."""


def _today() -> date:
    return datetime.now(UTC).date()


class ResolvedModel(Struct, frozen=True):
    """`asked` is the client's name, `id` the one that goes upstream."""

    asked: str
    id: str
    facts: ModelFacts
    stands_in: bool = False
    """For another one, which `asked` is."""

    @property
    def line(self) -> str:
        """`opus`; "" of a model that is of none."""
        return self.facts.line or ""


class Retirement(Struct, frozen=True):
    """A model that goes on that day, and the aliases and settings that lead to it."""

    id: str
    day: date
    aliases: tuple[str, ...]


class Models(Protocol):
    """What an admission asks about models."""

    async def resolve(self, name: str | None, upstream: Upstream | None = None) -> ResolvedModel:
        """See `ModelCatalog.resolve`."""
        ...

    async def stand_in(self, name: str, model: ResolvedModel, upstream: Upstream) -> ResolvedModel | None:
        """See `ModelCatalog.stand_in`."""
        ...

    async def check_allowed(self, names: Collection[str], model: ResolvedModel) -> None:
        """See `ModelCatalog.check_allowed`."""
        ...


class ModelCatalog:
    """Models of the current upstream, asked once an hour; the built-in table where upstream does not say."""

    def __init__(
        self,
        *,
        current: Callable[[], Awaitable[Upstream]],
        names: ModelNames,
        clock: Callable[[], float],
        pins: Callable[[], Mapping[str, str]] = dict,
        today: Callable[[], date] = _today,
    ) -> None:
        """`pins` tells which line is pinned to which model id at the moment."""
        self._current = current
        self._names = names
        self._naming = Naming(names, pins, today)
        self._clock = clock
        self._offered: dict[str, OfferedModels] = {}
        """By kind of upstream: two may take turns."""
        self._last = OfferedModels(clock)
        self._no_login = ""
        self._told: tuple[Listing, Mapping[str, str], date] | None = None
        self._resolved_names: dict[str | None, ResolvedModel] = {}
        """While what was told stays the same. Names that are too long are not kept: clients make names up."""

    async def resolve(self, name: str | None, upstream: Upstream | None = None) -> ResolvedModel:
        """The model that `name` stands for, at `upstream` or the current one.

        Raises `ModelNotFoundError`, which names the known ones.
        """
        listing = await self._known(upstream)
        told = (listing, self._naming.pins(), self._naming.today())
        if told != self._told or len(self._resolved_names) >= NAMES_KEPT:
            self._told, self._resolved_names = told, {}
        if resolved := self._resolved_names.get(name):
            return resolved
        resolved = self._resolve(name, listing)
        if len(resolved.asked) <= SHOWN_CHARACTERS:
            self._resolved_names[name] = resolved
        return resolved

    async def stand_in(self, name: str, model: ResolvedModel, upstream: Upstream) -> ResolvedModel | None:
        """What a setting names (an alias, a line, a model), in the place of `model`; None where it leads nowhere."""
        listing = await self._known(upstream)
        id_ = self._naming.set_id(name, listing)
        return ResolvedModel(model.asked, id_, facts_for(id_, listing.infos.get(id_)), stands_in=True) if id_ else None

    def _resolve(self, name: str | None, listing: Listing) -> ResolvedModel:
        id_ = (name and self._naming.id_of(name, listing)) or self._naming.default_id(listing)
        if not id_:
            raise ModelNotFoundError(self._naming.not_found(name, listing))
        return ResolvedModel(name or self._names.default or "", id_, facts_for(id_, listing.infos.get(id_)))

    async def check_allowed(self, names: Collection[str], model: ResolvedModel) -> None:
        """Raise `ModelNotAllowedError` where a client key is for other models; no names allow all."""
        if names and not self._allows(names, model.asked, model.id, await self._known()):
            raise ModelNotAllowedError(
                f"This client key is not for {model.asked[:SHOWN_CHARACTERS]!r}, only for: {', '.join(names)}."
            )

    async def _all(self) -> list[Model]:
        listing = await self._known()
        aliases = [self._alias_row(alias, listing) for alias in self._names.aliases]
        return aliases + [_row(f.id, f) for f in self._active(listing)]

    async def rows(self, names: Collection[str] = ()) -> Sequence[ModelRow]:
        """What `list` gives, in Anthropic's shape."""
        listing = await self._known()
        offered = [*self._resolved(listing).items(), *((f.id, f.id) for f in self._active(listing))]
        return [
            self._anthropic_row(name, id_, listing)
            for name, id_ in offered
            if not names or self._allows(names, name, id_, listing)
        ]

    async def row(self, name: str) -> ModelRow:
        """One of them. Raises `ModelNotFoundError`."""
        listing = await self._known()
        id_ = self._resolved(listing).get(name) or self._naming.id_of(name, listing)
        if id_ is None:
            raise ModelNotFoundError(self._naming.not_found(name, listing))
        return self._anthropic_row(name, id_, listing)

    async def list(self, names: Collection[str] = ()) -> list[Model]:
        """The aliases first, then every active model, newest first; with `names`, those that a key of them may ask."""
        rows = await self._all()
        if not names:
            return rows
        listing = await self._known()
        return [row for row in rows if self._allows(names, row.id, row.resolves_to or row.id, listing)]

    async def get(self, name: str) -> Model:
        """One row. Raises `ModelNotFoundError`."""
        listing = await self._known()
        if name in self._names.aliases:
            return self._alias_row(name, listing)
        if (id_ := self._naming.id_of(name, listing)) is None:
            raise ModelNotFoundError(self._naming.not_found(name, listing))
        return _row(name, facts_for(id_, listing.infos.get(id_)))

    async def aliases(self) -> dict[str, str]:
        """Each alias and the model id it stands for now."""
        return self._resolved(await self._known())

    def known_aliases(self) -> dict[str, str]:
        """As `aliases`, as far as it is known now: asks nobody."""
        return self._resolved(self._last.known)

    async def default(self) -> tuple[str, str] | None:
        """What the user set for absent and unknown names, and the id it stands for now."""
        id_ = self._naming.default_id(await self._known())
        return (self._names.default, id_) if self._names.default and id_ else None

    async def unresolved(self, fallbacks: Collection[str] = ()) -> tuple[str, ...]:
        """A sentence for each setting that names a model and leads to none."""
        listing = await self._known()
        lost = (
            f"MODEL_FALLBACKS: {name} is no alias, line or model that your login offers."
            for name in fallbacks
            if not self._naming.set_id(name, listing)
        )
        return (*self._naming.unresolved(listing), *lost)

    async def retiring(self, day: date, *, within: timedelta) -> tuple[Retirement, ...]:
        """Models on offer, or that a setting leads to, which go from `day` on `within` so long."""
        listing = await self._known()
        aliases = self._resolved(listing)
        if default := self._naming.default_id(listing):
            aliases["DEFAULT_MODEL"] = default
        ids = dict.fromkeys([*(listing.infos or (facts.id for facts in BUILT_IN)), *aliases.values()])
        goes = ((id_, date.fromisoformat(when)) for id_ in ids if (when := retires(id_)))
        return tuple(
            Retirement(id_, when, tuple(name for name in aliases if aliases[name] == id_))
            for id_, when in goes
            if day <= when <= day + within
        )

    @property
    def trouble(self) -> str:
        """Why upstream's own list is not known; "" where it is. Asks nobody."""
        return self._no_login or self._last.trouble

    async def aclose(self) -> None:
        """Stop a listing under way."""
        for offered in self._offered.values():
            await offered.aclose()

    def _allows(self, names: Collection[str], asked: str, id_: str, listing: Listing) -> bool:
        """By an alias, an id in any spelling, or the line that the model is of."""
        line = facts_for(id_, listing.infos.get(id_)).line
        return any(name in (asked, id_, line) or self._naming.id_of(name, listing) == id_ for name in names)

    def _resolved(self, listing: Listing) -> dict[str, str]:
        aliases = self._names.aliases
        return {alias: self._naming.target_id(alias, listing) or target for alias, target in aliases.items()}

    def _active(self, listing: Listing) -> Sequence[ModelFacts]:
        """Newest first, without those that an alias has the name of."""
        facts = [facts_for(info.id, info) for info in listing.infos.values()] or list(BUILT_IN)
        active = sorted((f for f in facts if f.lifecycle != "retired"), key=lambda f: f.created, reverse=True)
        return [f for f in active if f.id not in self._names.aliases]

    def _anthropic_row(self, name: str, id_: str, listing: Listing) -> ModelRow:
        info = listing.infos.get(id_)
        return _anthropic_row(name, facts_for(id_, info), info.capabilities if info else None)

    def _alias_row(self, alias: str, listing: Listing) -> Model:
        id_ = self._naming.target_id(alias, listing) or self._names.aliases[alias]
        return _row(alias, facts_for(id_, listing.infos.get(id_)), resolves_to=id_)

    async def _known(self, upstream: Upstream | None = None) -> Listing:
        try:
            upstream = upstream or await self._current()
        except ProxyError as error:
            self._no_login = error.message
            return Listing()
        self._no_login = ""
        kind = upstream.identity.kind
        self._last = self._offered.get(kind) or self._offered.setdefault(kind, OfferedModels(self._clock))
        return await self._last.of(upstream)


def _row(id_: str, facts: ModelFacts, *, resolves_to: str | None = None) -> Model:
    return Model(
        id=id_,
        created=_epoch_seconds(facts.created),
        owned_by="anthropic",
        resolves_to=resolves_to or UNSET,
        display_name=facts.display_name or UNSET,
        context_window=facts.context_window or UNSET,
        max_output_tokens=facts.max_output or UNSET,
        reasoning_efforts=list(facts.efforts),
        supports_images=facts.images,
        supports_tools=True,
        retires=retires(facts.id) or UNSET,
        pricing=_pricing(price) if (price := price_of(facts.id)) else UNSET,
    )


def _anthropic_row(id_: str, facts: ModelFacts, capabilities: ModelCapabilities | None) -> ModelRow:
    day = retires(facts.id)
    return ModelRow(
        id=id_,
        display_name=facts.display_name or id_,
        created_at=facts.created,
        line=facts.line,
        lifecycle=facts.lifecycle,
        max_input_tokens=facts.context_window or None,
        max_tokens=facts.max_output or None,
        retires_at=day and f"{day}T00:00:00Z",
        capabilities=capabilities,
    )


def _pricing(price: Price) -> ModelPricing:
    return ModelPricing(
        input=price.input,
        output=price.output,
        cache_read=price.cache_read,
        cache_write=price.cache_write,
        cache_write_1h=price.cache_write_1h,
        long_above=price.long_above or UNSET,
        long_factor=price.long_factor if price.long_above else UNSET,
    )


def _epoch_seconds(created: str) -> int:
    """0 for what is no date: some gateways write what they like."""
    try:
        return int(datetime.fromisoformat(created).timestamp())
    except (ValueError, OverflowError):
        return 0
