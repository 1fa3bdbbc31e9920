"""From a body's bytes to a typed request; whatever is wrong is a 400 that names the place."""

from itertools import chain
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.chat.declined import unmet
from claude_openai_proxy.translate.chat.responses_shape import as_chat_request
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import may_be_cut, with_whole_characters
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder, Unknown
from claude_openai_proxy.web.chat.free_values import free_values
from claude_openai_proxy.web.json_body import json_text, not_this, too_deep


class DecodedRequest(Struct, frozen=True):
    """A request, and what is to be told of its body."""

    request: ChatCompletionRequest
    unknown: tuple[str, ...]
    """Members without a type that are not without effect: of the request by name, others as `messages[].name`."""
    repairs: tuple[str, ...] = ()
    """Words for the record."""


_decoder: Final[TolerantDecoder[ChatCompletionRequest]] = TolerantDecoder(ChatCompletionRequest)
_encode: Final = msgspec.json.Encoder().encode


def decode_chat_request(body: bytes) -> DecodedRequest:
    """The request, whatever of it can be understood. Raises `InvalidRequestError`."""
    body = json_text(body)
    try:
        return _decode(body)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if (whole := with_whole_characters(body)) != body:
            return _of_whole_characters(decode_chat_request(whole))
        raise (too_deep() if is_deeper(body, DEEPEST) else not_this(error)) from None


def _decode(body: bytes) -> DecodedRequest:
    try:
        request, unknown = _decoder.decode(body)
    except msgspec.ValidationError:
        if decoded := _decode_as_responses(body):
            return decoded
        raise
    if not request.messages and (decoded := _decode_as_responses(body)):
        return decoded
    if _check_depth(request, unknown) and (whole := with_whole_characters(body)) != body:
        return _of_whole_characters(_decode(whole))
    return DecodedRequest(request, tuple(unmet(unknown)) if unknown else ())


def _decode_as_responses(body: bytes) -> DecodedRequest | None:
    """None where it has not that shape."""
    meant = as_chat_request(body)
    if meant is None:
        return None
    chat, left_out = meant
    decoded = _decode(chat)
    return msgspec.structs.replace(decoded, unknown=decoded.unknown + left_out)


def _of_whole_characters(decoded: DecodedRequest) -> DecodedRequest:
    return msgspec.structs.replace(decoded, repairs=("half_characters_replaced",))


def _check_depth(request: ChatCompletionRequest, unknown: Unknown) -> bool:
    """Only values of any shape can be deep, and members that have no type.

    Returns whether there may be half a character where nothing was decoded.
    """
    may_be_halves = False
    for above, value in chain(((1, value) for values in unknown.values() for value in values), free_values(request)):
        text = bytes(value if isinstance(value, msgspec.Raw) else _encode(value))
        if len(text) > DEEPEST - above and is_deeper(text, DEEPEST - above):
            raise too_deep()
        may_be_halves = may_be_halves or may_be_cut(text)
    return may_be_halves
