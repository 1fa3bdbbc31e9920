"""Which model a name stands for, and what is said of one that stands for none.

| the name is | it stands for |
|---|---|
| an alias | the id in `MODEL_ALIASES`, or the newest model of the line there (or the one that the line is pinned to) |
| an id on offer, with or without its date | that model |
| one of these in another spelling (`anthropic/Claude-Sonnet-5.5`, `…[1m]`) | the same |
| `claude-opus-latest` and its like | the newest model of that line |
| any other id of Claude's, where upstream's list is unknown or partial | itself: upstream judges |
| anything else, a retired model, a "thinking" variant | nothing: 404, or the model of `DEFAULT_MODEL` |
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Struct

from claude_openai_proxy.service.offered_models import Listing
from claude_openai_proxy.translate.models.facts import BUILT_IN, LINES, facts_for, newest_active
from claude_openai_proxy.translate.models.lifecycle import retires
from claude_openai_proxy.translate.models.names import Spelling, read_name

SHOWN_CHARACTERS = 200
"""Of a name that nobody knows."""
MILLION = 1_000_000

_DATE = re.compile(r"-\d{8}")


class ModelNames(Struct, frozen=True):
    """What the user set: alias -> line or model id, and the alias, line or id for absent or unknown names."""

    aliases: Mapping[str, str]
    default: str | None = None


class Naming(Struct, frozen=True):
    """Reads names. `pins` tells which line is pinned to which id now, `today` the day, by which models are retired."""

    names: ModelNames
    pins: Callable[[], Mapping[str, str]]
    today: Callable[[], date]

    def id_of(self, name: str, listing: Listing) -> str | None:
        """The id that goes upstream for a client's name."""
        if exact := self._exact(name, listing):
            return exact
        said = read_name(name)
        if said.thinking:
            return None
        if found := self._spelt(said, listing):
            return (
                None if said.million and facts_for(found, listing.infos.get(found)).context_window < MILLION else found
            )
        likely = said.names[-1]
        return likely if not listing.complete and likely.startswith("claude-") and not self._gone(likely) else None

    def default_id(self, listing: Listing) -> str | None:
        """The id for a request whose own name is absent or unknown; None where the user set none, or a wrong one."""
        return self.names.default and self.set_id(self.names.default, listing)

    def set_id(self, name: str, listing: Listing) -> str | None:
        """The id for what a setting names: an alias, a line or a model."""
        return self.newest(name, listing) if name in LINES else self.id_of(name, listing)

    def target_id(self, alias: str, listing: Listing) -> str | None:
        """The id that an alias stands for; None where its line has no model on offer."""
        target = self.names.aliases[alias]
        return self.newest(target, listing) if target in LINES else target

    def newest(self, line: str, listing: Listing) -> str | None:
        """The newest model of a line, or the one it is pinned to."""
        return self.pins().get(line) or newest_active(line, list(listing.infos.values()))

    def unresolved(self, listing: Listing) -> tuple[str, ...]:
        """A sentence for each target of an alias, and for DEFAULT_MODEL, that leads to no model on offer."""
        wrong = [
            f"MODEL_ALIASES: {alias} stands for {target}, which {self._trouble(target, listing)}."
            for alias, target in self.names.aliases.items()
            if (target in LINES and not self.newest(target, listing))
            or (target not in LINES and self._bad(target, listing))
        ]
        default = self.names.default
        if default and not self.default_id(listing):
            wrong.append(f"DEFAULT_MODEL is {default}, which {self._trouble(default, listing)}.")
        return tuple(wrong)

    def not_found(self, name: str | None, listing: Listing) -> str:
        """What a client is told of a name that stands for nothing."""
        ids = list(listing.infos) or [facts.id for facts in BUILT_IN if facts.lifecycle == "active"]
        known = ", ".join([*self.names.aliases, *ids])
        if not name:
            return f"The request names no model and DEFAULT_MODEL is not set. Known models: {known}."
        shown = name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}…"
        said = read_name(name)
        plain = said.names[-1]
        if said.thinking:
            why = f"does not exist: thinking is no model of its own. Ask for {plain!r} with reasoning_effort"
        elif gone := self._gone(plain):
            why = f"was retired on {_day(gone)}{self._replacement(plain, listing)}"
        elif said.million and self._spelt(said, listing):
            why = f"does not exist: {plain} has no context of 1M tokens. Ask for {plain!r}"
        else:
            why = "does not exist or your login has no access to it"
        return (
            f"The model {shown!r} {why}. Known models: {known}. For a "
            "program with a name of its own, the proxy's settings MODEL_ALIASES (name=target) and DEFAULT_MODEL help."
        )

    # ---- the parts of it ----------------------------------------------------------------------------------------

    def _exact(self, name: str, listing: Listing) -> str | None:
        if name in self.names.aliases:
            return self.target_id(name, listing)
        return _on_offer(name, listing)

    def _spelt(self, said: Spelling, listing: Listing) -> str | None:
        if said.line:
            return self.newest(said.line, listing)
        aliases = {alias.lower(): alias for alias in self.names.aliases}
        for name in said.names:
            if found := self._exact(aliases.get(name.lower(), name), listing) or _built_in(name, listing):
                return found
        return None

    def _gone(self, model_id: str) -> date | None:
        day = retires(model_id)
        return date.fromisoformat(day) if day and day <= self.today().isoformat() else None

    def _bad(self, target: str, listing: Listing) -> bool:
        """What an alias says is sent as it stands; this only judges it."""
        return not _on_offer(target, listing) and bool(listing.complete or self._gone(target))

    def _trouble(self, target: str, listing: Listing) -> str:
        if gone := self._gone(target):
            return f"was retired on {_day(gone)}{self._replacement(target, listing)}"
        return "is no alias, line or model that your login offers"

    def _replacement(self, model_id: str, listing: Listing) -> str:
        line = next((line for line in LINES if line in model_id), None)
        newest = line and self.newest(line, listing)
        return f"; {newest} replaces it" if newest else ""


def _on_offer(name: str, listing: Listing) -> str | None:
    """The id of a model on offer. A name without its date (`claude-haiku-4-5`) stands for the one with it."""
    if name in listing.infos:
        return name
    return next((id_ for id_ in listing.infos if _DATE.fullmatch(id_.removeprefix(name))), None)


def _built_in(name: str, listing: Listing) -> str | None:
    """Where upstream does not say what it offers."""
    known = not listing.infos and not listing.complete
    return name if known and any(name == facts.id for facts in BUILT_IN) else None


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
