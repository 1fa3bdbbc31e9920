"""What is told of an answer before its first piece."""

from msgspec import Struct

from claude_openai_proxy.errors import MinuteLimit


class AnswerHead(Struct, frozen=True):
    """What is known of an answer before its first piece; goes into the response's headers."""

    model_used: str
    upstream: str
    upstream_request_id: str
    rate_limits: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()
    """Of upstream's answer, those that clients of the Messages API read."""
    billed: str = ""
    """Who charges for it, as far as is known when it begins."""
    own_limits: tuple[MinuteLimit, ...] = ()
    """Of the client key: they are told in place of upstream's."""
