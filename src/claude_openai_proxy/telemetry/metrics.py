"""What is counted of requests for `/metrics`: a reader of records that adds numbers up and keeps nothing of a request.

Labels are bounded: routes, ways and statuses are few; of models there are `MOST_MODELS`, and of parameters those that
OpenAI's requests have. Whatever else a request brings is `other`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.telemetry.families import OTHER, Family, Histogram, Labels, by_label, one

MOST_MODELS: Final = 50
FIRST_TOKEN_SECONDS: Final = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0)
TOTAL_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
QUEUE_SECONDS: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_RETRIES: Final = frozenset({"connect_retried", "retried_5xx"})
_PARAMETERS: Final = frozenset(
    name
    for request in (ChatCompletionRequest, CompletionRequest, ResponsesRequest)
    for name in request.__struct_fields__
)


@dataclass(slots=True)
class _Times:
    """Of one way to Claude."""

    first_token: Histogram = field(default_factory=lambda: Histogram(FIRST_TOKEN_SECONDS))
    total: Histogram = field(default_factory=lambda: Histogram(TOTAL_SECONDS))
    queue: Histogram = field(default_factory=lambda: Histogram(QUEUE_SECONDS))


@dataclass(slots=True)
class _Sums:
    """Of requests that are alike in all labels: one place for each, so that a request is looked up once."""

    times: _Times
    requests: int = 0
    used: int = 0
    """Those among them that used tokens."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    thinking: int = 0
    dollars: float = 0.0


class RequestMetrics:
    """A reader of records."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str, int, str], _Sums] = {}
        """By route, model, upstream, status and who charges."""
        self._times: dict[str, _Times] = {}
        """By upstream."""
        self._repairs: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._thinking_back = 0
        self._thinking_left_out: Counter[str] = Counter()
        self._under_way = 0
        self._streams = 0
        self._models: set[str] = set()

    # ---- counting ---------------------------------------------------------------------------------------------------

    def started(self, record: RequestRecord) -> None:  # noqa: ARG002 - the protocol's signature
        """One more is under way."""
        self._under_way += 1

    def first_token(self, record: RequestRecord) -> None:
        """One more stream is open."""
        if record.stream:
            self._streams += 1

    def ended(self, record: RequestRecord) -> None:
        """Add it up."""
        self._under_way -= 1
        model, upstream = record.model_used, record.upstream
        if model not in self._models:
            model = self._model(model)
        labels = record.route, model, upstream, record.status, record.billed
        sums = self._sums.get(labels) or self._first(labels)
        sums.requests += 1
        if record.first_token is not None:
            self._streams -= record.stream
            sums.times.first_token.add(record.first_token - record.started)
        if upstream and record.ended is not None:
            sums.times.total.add(record.ended - record.started)
        if record.admitted is not None:
            sums.times.queue.add(record.waited)
        if record.input_tokens or record.output_tokens:
            _add_tokens(sums, record)
        for name in record.repairs:
            self._repairs[name.partition(":")[0]] += 1
        for name in record.ignored:
            self._ignored[_parameter(name)] += 1
        self._thinking_back += record.thinking_put_back
        if record.thinking_left_out:
            self._thinking_left_out.update(record.thinking_left_out.split(","))

    def _first(self, labels: tuple[str, str, str, int, str]) -> _Sums:
        times = self._times.setdefault(labels[2], _Times())
        return self._sums.setdefault(labels, _Sums(times))

    def _model(self, name: str) -> str:
        if name and name not in self._models:
            if len(self._models) >= MOST_MODELS:
                return OTHER
            self._models.add(name)
        return name

    # ---- telling ----------------------------------------------------------------------------------------------------

    def families(self) -> list[Family]:
        """Everything that was counted since the start."""
        labels = ("route", "model", "upstream", "status")
        requests: Counter[Labels] = Counter()
        for (*names, status, _), sums in self._sums.items():
            requests[(*names, str(status))] += sums.requests
        return [
            Family("requests", "counter", "Requests that have ended.", labels, requests),
            one("requests_under_way", "gauge", "Requests of every kind that have not ended.", self._under_way),
            one("open_streams", "gauge", "Streamed answers that have begun and not ended.", self._streams),
            *self._durations(),
            *self._amounts(),
            *self._changes(),
        ]

    def _durations(self) -> list[Family]:
        def by_upstream(of: Callable[[_Times], Histogram]) -> dict[Labels, Histogram]:
            found = {(upstream,): of(times) for upstream, times in self._times.items()}
            return {labels: histogram for labels, histogram in found.items() if any(histogram.parts[1])}

        labels = ("upstream",)
        return [
            Family(
                "first_token_seconds", "histogram", "From the request to the first piece of its answer.",
                labels, by_upstream(lambda times: times.first_token),
            ),
            Family(
                "request_seconds", "histogram", "From the request to its end.",
                labels, by_upstream(lambda times: times.total),
            ),
            Family(
                "queue_seconds", "histogram", "In line for a place.", labels, by_upstream(lambda times: times.queue)
            ),
        ]  # fmt: skip

    def _amounts(self) -> list[Family]:
        tokens: Counter[Labels] = Counter()
        thinking: Counter[Labels] = Counter()
        dollars: dict[Labels, float] = {}
        for (_, model, _, _, billed), sums in self._sums.items():
            if not sums.used:
                continue
            tokens[model, "input"] += sums.input_tokens
            tokens[model, "output"] += sums.output_tokens
            if sums.cache_read:
                tokens[model, "cache_read"] += sums.cache_read
            if sums.cache_write:
                tokens[model, "cache_write"] += sums.cache_write
            if sums.thinking:
                thinking[model,] += sums.thinking
            dollars[model, billed] = dollars.get((model, billed), 0.0) + sums.dollars
        return [
            Family("tokens", "counter", "Tokens by Claude's count, each of one kind.", ("model", "kind"), tokens),
            Family("thinking_tokens", "counter", "Those of kind output that were thinking.", ("model",), thinking),
            Family(
                "list_price_dollars", "counter", "What that costs by the API's price list, whoever charges.",
                ("model", "billed"), dollars,
            ),
        ]  # fmt: skip

    def _changes(self) -> list[Family]:
        done = self._repairs
        retries = by_label({name: count for name, count in done.items() if name in _RETRIES})
        repairs = by_label({name: count for name, count in done.items() if name not in _RETRIES})
        ignored, left_out = by_label(self._ignored), by_label(self._thinking_left_out)
        return [
            Family("retries", "counter", "Times that Claude's side was asked again.", ("kind",), retries),
            Family("repairs", "counter", "What the proxy did on its own; the log's words.", ("repair",), repairs),
            Family("ignored_parameters", "counter", "Parameters without effect.", ("parameter",), ignored),
            one("thinking_put_back", "counter", "Turns that went out with kept thinking.", self._thinking_back),
            Family("thinking_left_out", "counter", "Requests whose kept thinking did not fit.", ("reason",), left_out),
        ]


def _add_tokens(sums: _Sums, record: RequestRecord) -> None:
    from_cache, written = record.cached_tokens, record.cache_write_tokens
    sums.used += 1
    sums.input_tokens += record.input_tokens - from_cache - written
    sums.output_tokens += record.output_tokens
    sums.cache_read += from_cache
    sums.cache_write += written
    sums.thinking += record.thinking_tokens
    sums.dollars += record.list_price


def _parameter(name: str) -> str:
    """The field of the request that `name` is in."""
    top = name.partition(".")[0].partition("[")[0]
    return top if top in _PARAMETERS else OTHER
