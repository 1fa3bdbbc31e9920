"""Token limit, temperature and its kin, and stop sequences."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes


class SamplingWish(Struct, frozen=True):
    """`temperature` from 0 to 2, `top_p` from 0 to 1; a `top_k` of 0 is none."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


NO_SAMPLING: Final = SamplingWish()


class Sampling(Struct, frozen=True):
    """What may be sent of the client's wishes."""

    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    top_k: int | UnsetType = UNSET


class Stops(Struct, frozen=True):
    """`native` go upstream; `emulated` (white space only, which Claude refuses) are cut here."""

    native: list[str]
    emulated: tuple[str, ...]


NO_STOPS: Final = Stops([], ())


def max_tokens(asked: int | None, facts: ModelFacts, notes: Notes) -> int:
    """The limit that goes upstream: the client's, or the model's maximum."""
    limit = asked or facts.max_output
    if limit > facts.max_output:
        notes.repair("max_tokens_clamped")
    return min(limit, facts.max_output)


def sampling(wish: SamplingWish, facts: ModelFacts, *, thinking: bool, notes: Notes) -> Sampling:
    """Temperature (at most 1) or top_p, never both; neither where the model refuses them or while Claude thinks.

    Raises `UnsupportedParameterError` for what is left out where the user wants that refused.
    """
    if not facts.sampling or thinking:
        _decline(wish, notes)
        return Sampling()
    top_k = wish.top_k or UNSET
    temperature, top_p = wish.temperature, wish.top_p
    if temperature is None or (temperature == 1 and top_p not in {None, 1}):
        return Sampling(top_p=UNSET if top_p is None else top_p, top_k=top_k)
    if top_p not in {None, 1}:
        notes.decline("top_p", "Claude takes temperature or top_p, not both")
    if temperature > 1:
        notes.repair("temperature_clamped")
    return Sampling(temperature=min(temperature, 1.0), top_k=top_k)


def _decline(wish: SamplingWish, notes: Notes) -> None:
    for name, value in (("temperature", wish.temperature), ("top_p", wish.top_p)):
        if value not in {None, 1}:
            notes.decline(name, "this model does not take it, or not while it thinks")
    if wish.top_k:
        notes.decline("top_k", "this model does not take it, or not while it thinks")


def stops(asked: Sequence[str]) -> Stops:
    """Each sequence once; an empty one stops nothing."""
    if not asked:
        return NO_STOPS
    sequences = [sequence for sequence in dict.fromkeys(asked) if sequence]
    return Stops(
        native=[sequence for sequence in sequences if not sequence.isspace()],
        emulated=tuple(sequence for sequence in sequences if sequence.isspace()),
    )
