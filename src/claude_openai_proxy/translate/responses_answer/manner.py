"""How one client is told an answer: what of it is sealed, what it gets to see, and how its tools' calls come back."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Raw, Struct

from claude_openai_proxy.translate.messages_api.call_forms import CallForm

SealKind = Literal["thinking", "search"]
Seal = Callable[[SealKind, Sequence[Raw]], str | None]
"""Makes `encrypted_content` of blocks, which are Claude's byte for byte; None where it cannot."""

NO_FORMS: Final[Mapping[str, CallForm]] = MappingProxyType({})


class Included(Struct, frozen=True):
    """What a client asked to be told of searches."""

    sources: bool = False
    results: bool = False


NOTHING_INCLUDED: Final = Included()


class Manner(Struct, frozen=True):
    """How things are to be told. `seal`: of what no form can hold; `forms` by the tools' declared names.

    `carries`: the client gets what is sealed. `refusal_as_text`: it drops a message that has a refusal part
    (Codex 0.171), and is told in words alone.
    """

    forms: Mapping[str, CallForm] = NO_FORMS
    seal: Seal | None = None
    carries: bool = True
    included: Included = NOTHING_INCLUDED
    refusal_as_text: bool = False


PLAIN: Final = Manner()
