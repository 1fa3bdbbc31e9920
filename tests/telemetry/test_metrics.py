"""What is counted of requests, and that nothing that a client sends makes it grow without end."""

import subprocess
import sys

import pytest

from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.telemetry.families import Family, Histogram, exposition
from claude_openai_proxy.telemetry.metrics import MOST_MODELS, TOGETHER, RequestMetrics
from telemetry.test_log_lines import a_record


def counted(*records: RequestRecord) -> dict[str, Family]:
    metrics = RequestMetrics()
    for record in records:
        metrics.started(record)
        if record.first_token is not None:
            metrics.first_token(record)
        metrics.ended(record)
    return {family.name: family for family in metrics.families()}


def test_a_request_is_counted_by_what_it_was() -> None:
    found = counted(
        a_record(
            upstream="api",
            billed="plan",
            cache_write_tokens=12,
            thinking_tokens=20,
            list_price=0.25,
            repairs=["connect_retried", "tool_schema_reduced:look_up"],
            ignored=("seed", "messages[0].mood", "made_up"),
            thinking_put_back=2,
            thinking_left_out="model,prefix",
        )
    )
    model = "claude-opus-4-7"
    assert found["requests"].samples == {("/v1/chat/completions", model, "api", "200"): 1}
    assert found["tokens"].samples == {
        (model, "input"): 400, (model, "cache_read"): 400, (model, "cache_write"): 12, (model, "output"): 120,
    }  # fmt: skip
    assert found["thinking_tokens"].samples == {(model,): 20}
    assert found["list_price_dollars"].samples == {(model, "plan"): 0.25}
    assert found["retries"].samples == {("connect_retried",): 1}
    assert found["repairs"].samples == {("tool_schema_reduced",): 1}
    assert found["ignored_parameters"].samples == {("seed",): 1, ("messages",): 1, ("other",): 1}
    assert found["thinking_put_back"].samples == {(): 2}
    assert found["thinking_left_out"].samples == {("model",): 1, ("prefix",): 1}


def test_times_stand_in_their_buckets() -> None:
    found = counted(a_record(upstream="api", admitted=10.1, waited=0.1), a_record(upstream="api", ended=22.0))
    first, total, queue = (
        found[name].samples["api",] for name in ("first_token_seconds", "request_seconds", "queue_seconds")
    )
    assert isinstance(first, Histogram)
    assert isinstance(total, Histogram)
    assert isinstance(queue, Histogram)
    assert dict(first.buckets) | {"0.5": 2.0, "0.25": 0.0, "+Inf": 2.0} == dict(first.buckets)
    assert first.total == pytest.approx(0.7)
    assert dict(total.buckets) | {"1.0": 0.0, "2.0": 1.0, "10.0": 1.0, "20.0": 2.0} == dict(total.buckets)
    assert dict(queue.buckets) | {"0.01": 0.0, "0.1": 1.0, "+Inf": 1.0} == dict(queue.buckets)


def test_what_is_under_way_is_told_until_it_ends() -> None:
    metrics, stream, whole = RequestMetrics(), a_record(), a_record(stream=False)

    def under_way() -> tuple[object, object]:
        found = {family.name: family.samples[()] for family in metrics.families() if not family.labels}
        return found["requests_under_way"], found["open_streams"]

    for record in (stream, whole):
        metrics.started(record)
    assert under_way() == (2, 0)
    for record in (stream, whole):
        metrics.first_token(record)
    assert under_way() == (2, 1)
    for record in (stream, whole):
        metrics.ended(record)
    assert under_way() == (0, 0)


def test_a_request_that_was_refused_has_no_times_and_no_tokens() -> None:
    refused = a_record(
        status=401,
        model_used="",
        upstream="",
        input_tokens=0,
        output_tokens=0,
        first_token=None,
        ignored=(),
        repairs=[],
    )
    found = counted(refused)
    assert found["requests"].samples == {("/v1/chat/completions", "", "", "401"): 1}
    assert not any(found[name].samples for name in ("request_seconds", "first_token_seconds", "tokens", "repairs"))


def test_requests_wait_to_be_added_up_but_not_many_and_not_when_somebody_asks() -> None:
    metrics, most = RequestMetrics(), 0
    for number in range(1, 3 * TOGETHER):
        metrics.started(record := a_record())
        metrics.first_token(record)
        metrics.ended(record)
        most = max(most, len(metrics._waiting))
        if number % 100 == 0:
            samples = {family.name: family for family in metrics.families()}["requests"].samples
            assert list(samples.values()) == [number]
    assert most < TOGETHER


def test_labels_are_bounded_whatever_is_asked_for() -> None:
    records = [
        a_record(model_used=f"made-up-{number}", ignored=(f"field_{number}", f"seed[{number}].{number}"))
        for number in range(1000)
    ]
    found = counted(*records)
    assert len(found["requests"].samples) == MOST_MODELS + 1
    assert found["requests"].samples["/v1/chat/completions", "other", "messages-api", "200"] == 1000 - MOST_MODELS
    assert found["ignored_parameters"].samples == {("other",): 1000, ("seed",): 1000}


def test_the_text_escapes_what_a_label_may_hold_and_follows_the_scrapers_format() -> None:
    histogram = Histogram((0.5,))
    histogram.add([0.25])
    families = [
        Family("requests", "counter", "Ended.", ("model",), {('a"b\nc\\',): 2.0}),
        Family("queue_seconds", "histogram", "In line.", (), {(): histogram}),
    ]
    body, content_type = exposition(families, "")
    text = body.decode()
    assert content_type.startswith(b"text/plain; version=0.0.4")
    assert 'claude_openai_proxy_requests_total{model="a\\"b\\nc\\\\"} 2.0\n' in text
    assert 'claude_openai_proxy_queue_seconds_bucket{le="0.5"} 1.0\n' in text
    assert "claude_openai_proxy_queue_seconds_sum 0.25\n" in text
    assert "process_resident_memory_bytes" in text
    body, content_type = exposition(families, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith(b"application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_the_library_is_imported_when_metrics_are_asked_for() -> None:
    program = (
        "import sys; import claude_openai_proxy.app.wiring; early = 'prometheus_client' in sys.modules; "
        "from claude_openai_proxy.telemetry.families import exposition; exposition([], ''); "
        "print(early, 'prometheus_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"
