"""What is counted of requests for `/metrics`: a reader that adds up what records say, at most `TOGETHER` at once.

Labels are bounded: routes, ways and statuses are few; of models there are `MOST_MODELS`, and of parameters those that
OpenAI's requests have. Whatever else a request brings is `other`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.telemetry.families import OTHER, Family, Histogram, Labels, by_label, one

MOST_MODELS: Final = 50
TOGETHER: Final = 256
"""Requests that are added up at once."""
FIRST_TOKEN_SECONDS: Final = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0)
TOTAL_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
QUEUE_SECONDS: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_RETRIES: Final = frozenset({"connect_retried", "retried_5xx"})
_PARAMETERS: Final = frozenset(
    name
    for request in (ChatCompletionRequest, CompletionRequest, ResponsesRequest)
    for name in request.__struct_fields__
)

_SumLabels = tuple[str, str, str, int, str]
"""Route, model, upstream, status and who charges."""


@dataclass(slots=True)
class _Times:
    """Of one way to Claude."""

    first_token: Histogram = field(default_factory=lambda: Histogram(FIRST_TOKEN_SECONDS))
    total: Histogram = field(default_factory=lambda: Histogram(TOTAL_SECONDS))
    queue: Histogram = field(default_factory=lambda: Histogram(QUEUE_SECONDS))


@dataclass(slots=True)
class _Sums:
    """Of requests that are alike in all labels."""

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

    def add(self, records: Sequence[RequestRecord]) -> None:
        """These, too, at least one."""
        self.requests += len(records)
        times = self.times
        times.first_token.add([one.first_token - one.started for one in records if one.first_token is not None])
        if records[0].upstream:
            times.total.add([one.ended - one.started for one in records if one.ended is not None])
        times.queue.add([one.waited for one in records if one.admitted is not None])
        used = [one for one in records if one.input_tokens or one.output_tokens]
        from_cache, written = sum([one.cached_tokens for one in used]), sum([one.cache_write_tokens for one in used])
        self.used += len(used)
        self.input_tokens += sum([one.input_tokens for one in used]) - from_cache - written
        self.output_tokens += sum([one.output_tokens for one in used])
        self.cache_read += from_cache
        self.cache_write += written
        self.thinking += sum([one.thinking_tokens for one in used])
        self.dollars += sum([one.list_price for one in used])


class RequestMetrics(RecordReader):
    """A reader of records."""

    def __init__(self) -> None:
        self._waiting: list[RequestRecord] = []
        self._sums: dict[_SumLabels, _Sums] = {}
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

    def started(self, record: RequestRecord) -> None:  # noqa: ARG002 - the signature of readers
        """One more is under way."""
        self._under_way += 1

    def first_token(self, record: RequestRecord) -> None:
        """One more stream is open."""
        if record.stream:
            self._streams += 1

    def ended(self, record: RequestRecord) -> None:
        """Let it wait to be added up with others until `TOGETHER` wait or somebody asks."""
        self._under_way -= 1
        if record.stream and record.first_token is not None:
            self._streams -= 1
        self._waiting.append(record)
        if len(self._waiting) >= TOGETHER:
            self._add_up()

    def _add_up(self) -> None:
        waiting, self._waiting = self._waiting, []
        alike: dict[_SumLabels, list[RequestRecord]] = {}
        for record in waiting:
            labels = record.route, record.model_used, record.upstream, record.status, record.billed
            alike.setdefault(labels, []).append(record)
            if record.repairs or record.ignored or record.thinking_put_back or record.thinking_left_out:
                self._add_changes(record)
        for labels, records in alike.items():
            self._sums_of(labels).add(records)

    def _add_changes(self, record: RequestRecord) -> None:
        self._repairs.update(name.partition(":")[0] for name in record.repairs)
        self._ignored.update(map(_parameter, record.ignored))
        self._thinking_back += record.thinking_put_back
        if record.thinking_left_out:
            self._thinking_left_out.update(record.thinking_left_out.split(","))

    def _sums_of(self, labels: _SumLabels) -> _Sums:
        route, model, upstream, status, billed = labels
        labels = route, self._model(model), upstream, status, billed
        if labels not in self._sums:
            self._sums[labels] = _Sums(self._times.setdefault(upstream, _Times()))
        return self._sums[labels]

    def _model(self, name: str) -> str:
        if name and name not in self._models:
            if len(self._models) >= MOST_MODELS:
                return OTHER
            self._models.add(name)
        return name

    # ---- telling ----------------------------------------------------------------------------------------------------

    def families(self) -> list[Family]:
        """Everything that was counted since the start."""
        self._add_up()
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


def _parameter(name: str) -> str:
    """The field of the request that `name` is in."""
    top = name.partition(".")[0].partition("[")[0]
    return top if top in _PARAMETERS else OTHER
