"""Token limit, temperature and its kin, and stop sequences."""

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.wishes.notes import Notes


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


def asked_limit(request: ChatCompletionRequest) -> int | None:
    """The client's own token limit, the newer field first."""
    return request.max_completion_tokens or request.max_tokens


def max_tokens(request: ChatCompletionRequest, facts: ModelFacts, notes: Notes) -> int:
    """The limit that goes upstream: the client's, or the model's maximum."""
    limit = asked_limit(request) or facts.max_output
    if limit > facts.max_output:
        notes.repair("max_tokens_clamped")
    return min(limit, facts.max_output)


def sampling(request: ChatCompletionRequest, facts: ModelFacts, *, thinking: bool, notes: Notes) -> Sampling:
    """Temperature (at most 1) or top_p, never both; neither where the model refuses them or while Claude thinks."""
    if not facts.sampling or thinking:
        _decline_sampling(request, notes)
        return Sampling()
    top_k = request.top_k or UNSET
    temperature, top_p = request.temperature, request.top_p
    if temperature is None or (temperature == 1 and top_p not in {None, 1}):
        return Sampling(top_p=UNSET if top_p is None else top_p, top_k=top_k)
    if top_p not in {None, 1}:
        notes.decline("top_p", "Claude takes temperature or top_p, not both")
    if temperature > 1:
        notes.repair("temperature_clamped")
    return Sampling(temperature=min(temperature, 1.0), top_k=top_k)


def _decline_sampling(request: ChatCompletionRequest, notes: Notes) -> None:
    for name in ("temperature", "top_p"):
        if getattr(request, name) not in {None, 1}:
            notes.decline(name, "this model does not take it, or not while it thinks")
    if request.top_k:
        notes.decline("top_k", "this model does not take it, or not while it thinks")


def stops(request: ChatCompletionRequest) -> Stops:
    """Each sequence once; an empty one stops nothing."""
    if not request.stop:
        return NO_STOPS
    asked = [request.stop] if isinstance(request.stop, str) else request.stop
    sequences = [sequence for sequence in dict.fromkeys(asked) if sequence]
    return Stops(
        native=[sequence for sequence in sequences if not sequence.isspace()],
        emulated=tuple(sequence for sequence in sequences if sequence.isspace()),
    )
