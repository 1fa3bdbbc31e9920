"""Which requests have a row, what stands in it, and what happens while it cannot be written."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import LOCAL, LedgerRow, Principal, RequestRecord
from claude_openai_proxy.storage.ledger import columns_of
from claude_openai_proxy.telemetry import ledger as module
from claude_openai_proxy.telemetry.ledger import BATCH_ROWS, MOST_WAITING, Ledger, charged, row_of, shown
from work import lines_run

NOW = 1_800_000_000.0


@dataclass
class Shelf:
    """Keeps rows, unless it is `broken`."""

    rows: list[LedgerRow] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    oldest: list[float] = field(default_factory=list)
    broken: bool = False
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, rows: Sequence[LedgerRow], *, oldest: float) -> None:
        self.tried.set()
        if self.broken:
            raise ProxyError("the disk is full")
        self.batches.append(len(rows))
        self.rows += rows
        self.oldest.append(oldest)


def record(id_: str = "req_1", **members: object) -> RequestRecord:
    made = RequestRecord(
        id="chosen-by-the-client", principal=LOCAL, method="POST", route="/v1/chat/completions", started=100.0
    )
    for name, value in {"own_id": id_, "status": 200, "ended": 100.5, **members}.items():
        setattr(made, name, value)
    return made


def ledger_on(shelf: Shelf, *, days: int = 400) -> Ledger:
    return Ledger(shelf, days=days, clock=lambda: 110.0, wall_clock=lambda: NOW)


async def written(*records: RequestRecord, days: int = 400) -> list[LedgerRow]:
    shelf = Shelf()
    ledger = ledger_on(shelf, days=days)
    for one in records:
        ledger.started(one)
        ledger.first_token(one)
        ledger.ended(one)
    await ledger.aclose()
    return shelf.rows


def test_a_row_has_what_is_known_of_a_request() -> None:
    row = row_of(
        record(
            principal=Principal("ann", "key_1"),
            client="OpenAI/Python 3.50",
            model_asked="sonnet",
            model_used="claude-sonnet-5-5",
            upstream="claude-code",
            billed="plan",
            finish_reason="stop",
            stream=True,
            choices=2,
            speed="fast",
            input_tokens=10,
            cached_tokens=4,
            cache_write_tokens=3,
            cache_write_1h_tokens=2,
            output_tokens=7,
            thinking_tokens=5,
            web_searches=1,
            list_price=0.5,
            first_token=100.25,
            repairs=["connect_retried", "fallback_model"],
            upstream_request_id="req_up",
        ),
        NOW - 110,
    )
    assert row == LedgerRow(
        id="req_1",
        at=NOW - 10,
        principal="key_1",
        key="ann",
        client="OpenAI/Python 3.50",
        route="/v1/chat/completions",
        dialect="chat",
        model_asked="sonnet",
        model_used="claude-sonnet-5-5",
        upstream="claude-code",
        billed="plan",
        status=200,
        finish_reason="stop",
        error="",
        stream=True,
        choices=2,
        speed="fast",
        input_tokens=10,
        cached_tokens=4,
        cache_write_tokens=3,
        cache_write_1h_tokens=2,
        output_tokens=7,
        thinking_tokens=5,
        web_searches=1,
        list_price=0.5,
        has_list_price=True,
        charged=0.0,
        first_token_ms=250,
        total_ms=500,
        repairs="connect_retried,fallback_model",
        upstream_request_id="req_up",
    )


@pytest.mark.parametrize(
    ("members", "dollars"),
    [
        ({"billed": "plan"}, 0.0),
        ({"billed": "extra-usage"}, 0.5),
        ({"billed": "api"}, 0.5),
        ({"billed": "api", "has_list_price": False}, None),
        ({"billed": "gateway"}, None),
        ({"billed": "cloud"}, None),
        ({"billed": ""}, None),
        ({"billed": "gateway", "list_price": 0.0}, 0.0),
        ({"billed": "", "upstream": "demo"}, 0.0),
    ],
)
def test_who_charges_what(members: dict[str, object], dollars: float | None) -> None:
    asked = record(list_price=0.5)
    for name, value in members.items():
        setattr(asked, name, value)
    assert charged(asked) == dollars


async def test_what_asks_for_no_answer_has_no_row() -> None:
    others = [("/health", "GET"), ("/v1/models", "GET"), ("/v1/messages/count_tokens", "POST"), ("unknown", "POST")]
    rows = await written(*(record(route=route, method=method) for route, method in others))
    assert rows == []


async def test_each_dialect_has_rows_refused_requests_too() -> None:
    routes = ("/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses")
    rows = await written(*(record(route, route=route, status=400) for route in routes))
    assert [row.dialect for row in rows] == ["chat", "completions", "messages", "responses"]


def test_a_row_among_others_is_little_work() -> None:
    ended = [record() for _ in range(BATCH_ROWS)]
    assert lines_run(lambda: columns_of([row_of(one, NOW) for one in ended])) / BATCH_ROWS < 120


async def test_strangers_cannot_fill_it() -> None:
    assert await written(record(principal=Principal("anonymous", "anonymous"), status=401)) == []


async def test_no_days_no_rows_and_old_ones_go_at_the_start() -> None:
    assert await written(record(), days=0) == []
    shelf = Shelf()
    ledger = ledger_on(shelf, days=2)
    await ledger.open()
    await shelf.tried.wait()
    await ledger.aclose()
    assert (shelf.batches, shelf.oldest) == ([0], [NOW - 2 * 86_400])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("x" * 500, "x" * 120),
        ("a\x1b[31mb\nc", "a\\x1b[31mb\\nc"),
        ("\u202ecod", "\\u202ecod"),
        ("\ud800", "\\ud800"),
        ("模型", "模型"),
        ("\x00" * 200, ("\\x00" * 120)[:120]),
    ],
)
def test_texts_of_requests_are_cut_and_printable(text: str, told: str) -> None:
    assert shown(text) == told
    assert row_of(record(model_asked=text), 0).model_asked == told


def test_counts_that_no_database_could_hold_are_cut() -> None:
    row = row_of(record(input_tokens=10**30, output_tokens=-5), 0)
    assert (row.input_tokens, row.output_tokens) == (2**53, 0)


def test_one_odd_text_or_count_leaves_the_others_as_they_are() -> None:
    row = row_of(record(client="a" * 70, model_used="b" * 70, error="\x1b[2J", cached_tokens=-1, output_tokens=7), 0)
    assert (row.client, row.model_used, row.error) == ("a" * 70, "b" * 70, "\\x1b[2J")
    assert (row.cached_tokens, row.output_tokens, row.input_tokens) == (0, 7, 0)


async def test_rows_are_written_in_batches() -> None:
    shelf = Shelf()
    ledger = ledger_on(shelf)
    for number in range(2 * BATCH_ROWS + 1):
        ledger.ended(record(f"req_{number}"))
    assert shelf.batches == []
    await ledger.flush()
    assert shelf.batches == [BATCH_ROWS, BATCH_ROWS, 1]
    assert [row.id for row in shelf.rows] == [f"req_{number}" for number in range(2 * BATCH_ROWS + 1)]
    await ledger.aclose()


async def test_a_full_batch_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 3_600)
    shelf = Shelf()
    ledger = ledger_on(shelf)
    for number in range(BATCH_ROWS):
        ledger.ended(record(f"req_{number}"))
    await asyncio.wait_for(shelf.tried.wait(), 60)
    assert shelf.batches == [BATCH_ROWS]
    await ledger.aclose()


async def test_a_single_row_is_written_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0)
    shelf = Shelf()
    ledger = ledger_on(shelf)
    ledger.ended(record())
    await asyncio.wait_for(shelf.tried.wait(), 60)
    assert shelf.batches == [1]


async def test_what_cannot_be_written_is_written_later_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    shelf = Shelf(broken=True)
    ledger = ledger_on(shelf)
    ledger.ended(record("req_1"))
    await shelf.tried.wait()
    ledger.ended(record("req_2"))
    shelf.broken = False
    shelf.tried.clear()
    await shelf.tried.wait()
    await ledger.aclose()
    assert [row.id for row in shelf.rows] == ["req_1", "req_2"]


async def test_a_row_that_is_tried_again_is_the_same_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is a part of what it is known by, and clocks drift."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    tried: list[LedgerRow] = []
    times = iter([NOW, NOW + 0.25, NOW + 0.5])

    async def keep(rows: Sequence[LedgerRow], *, oldest: float) -> None:
        del oldest
        tried.extend(rows)
        if len(tried) < 3:
            raise ProxyError("nobody knows whether it was committed")

    ledger = Ledger(keep, days=1, clock=lambda: 110.0, wall_clock=lambda: next(times))
    ledger.ended(record())
    for _ in range(3):
        await ledger.flush()
    assert tried == [tried[0]] * 3
    await ledger.aclose()


async def test_what_waits_is_bounded_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(broken=True)
    ledger = ledger_on(shelf)
    with caplog.at_level(logging.WARNING):
        for number in range(MOST_WAITING + 50):
            ledger.ended(record(f"req_{number}"))
    assert caplog.messages == ["The ledger cannot be written: rows of the requests that wait longest are given up."]

    shelf.broken = False
    await ledger.aclose()
    assert len(shelf.rows) == MOST_WAITING
    assert shelf.rows[0].id == "req_50"


async def test_who_looks_waits_for_what_has_ended_and_not_for_what_ends_meanwhile() -> None:
    shelf = Shelf()

    async def keep(rows: Sequence[LedgerRow], *, oldest: float) -> None:
        ledger.ended(record(f"later_{len(shelf.batches)}"))
        await shelf(rows, oldest=oldest)

    ledger = Ledger(keep, days=1, clock=lambda: 0.0, wall_clock=lambda: NOW)
    for number in range(BATCH_ROWS + 1):
        ledger.ended(record(f"req_{number}"))

    await asyncio.wait_for(ledger.flush(), 60)

    assert len(shelf.batches) == 2
    assert {f"req_{number}" for number in range(BATCH_ROWS + 1)} <= {row.id for row in shelf.rows}
    await ledger.aclose()


async def test_closing_while_a_write_hangs_loses_nothing_that_can_be_kept() -> None:
    shelf, hang = Shelf(), asyncio.Event()
    hung = asyncio.Event()

    async def keep(rows: Sequence[LedgerRow], *, oldest: float) -> None:
        if not hung.is_set():
            hung.set()
            await hang.wait()
        await shelf(rows, oldest=oldest)

    ledger = Ledger(keep, days=1, clock=lambda: 0.0, wall_clock=lambda: NOW)
    await ledger.open()
    await hung.wait()
    ledger.ended(record("req_1"))
    await ledger.aclose()
    assert [row.id for row in shelf.rows] == ["req_1"]
