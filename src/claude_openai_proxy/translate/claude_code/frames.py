"""From a line of the CLI's stdout to its frame."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols import claude_code

_KnownFrame = (
    claude_code.StreamEventFrame
    | claude_code.RateLimitFrame
    | claude_code.AssistantFrame
    | claude_code.ResultFrame
    | claude_code.SystemFrame
    | claude_code.ControlResponseFrame
    | claude_code.ControlRequestFrame
)
_KNOWN_TYPES = frozenset(
    {"stream_event", "rate_limit_event", "assistant", "result", "system", "control_response", "control_request"}
)


class _Typed(Struct, frozen=True):
    type: str


_decode_known: Callable[[bytes], _KnownFrame] = msgspec.json.Decoder(_KnownFrame).decode
_decode_type = msgspec.json.Decoder(_Typed).decode


def decode_frame(line: bytes) -> claude_code.Frame:
    """Decode one line. A kind of frame that the proxy has no use for becomes `OtherFrame`.

    Raises `UpstreamProtocolError` for a line that is not JSON, and for a known frame without its known shape.
    """
    try:
        return _decode_known(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _decode_other(line, error)


def _decode_other(line: bytes, error: Exception) -> claude_code.OtherFrame:
    try:
        kind = _decode_type(line).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as worse:
        raise UpstreamProtocolError(f"The Claude Code CLI printed a line that is no frame: {worse}") from worse
    if kind in _KNOWN_TYPES:
        raise UpstreamProtocolError(f"The Claude Code CLI printed a malformed {kind} frame: {error}") from error
    return claude_code.OtherFrame(kind)
