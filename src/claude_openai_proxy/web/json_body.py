"""A body that is to be OpenAI's JSON: what every dialect of theirs says of one that is not."""

import re
from typing import Final, TypeVar

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.schemas.nesting import DEEPEST, is_deeper
from claude_openai_proxy.translate.schemas.surrogates import with_whole_characters

T = TypeVar("T")

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PLACE: Final = re.compile(r" - at `(?P<place>(?:key in )?\$?.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE_NAMES: Final = re.compile(r"\b(str|int|float|bool)\b(?=[^`]*`)")


def json_text(body: bytes) -> bytes:
    """`body` without a byte order mark. Raises `InvalidRequestError` where it cannot be JSON."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body or body.isspace():
        raise InvalidRequestError("The request has no body: send a JSON object.")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise not_this(error) from None
    return body


def decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What `decoder` makes of a body of no great size. Raises `InvalidRequestError`."""
    whole = with_whole_characters(json_text(body))
    if is_deeper(whole, DEEPEST):
        raise too_deep()
    try:
        return decoder.decode(whole)
    except RecursionError:
        raise too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_this(error) from None


def not_this(error: msgspec.DecodeError | UnicodeDecodeError) -> InvalidRequestError:
    """The 400 for it, which names the place."""
    return _invalid(str(error)) if isinstance(error, msgspec.ValidationError) else _not_json(error)


def _not_json(error: msgspec.DecodeError | UnicodeDecodeError) -> InvalidRequestError:
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequestError("The request's body is not valid UTF-8.")
    return InvalidRequestError(f"The request's body is not valid JSON: {str(error).rstrip('.')}.")


def too_deep() -> InvalidRequestError:
    """The 400 for it."""
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
