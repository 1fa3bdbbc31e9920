"""From a body's bytes to a typed Responses request; whatever is wrong is a 400 in the published API's words."""

import re
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import may_be_cut, with_whole_characters
from claude_openai_proxy.translate.schemas.tolerant import TolerantDecoder
from claude_openai_proxy.translate.wishes.effect import has_effect
from claude_openai_proxy.web.json_body import json_text, not_this, too_deep


class DecodedResponses(Struct, frozen=True):
    """A request, and what is to be told of its body."""

    request: ResponsesRequest
    unknown: tuple[str, ...]
    repairs: tuple[str, ...] = ()


_decoder: Final[TolerantDecoder[ResponsesRequest]] = TolerantDecoder(ResponsesRequest)
_WRONG_TYPE: Final = re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`")
_NOT_LISTED: Final = re.compile(r"Invalid enum value (?P<value>.+)", re.DOTALL)
_PLACE: Final = re.compile(r" - at `\$\.?(?P<place>.*)`$", re.DOTALL)
_KINDS: Final = {
    "str": "a string", "int": "an integer", "float": "a number", "bool": "a boolean", "array": "an array",
    "object": "an object", "null": "null",
}  # fmt: skip


def decode_responses_request(body: bytes) -> DecodedResponses:
    """The request, and the names of members that it does not have. Raises `InvalidRequestError`."""
    body = json_text(body)
    whole = with_whole_characters(body) if may_be_cut(body) else body
    if is_deeper(whole, DEEPEST):
        raise too_deep()
    try:
        request, unknown = _decoder.decode(whole)
    except RecursionError:
        raise too_deep() from None
    except msgspec.ValidationError as error:
        raise _complaint(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_this(error) from None
    if "messages" in unknown:
        raise InvalidRequestError(
            "Unsupported parameter: 'messages'. In the Responses API, this parameter is called 'input'.",
            code="unsupported_parameter",
        )
    told = tuple(name for name, values in unknown.items() if "." not in name or any(map(has_effect, values)))
    return DecodedResponses(request, told, () if whole is body else ("half_characters_replaced",))


def _complaint(error: msgspec.ValidationError) -> InvalidRequestError:
    """msgspec's words for a field in those of the published API, with its codes."""
    message = str(error)
    found = _PLACE.search(message)
    place = found["place"] if found else ""
    reason = message[: found.start()] if found else message
    if place and (wrong := _WRONG_TYPE.fullmatch(reason)):
        expected = " or ".join(_KINDS.get(kind, kind) for kind in wrong["expected"].split(" | ") if kind != "null")
        if place == "input":
            expected = "one of a string or array of input items"
        got = _KINDS.get(wrong["got"], wrong["got"])
        sentence = f"Invalid type for {place!r}: expected {expected}, but got {got} instead."
        return InvalidRequestError(sentence, param=place, code="invalid_type")
    if place and (listed := _NOT_LISTED.fullmatch(reason)):
        values = [repr(value) for value in _values_at(place)]
        supported = f"{', '.join(values[:-1])} and {values[-1]}" if len(values) > 1 else "".join(values)
        sentence = f"Invalid value: {listed['value']}. Supported values are: {supported}."
        return InvalidRequestError(sentence, param=place, code="invalid_value")
    return not_this(error)


def _values_at(place: str) -> list[str]:
    """What may stand at a place of the request, where the values are listed."""
    type_: Any = ResponsesRequest
    for name in re.findall(r"[A-Za-z_]+", place):
        struct = next(kind for kind in _alternatives(type_) if isinstance(kind, type) and issubclass(kind, Struct))
        type_ = get_type_hints(struct, include_extras=True)[name]
    return [str(value) for kind in _alternatives(type_) if get_origin(kind) is Literal for value in get_args(kind)]


def _alternatives(type_: Any) -> list[Any]:
    if get_origin(type_) in {Union, UnionType}:
        return [one for part in get_args(type_) for one in _alternatives(part)]
    if get_origin(type_) is list:
        return _alternatives(get_args(type_)[0])
    return [type_]
