"""Chunks of one answer as server-sent events, made from a byte template: only the choice differs."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.protocols.openai_usage import CompletionUsage

DONE: Final = b"data: [DONE]\n\n"

_encode: Final = msgspec.json.Encoder().encode

# Some clients split lines at these characters too, and would lose text: JSON can write them as escapes.
_LINE_BREAKS: Final = (
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
    (b"\xc2\x85", b"\\u0085"),
)


class ChunkEncoder:
    """`created` in seconds since 1970; with `include_usage` every chunk says `usage`, null but in the last.

    `object_` is the published name of what is streamed.
    """

    __slots__ = ("_after", "_before", "_between", "_fixed", "_include_usage")

    def __init__(
        self, *, id_: str, created: int, model: str, include_usage: bool, object_: str = "chat.completion.chunk"
    ) -> None:
        self._fixed = b'data: {"id":%b,"object":%b,"created":%d,"model":%b' % (
            _encode(id_),
            _encode(object_),
            created,
            _encode(model),
        )
        self._include_usage = include_usage
        self._before = self._fixed + b',"system_fingerprint":null,"choices":['
        self._after = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        self._between = self._after + self._before

    def encode(self, choices: Sequence[Struct]) -> bytes:
        """One event for each choice, all together."""
        if len(choices) == 1:
            data = self._before + _encode(choices[0]) + self._after
        else:
            data = self._before + self._between.join(map(_encode, choices)) + self._after
        return data if data.isascii() else without_line_breaks(data)

    def end(self, usage: CompletionUsage, service_tier: str | None) -> bytes:
        """The usage, if it was asked for, and the mark of the end."""
        if not self._include_usage:
            return DONE
        tier = b',"service_tier":%b' % _encode(service_tier) if service_tier else b""
        return b"%b%b,\"system_fingerprint\":null,\"choices\":[],\"usage\":%b}\n\n%b" % (
            self._fixed, tier, _encode(usage), DONE,
        )  # fmt: skip


def without_line_breaks(data: bytes) -> bytes:
    """With escapes in their place."""
    for character, escape in _LINE_BREAKS:
        if character in data:
            data = data.replace(character, escape)
    return data
