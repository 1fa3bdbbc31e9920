"""From a body's bytes to a typed request; whatever is wrong is a 400 that names the place."""

import re
from typing import Final

import msgspec

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest

DEEPEST = 100
"""Levels of arrays and objects in one another."""


class _Exact(ChatCompletionRequest, frozen=True, forbid_unknown_fields=True):
    """The request without any field that we do not know: the rule, decoded in one go."""


_exact: Final = msgspec.json.Decoder(_Exact)
_lenient: Final = msgspec.json.Decoder(ChatCompletionRequest)
_top_level: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

_KNOWN: Final = frozenset(ChatCompletionRequest.__struct_encode_fields__)
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `[^`]*`")
_PLACE: Final = re.compile(r" - at `(?P<place>(?:key in )?\$?.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_BRACKETS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])', re.DOTALL)
_DEEP_CLOSINGS: Final = (b"]" * 64, b"}" * 64, b"]}" * 32)
_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE_NAMES: Final = re.compile(r"\b(str|int|float|bool)\b(?=[^`]*`)")


def decode_chat_request(body: bytes) -> tuple[ChatCompletionRequest, tuple[str, ...]]:
    """The request, and the names of top-level fields that it does not have. Raises `InvalidRequestError`."""
    _check_text(body)
    try:
        return _decode(body)
    except RecursionError:
        raise _too_deep() from None
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(error) from None


def _decode(body: bytes) -> tuple[ChatCompletionRequest, tuple[str, ...]]:
    try:
        return _exact.decode(body), ()
    except msgspec.ValidationError as error:
        if not _UNKNOWN_FIELD.fullmatch(str(error)):
            raise
    fields = _top_level.decode(body)
    return _lenient.decode(body), tuple(name for name in fields if name not in _KNOWN)


def _check_text(body: bytes) -> None:
    if not body or body.isspace():
        raise InvalidRequestError("The request has no body: send a JSON object.")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise _not_json(error) from None
    # Counting is dear, so only what looks deep is counted; msgspec stops at any depth that could do harm.
    if any(closing in body for closing in _DEEP_CLOSINGS) and _is_deep(body):
        raise _too_deep()


def _is_deep(body: bytes) -> bool:
    depth = 0
    for match in _BRACKETS.finditer(body):
        if match[1]:
            depth += 1
            if depth > DEEPEST:
                return True
        elif match[2]:
            depth -= 1
    return False


def _not_json(error: msgspec.DecodeError | UnicodeDecodeError) -> InvalidRequestError:
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequestError("The request's body is not valid UTF-8.")
    return InvalidRequestError(f"The request's body is not valid JSON: {str(error).rstrip('.')}.")


def _too_deep() -> InvalidRequestError:
    return InvalidRequestError(f"The request's body is nested over {DEEPEST} levels deep.")


def _invalid(message: str) -> InvalidRequestError:
    """msgspec's `Expected ..., got ... - at `$.messages[0].role`` as a sentence and a place."""
    found = _PLACE.search(message)
    place = found["place"].replace("key in ", "").removeprefix("$").removeprefix(".") if found else ""
    reason = message[: found.start()] if found else message
    if missing := _MISSING.fullmatch(reason):
        place = f"{place}.{missing['field']}".removeprefix(".")
        sentence = f"Missing required parameter: {place!r}."
        return InvalidRequestError(sentence, param=place, code="missing_required_parameter")
    reason = _TYPE_NAMES.sub(lambda match: _JSON_WORDS[match[0]], reason)
    if not place:
        return InvalidRequestError(f"The request's body must be a JSON object: {reason}.")
    return InvalidRequestError(f"Invalid value for {place!r}: {reason[:1].lower()}{reason[1:]}.", param=place)
