"""From a body's bytes to a typed legacy request; whatever is wrong is a 400 that names the place."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import with_whole_characters
from claude_openai_proxy.web.json_body import json_text, not_this, too_deep


class DecodedCompletion(Struct, frozen=True):
    """A request, and what is to be told of its body."""

    request: CompletionRequest
    unknown: tuple[str, ...]
    repairs: tuple[str, ...] = ()


_KNOWN: Final = frozenset(CompletionRequest.__struct_encode_fields__)
_decode: Final = msgspec.json.Decoder(CompletionRequest).decode
_decode_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def decode_completion_request(body: bytes) -> DecodedCompletion:
    """The request, and the names of fields that it does not have. Raises `InvalidRequestError`."""
    body = json_text(body)
    whole = with_whole_characters(body)
    repairs = ("half_characters_replaced",) if whole != body else ()
    if is_deeper(whole, DEEPEST):
        raise too_deep()
    try:
        request, members = _decode(whole), _decode_members(whole)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_this(error) from None
    return DecodedCompletion(request, tuple(name for name in members if name not in _KNOWN), repairs)
