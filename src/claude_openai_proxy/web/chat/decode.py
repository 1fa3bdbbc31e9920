"""From a body's bytes to a typed request; whatever is wrong is a 400 that names the place."""

import re
from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import may_be_cut, with_whole_characters
from claude_openai_proxy.web.chat.free_values import free_values


class _Exact(ChatCompletionRequest, frozen=True, forbid_unknown_fields=True):
    """The request without any field that we do not know: the rule, decoded in one go."""


_exact: Final = msgspec.json.Decoder(_Exact)
_lenient: Final = msgspec.json.Decoder(ChatCompletionRequest)
_top_level: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode: Final = msgspec.json.Encoder().encode

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NOTHING: Final[Mapping[str, msgspec.Raw]] = MappingProxyType({})
_KNOWN: Final = frozenset(ChatCompletionRequest.__struct_encode_fields__)
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `[^`]*`")
_PLACE: Final = re.compile(r" - at `(?P<place>(?:key in )?\$?.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE_NAMES: Final = re.compile(r"\b(str|int|float|bool)\b(?=[^`]*`)")


def decode_chat_request(body: bytes) -> tuple[ChatCompletionRequest, tuple[str, ...]]:
    """The request, and the names of top-level fields that it does not have. Raises `InvalidRequestError`."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    _check_text(body)
    try:
        return _decode(body)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if (whole := with_whole_characters(body)) != body:
            return decode_chat_request(whole)
        raise (_too_deep() if is_deeper(body, DEEPEST) else _wrong(error)) from None


def _decode(body: bytes) -> tuple[ChatCompletionRequest, tuple[str, ...]]:
    request, unknown = _decode_loosely(body)
    if _check_depth(request, unknown) and (whole := with_whole_characters(body)) != body:
        return _decode(whole)
    return request, tuple(unknown)


def _decode_loosely(body: bytes) -> tuple[ChatCompletionRequest, Mapping[str, msgspec.Raw]]:
    """The request and its unknown fields."""
    try:
        return _exact.decode(body), _NOTHING
    except msgspec.ValidationError as error:
        if not _UNKNOWN_FIELD.fullmatch(str(error)):
            raise
    fields = _top_level.decode(body)
    return _lenient.decode(body), {name: value for name, value in fields.items() if name not in _KNOWN}


def _check_text(body: bytes) -> None:
    if not body or body.isspace():
        raise InvalidRequestError("The request has no body: send a JSON object.")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise _wrong(error) from None


def _check_depth(request: ChatCompletionRequest, unknown: Mapping[str, msgspec.Raw]) -> bool:
    """Only values of any shape can be deep. What is skipped inside of messages is the decoder's to bear, not ours.

    Returns whether there may be half a character where nothing was decoded.
    """
    may_be_halves = False
    for above, value in chain(((1, value) for value in unknown.values()), free_values(request)):
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
