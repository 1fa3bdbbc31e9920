"""Response headers: what an answer says of itself beside its body."""

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from claude_openai_proxy.errors import MinuteLimit
from claude_openai_proxy.service.admission import AnswerHead
from claude_openai_proxy.service.plan_meter import moment
from claude_openai_proxy.web.asgi import Header

EXPOSED: Final = (
    "x-request-id, request-id, openai-processing-ms, openai-version, x-claude-model, x-upstream, "
    "x-billed, x-batch-mode, x-upstream-request-id, x-ignored-parameters, x-repairs, retry-after, x-should-retry, "
    "x-ratelimit-limit-requests, "
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, "
    "x-ratelimit-reset-requests, x-ratelimit-reset-tokens"
)
"""What a browser lets a page read of an answer from another origin."""

NO_STORE: Final[Header] = (b"cache-control", b"no-store")
"""What belongs to one client stays out of every cache."""

NAME_LENGTH = 64
NAMES_LENGTH = 2000

_UNPRINTABLE: Final = re.compile(rb"[^\x20-\x7e]")
_RATE_LIMITS: Final = {
    f"anthropic-ratelimit-{kind}-{what}": f"x-ratelimit-{what}-{kind}".encode()
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    for what in ("limit", "remaining", "reset")
}
_ALL_TOKENS: Final = {
    f"anthropic-ratelimit-input-tokens-{what}": f"x-ratelimit-{what}-tokens".encode()
    for what in ("limit", "remaining", "reset")
}

_OWN_LIMITS: Final = {
    kind: tuple(f"x-ratelimit-{what}-{kind}".encode() for what in ("limit", "remaining", "reset"))
    for kind in ("requests", "tokens")
}

# Of a plan's limits only the reset is a fact that OpenAI has a name for, and that nothing is left when one is reached.
_PLAN_RESET: Final = "anthropic-ratelimit-unified-reset"
_PLAN_STATUS: Final = "anthropic-ratelimit-unified-status"


def header_value(text: str) -> bytes:
    """`text` as a header may hold it; what it may not is shown as `?`."""
    if text.isascii() and text.isprintable():
        return text.encode()
    return _UNPRINTABLE.sub(b"?", text.encode("ascii", "replace"))


def answer_headers(head: AnswerHead, *, now: float) -> list[Header]:
    """The facts of an answer; `now` in seconds since 1970."""
    headers = who_answered(head)
    if head.upstream_request_id:
        headers.append(upstream_request_id(head.upstream_request_id))
    if head.ignored:
        headers.append(ignored_parameters(head.ignored))
    if not head.own_limits:
        return headers + rate_limit_headers(head.rate_limits, now=now)
    own = own_limit_headers(head.own_limits)
    told = {name for name, _ in own}
    return headers + own + [row for row in rate_limit_headers(head.rate_limits, now=now) if row[0] not in told]


def who_answered(head: AnswerHead) -> list[Header]:
    """Which model, which way, and who charges for it where that is known."""
    headers = [(b"x-claude-model", header_value(head.model_used)), (b"x-upstream", header_value(head.upstream))]
    return [*headers, (b"x-billed", head.billed.encode())] if head.billed else headers


def ignored_parameters(names: tuple[str, ...]) -> Header:
    """The fields without effect."""
    return b"x-ignored-parameters", _names(names)


def upstream_request_id(request_id: str) -> Header:
    """The id under which upstream knows the request."""
    return b"x-upstream-request-id", header_value(request_id)


def own_limit_headers(limits: Iterable[MinuteLimit]) -> list[Header]:
    """The client key's own limits, in OpenAI's words."""
    headers: list[Header] = []
    for kind, limit, remaining, reset in limits:
        names = _OWN_LIMITS[kind]
        headers += (
            (names[0], b"%d" % limit),
            (names[1], b"%d" % remaining),
            (names[2], openai_duration(math.ceil(reset))),
        )
    return headers


def rate_limit_headers(sent: Iterable[tuple[str, str]], *, now: float) -> list[Header]:
    """Upstream's limits under OpenAI's names; input tokens stand for all tokens where upstream has no such limit."""
    headers: dict[bytes, bytes] = {}
    for name, value in sent:
        if ours := _RATE_LIMITS.get(name):
            headers[ours] = _duration_until(value, now) if name.endswith("-reset") else header_value(value)
        elif name == _PLAN_RESET:
            headers.setdefault(b"x-ratelimit-reset-requests", _duration_until(value, now))
        elif name == _PLAN_STATUS and value == "rejected":
            headers.setdefault(b"x-ratelimit-remaining-requests", b"0")
    for name, _ in sent:
        if (tokens := _ALL_TOKENS.get(name)) and tokens not in headers:
            headers[tokens] = headers[_RATE_LIMITS[name]]
    return list(headers.items())


def _duration_until(text: str, now: float) -> bytes:
    """From RFC 3339, or seconds since 1970, to OpenAI's `1h2m3s`; what is no time stays as it is."""
    at = moment(text)
    return header_value(text) if at is None else openai_duration(at - now)


@lru_cache(maxsize=256)
def openai_duration(seconds: float) -> bytes:
    """`1h2m3s`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return ((f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s").encode()


def _names(names: tuple[str, ...]) -> bytes:
    """A client may name its fields as it likes, and as many as it likes: escaped and cut."""
    return ", ".join(quote(name[:NAME_LENGTH], safe="[]._-") for name in names).encode()[:NAMES_LENGTH]
