"""What is counted of requests for `/metrics`: a reader of records that adds numbers up and keeps nothing of a request.

Labels are bounded: routes, ways and statuses are few; of models there are `MOST_MODELS`, and of parameters those that
OpenAI's requests have. Whatever else a request brings is `other`.
"""

from collections import Counter
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


class RequestMetrics:
    """A reader of records."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._tokens: Counter[Labels] = Counter()
        self._thinking: Counter[Labels] = Counter()
        self._dollars: dict[Labels, float] = {}
        self._first_token: dict[Labels, Histogram] = {}
        self._total: dict[Labels, Histogram] = {}
        self._queue: dict[Labels, Histogram] = {}
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
        model, upstream = self._model(record.model_used), record.upstream
        self._requests[record.route, model, upstream, record.status] += 1
        if record.first_token is not None:
            self._streams -= record.stream
            _histogram(self._first_token, (upstream,), FIRST_TOKEN_SECONDS).add(record.first_token - record.started)
        if upstream and record.ended is not None:
            _histogram(self._total, (upstream,), TOTAL_SECONDS).add(record.ended - record.started)
        if record.admitted is not None:
            _histogram(self._queue, (upstream,), QUEUE_SECONDS).add(record.waited)
        if record.input_tokens or record.output_tokens:
            self._count_tokens(record, model)
        for name in record.repairs:
            self._repairs[name.partition(":")[0]] += 1
        for name in record.ignored:
            self._ignored[_parameter(name)] += 1
        self._count_thinking(record)

    def _count_tokens(self, record: RequestRecord, model: str) -> None:
        tokens, from_cache, written = self._tokens, record.cached_tokens, record.cache_write_tokens
        tokens[model, "input"] += record.input_tokens - from_cache - written
        tokens[model, "output"] += record.output_tokens
        if from_cache:
            tokens[model, "cache_read"] += from_cache
        if written:
            tokens[model, "cache_write"] += written
        if record.thinking_tokens:
            self._thinking[model,] += record.thinking_tokens
        labels = model, record.billed
        self._dollars[labels] = self._dollars.get(labels, 0.0) + record.list_price

    def _count_thinking(self, record: RequestRecord) -> None:
        self._thinking_back += record.thinking_put_back
        if record.thinking_left_out:
            self._thinking_left_out.update(record.thinking_left_out.split(","))

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
        requests: dict[Labels, float] = {
            (*names, str(status)): count for (*names, status), count in self._requests.items()
        }
        return [
            Family("requests", "counter", "Requests that have ended.", labels, requests),
            one("requests_under_way", "gauge", "Requests of every kind that have not ended.", self._under_way),
            one("open_streams", "gauge", "Streamed answers that have begun and not ended.", self._streams),
            *self._times(),
            *self._amounts(),
            *self._changes(),
        ]

    def _times(self) -> list[Family]:
        labels = ("upstream",)
        return [
            Family(
                "first_token_seconds", "histogram", "From the request to the first piece of its answer.",
                labels, self._first_token,
            ),
            Family("request_seconds", "histogram", "From the request to its end.", labels, self._total),
            Family("queue_seconds", "histogram", "In line for a place.", labels, self._queue),
        ]  # fmt: skip

    def _amounts(self) -> list[Family]:
        return [
            Family("tokens", "counter", "Tokens by Claude's count, each of one kind.", ("model", "kind"), self._tokens),
            Family(
                "thinking_tokens", "counter", "Those of kind output that were thinking.", ("model",), self._thinking
            ),
            Family(
                "list_price_dollars", "counter", "What that costs by the API's price list, whoever charges.",
                ("model", "billed"), self._dollars,
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


def _histogram(histograms: dict[Labels, Histogram], labels: Labels, bounds: tuple[float, ...]) -> Histogram:
    found = histograms.get(labels)
    if found is None:
        found = histograms[labels] = Histogram(bounds)
    return found


def _parameter(name: str) -> str:
    """The field of the request that `name` is in."""
    top = name.partition(".")[0].partition("[")[0]
    return top if top in _PARAMETERS else OTHER
