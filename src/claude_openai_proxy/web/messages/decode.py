"""What is looked at in a native request, on its way to whoever reads or passes on the rest."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.web.exchange import Exchange

DEFAULT_VERSION: Final = "2023-06-01"
_OWN: Final = "anthropic-"
_NOT_PASSED: Final = frozenset({"anthropic-dangerous-direct-browser-access", "anthropic-workspace-id"})
"""Said to the server that the browser talks to, which is this one; and who pays, which belongs to the login."""
_OAUTH: Final = "oauth"
"""In the names of betas that belong to a client's own login, which stays with the client."""
_PLACE: Final = re.compile(r" - at `\$\.(?P<place>.*)`$")


class _Members(Struct, frozen=True):
    model: str | None = None
    stream: bool | None = None
    max_tokens: Raw = Raw()
    """Claude's side judges it."""


_decode: Final = msgspec.json.Decoder(_Members).decode


def decode_asked(body: bytes, headers: tuple[tuple[str, str], ...], *, counting: bool) -> AskedMessage:
    """Raises `InvalidRequestError` where `body` is no JSON object or has a model or stream of another type."""
    try:
        body.decode()
        members = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(error) from None
    limit = bytes(members.max_tokens)
    return AskedMessage(
        body=body,
        model=members.model or None,
        stream=bool(members.stream),
        max_tokens=int(limit) if limit.isdigit() and len(limit) < 10 else 0,
        headers=headers,
        counting=counting,
    )


def passed_headers(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    """Anthropic's own headers, which say what the body means. No credential is among them, and none may get in."""
    sent = {name: value for name, value in _own_headers(exchange) if value and name not in _NOT_PASSED}
    betas = (beta.strip() for beta in sent.pop("anthropic-beta", "").split(","))
    kept = ",".join(beta for beta in betas if beta and not beta.startswith(_OAUTH))
    version = sent.pop("anthropic-version", DEFAULT_VERSION)
    return (("anthropic-version", version), *([("anthropic-beta", kept)] if kept else ()), *sent.items())


def _own_headers(exchange: Exchange) -> Iterator[tuple[str, str]]:
    for name, value in exchange.headers.items():
        text = name.decode("latin-1")
        if text.startswith(_OWN):
            yield text, value.decode("latin-1").strip()


def _wrong(error: msgspec.DecodeError | UnicodeDecodeError | RecursionError) -> InvalidRequestError:
    if isinstance(error, RecursionError):
        return InvalidRequestError("The request body is nested too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequestError("The request body is not valid UTF-8.")
    if not isinstance(error, msgspec.ValidationError):
        return InvalidRequestError(f"The request body is not valid JSON: {str(error).rstrip('.')}.")
    found = _PLACE.search(str(error))
    if found is None:
        return InvalidRequestError(f"The request body must be a JSON object: {error}.")
    return InvalidRequestError(f"{found['place']}: {str(error)[: found.start()]}", param=found["place"])
