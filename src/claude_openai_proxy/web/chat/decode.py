"""From a body's bytes to a typed request; whatever is wrong is a 400 that names the place."""

import re
from itertools import chain
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.chat.declined import unmet
from claude_openai_proxy.translate.chat.tolerant import TolerantDecoder, Unknown
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import may_be_cut, with_whole_characters
from claude_openai_proxy.web.chat.free_values import free_values


class DecodedRequest(Struct, frozen=True):
    """A request, and what is to be told of its body."""

    request: ChatCompletionRequest
    unknown: tuple[str, ...]
    """Members without a type that are not without effect: of the request by name, others as `messages[].name`."""
    repairs: tuple[str, ...] = ()
    """Words for the record."""


_decoder: Final[TolerantDecoder[ChatCompletionRequest]] = TolerantDecoder(ChatCompletionRequest)
_encode: Final = msgspec.json.Encoder().encode

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PLACE: Final = re.compile(r" - at `(?P<place>(?:key in )?\$?.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE_NAMES: Final = re.compile(r"\b(str|int|float|bool)\b(?=[^`]*`)")


def decode_chat_request(body: bytes) -> DecodedRequest:
    """The request, whatever of it can be understood. Raises `InvalidRequestError`."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    _check_text(body)
    try:
        return _decode(body)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if (whole := with_whole_characters(body)) != body:
            return _of_whole_characters(decode_chat_request(whole))
        raise (_too_deep() if is_deeper(body, DEEPEST) else _wrong(error)) from None


def _decode(body: bytes) -> DecodedRequest:
    request, unknown = _decoder.decode(body)
    if _check_depth(request, unknown) and (whole := with_whole_characters(body)) != body:
        return _of_whole_characters(_decode(whole))
    return DecodedRequest(request, tuple(unmet(unknown)) if unknown else ())


def _of_whole_characters(decoded: DecodedRequest) -> DecodedRequest:
    return msgspec.structs.replace(decoded, repairs=("half_characters_replaced",))


def _check_text(body: bytes) -> None:
    if not body or body.isspace():
        raise InvalidRequestError("The request has no body: send a JSON object.")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise _wrong(error) from None


def _check_depth(request: ChatCompletionRequest, unknown: Unknown) -> bool:
    """Only values of any shape can be deep, and members that have no type.

    Returns whether there may be half a character where nothing was decoded.
    """
    may_be_halves = False
    for above, value in chain(((1, value) for values in unknown.values() for value in values), free_values(request)):
        text = bytes(value if isinstance(value, msgspec.Raw) else _encode(value))
        if len(text) > DEEPEST - above and is_deeper(text, DEEPEST - above):
            raise _too_deep()
        may_be_halves = may_be_halves or may_be_cut(text)
    return may_be_halves


def _wrong(error: msgspec.DecodeError | UnicodeDecodeError) -> InvalidRequestError:
    return _invalid(str(error)) if isinstance(error, msgspec.ValidationError) else _not_json(error)


def _not_json(error: msgspec.DecodeError | UnicodeDecodeError) -> InvalidRequestError:
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequestError("The request's body is not valid UTF-8.")
    return InvalidRequestError(f"The request's body is not valid JSON: {str(error).rstrip('.')}.")


def _too_deep() -> InvalidRequestError:
    return InvalidRequestError(f"The request's body is nested over {DEEPEST} levels deep.")


def _invalid(message: str) -> InvalidRequestError:
    """msgspec's `Expected ..., got ... - at `$.messages[0].role`` as a sentence and a place."""
    found = _PLACE.search(message)
    place = (
        found["place"].replace("key in ", "").replace("[...]", "").removeprefix("$").removeprefix(".") if found else ""
    )
    reason = message[: found.start()] if found else message
    if missing := _MISSING.fullmatch(reason):
        place = f"{place}.{missing['field']}".removeprefix(".")
        sentence = f"Missing required parameter: {place!r}."
        return InvalidRequestError(sentence, param=place, code="missing_required_parameter")
    reason = _TYPE_NAMES.sub(lambda match: _JSON_WORDS[match[0]], reason)
    if not place:
        return InvalidRequestError(f"The request's body must be a JSON object: {reason}.")
    return InvalidRequestError(f"Invalid value for {place!r}: {reason[:1].lower()}{reason[1:]}.", param=place)
