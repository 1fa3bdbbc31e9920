"""What Claude's refusals mean to a client that branches on OpenAI's codes: one table, for every way to Claude.

`web` owns the way from a kind to status, code and headers.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from claude_openai_proxy.errors import RefusalKind, UpstreamStatusError


class Refusal(Struct, frozen=True):
    """One row. `advice` is added to Claude's own words."""

    kind: RefusalKind
    statuses: frozenset[int]
    words: re.Pattern[str]
    advice: str = ""


def _row(kind: RefusalKind, statuses: Sequence[int], words: str, advice: str = "") -> Refusal:
    return Refusal(kind, frozenset(statuses), re.compile(words, re.IGNORECASE), advice)


_ANY_REFUSAL: Final = (400, 402, 403, 429)

REFUSALS: Final = (
    _row(
        "context_length",
        (400, 403, 429),
        r"(long|1M)[- ]context",
        "This login may not send so much at once: shorten the conversation, or allow extra usage for it.",
    ),
    _row(
        "context_length",
        (400, 413, 422),
        r"(prompt|input) is too long|exceeds? (the )?(\S+ )?(context|maximum prompt)|context (limit|window|length)",
    ),
    _row(
        "quota",
        _ANY_REFUSAL,
        r"credit balance",
        "The API account behind this key has no credit left: add some, or use another login.",
    ),
    _row(
        "quota",
        _ANY_REFUSAL,
        r"extra usage|usage credits",
        "This use is not covered by the plan but by its extra usage, which is off or used up: allow more of it in "
        "Claude's settings, or use an API key.",
    ),
    _row(
        "quota",
        _ANY_REFUSAL,
        r"usage limits?\b|spend(ing)? (limit|cap)|(hit|reached) your .{0,40}limit|"
        r"(5-hour|five-hour|hourly|daily|weekly|7-day|monthly|session) limit",
    ),
    _row("model", (404,), r"model"),
    _row("model", (400,), r"model identifier is invalid|(unknown|no such) model|model .{0,80}(not found|not exist)"),
    _row("content_policy", (400, 403), r"content filter|content policy|usage polic"),
)
"""The first row that fits, by Claude's status and words."""

_KIND_OF_TYPE: Final[Mapping[str, RefusalKind]] = MappingProxyType(
    {
        "billing_error": "quota",
        "insufficient_quota": "quota",
        "context_length_exceeded": "context_length",
        "model_not_found": "model",
    }
)
"""Types that say it without words; those of OpenAI come from gateways."""

_WINDOWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "five_hour": "5-hour",
        "seven_day": "7-day",
        "seven_day_opus": "7-day Opus",
        "seven_day_sonnet": "7-day Sonnet",
        "overage": "extra usage",
    }
)
_UNIFIED: Final = "anthropic-ratelimit-unified-"


def refusal_error(
    message: str,
    *,
    status: int,
    now: float,
    error_type: str = "",
    request_id: str | None = None,
    retry_after: float | None = None,
    rate_limits: tuple[tuple[str, str], ...] = (),
) -> UpstreamStatusError:
    """The error of an HTTP error or `error` event; `now` in seconds since 1970.

    A plan at its limit is known by the `anthropic-ratelimit-unified-*` headers, and gets a sentence with the time of
    its reset (Claude Code says `rejected` of any 429, and a reset only of a plan's); so does money that comes back at
    a known time.
    """
    limits = dict(rate_limits)
    at_plan_limit = status == 429 and limits.get(f"{_UNIFIED}status") == "rejected" and f"{_UNIFIED}reset" in limits
    kind, advice = _judged(status, error_type, message)
    if at_plan_limit and kind != "context_length":
        kind, advice = "quota", _plan_sentence(limits)
    if kind == "quota":
        retry_after = _until_reset(limits, now, otherwise=retry_after)
        advice = _with_reset(f"{message} {advice}", advice, retry_after)
    return UpstreamStatusError(
        f"{message.rstrip('. ')}. {advice}" if message and advice else message or advice,
        status=status,
        error_type=error_type,
        request_id=request_id,
        retry_after=retry_after,
        rate_limits=rate_limits,
        refusal=kind,
    )


def window_words(name: str) -> str:
    """A plan's window for a person: `5-hour`."""
    return _WINDOWS.get(name, name.replace("_", " "))


def spoken(seconds: float) -> str:
    """`2 d 3 h`, `1 h 30 min`, `5 min`."""
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    days, hours_of_day = divmod(hours, 24)
    if days:
        return f"{days} d {hours_of_day} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _judged(status: int, error_type: str, message: str) -> tuple[RefusalKind, str]:
    row = next((row for row in REFUSALS if status in row.statuses and row.words.search(message)), None)
    if row is not None:
        return row.kind, row.advice
    if status == 402:
        return "quota", ""
    return _KIND_OF_TYPE.get(error_type) or ("rate_limit" if status == 429 else ""), ""


def _plan_sentence(limits: Mapping[str, str]) -> str:
    window = window_words(limits.get(f"{_UNIFIED}representative-claim", ""))
    return f"The plan's {window} limit is reached" if window else "The plan's limit is reached"


def _until_reset(limits: Mapping[str, str], now: float, *, otherwise: float | None) -> float | None:
    reset = limits.get(f"{_UNIFIED}reset", "")
    return max(1.0, float(reset) - now) if reset.isdecimal() and len(reset) < 15 else otherwise


def _with_reset(told: str, advice: str, seconds: float | None) -> str:
    """`advice` with the time of the reset, unless `told` speaks of one already."""
    if seconds is None or re.search(r"resets? |regain", told, re.IGNORECASE):
        return advice if not advice or advice.endswith(".") else f"{advice}."
    when = f"resets in {spoken(seconds)}."
    if advice.endswith(".") or not advice:
        return f"{advice} It {when}".strip()
    return f"{advice}; it {when}"
