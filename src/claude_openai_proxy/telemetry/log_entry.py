"""What the log says of one request, made from its record."""

import logging

from msgspec import Struct

from claude_openai_proxy.records import CLIENT_LEFT, RequestRecord

LONGEST = 120
"""Characters of a name that came from the client."""
LONGEST_REASON = 300


class LogEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of a line; those without a value are left out. Times in milliseconds."""

    request_id: str
    own_id: str = ""
    """The proxy's own, where the client chose the other."""
    principal: str
    client: str = ""
    address: str = ""
    method: str
    route: str
    path: str = ""
    """Of a request that no route was found for."""
    status: int
    model: str = ""
    model_used: str = ""
    upstream: str = ""
    upstream_request_id: str = ""
    billed: str = ""
    stream: bool = False
    finish_reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    thinking_put_back: int = 0
    thinking_left_out: str = ""
    first_token_ms: int | None = None
    total_ms: int | None = None
    ignored: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    skipped_events: int = 0
    error: str = ""
    code: str = ""
    param: str = ""
    reason: str = ""


def log_entry(record: RequestRecord) -> LogEntry:
    """The entry of `record` as it stands."""
    return LogEntry(
        request_id=record.id,
        own_id=record.own_id if record.own_id != record.id else "",
        principal=record.principal.name,
        client=record.client,
        address=record.address,
        method=record.method[:LONGEST],
        route=record.route,
        path=record.path[:LONGEST] if record.route == "unknown" else "",
        status=record.status,
        model=record.model_asked[:LONGEST],
        model_used=record.model_used[:LONGEST],
        upstream=record.upstream,
        upstream_request_id=record.upstream_request_id,
        billed=record.billed,
        stream=record.stream,
        finish_reason=record.finish_reason,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cached_tokens=record.cached_tokens,
        cache_write_tokens=record.cache_write_tokens,
        thinking_put_back=record.thinking_put_back,
        thinking_left_out=record.thinking_left_out,
        first_token_ms=_milliseconds(record.started, record.first_token),
        total_ms=_milliseconds(record.started, record.ended),
        ignored=tuple(name[:LONGEST] for name in record.ignored[:LONGEST]),
        repairs=tuple(record.repairs),
        skipped_events=record.skipped_events,
        error=record.error,
        code=record.code,
        param=record.param[:LONGEST],
        reason=record.reason[:LONGEST_REASON],
    )


def level_of(record: RequestRecord) -> int:
    """Ours and upstream's failures are errors, the client's are warnings; a client may leave as it likes."""
    if record.status >= 500 or (record.error and record.status < 400):
        return logging.ERROR
    if record.status >= 400 and record.status != CLIENT_LEFT:
        return logging.WARNING
    return logging.INFO


def _milliseconds(since: float, moment: float | None) -> int | None:
    return None if moment is None else round((moment - since) * 1000)
