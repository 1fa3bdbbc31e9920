"""What a client of the Messages API asks for, as far as anybody looks into it."""

from msgspec import Struct


class AskedMessage(Struct, frozen=True, kw_only=True):
    """`body` is a JSON object. `headers` are Anthropic's own, in lower case; `counting`: its tokens are asked for."""

    body: bytes
    model: str | None = None
    stream: bool = False
    max_tokens: int = 0
    """0 where it names none."""
    headers: tuple[tuple[str, str], ...] = ()
    counting: bool = False
