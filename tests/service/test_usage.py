"""Reports of the ledger: their order, their names, and what spreadsheets make of them."""

import csv
import io

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from claude_openai_proxy.records import LedgerRow
from claude_openai_proxy.service import usage
from claude_openai_proxy.service.usage import Usage, UsageFigures, UsageReport, read_dimension, read_span, to_csv
from claude_openai_proxy.storage import ledger as storage
from claude_openai_proxy.storage.ledger import Dimension, MemoryLedger
from storage.ledger_rows import DAY, NOON, ROW


async def report(by: Dimension, *rows: LedgerRow, seconds: float = 7 * DAY) -> UsageReport:
    store = MemoryLedger()
    await store.keep(rows, oldest=0)
    return await Usage(store, wall_clock=lambda: float(NOON + DAY)).report(by, seconds)


async def test_days_are_in_order_and_summed() -> None:
    told = await report("day", replace(ROW, id="2", at=NOON + DAY), ROW, replace(ROW, id="3", status=500))

    assert (told.since, told.until) == ("2024-09-28T12:00:00Z", "2024-10-05T12:00:00Z")
    assert [(group.name, group.figures.requests) for group in told.groups] == [("2024-10-04", 2), ("2024-10-05", 1)]
    assert told.total == UsageFigures(
        requests=3,
        failed=1,
        input_tokens=3_000,
        cached_tokens=1_800,
        cache_write_tokens=900,
        output_tokens=150,
        thinking_tokens=60,
        web_searches=3,
        list_price_usd=0.75,
        charged_usd=0.75,
        cached_share=0.6,
    )
    assert told.complete is True


async def test_hours_are_named_in_utc() -> None:
    assert [group.name for group in (await report("hour", ROW)).groups] == ["2024-10-04T12Z"]


async def test_models_come_dearest_first() -> None:
    opus = replace(ROW, id="2", model_used="claude-opus-5-5", list_price=9.0)
    none = replace(ROW, id="3", model_used="", list_price=0.0)
    assert [group.name for group in (await report("model", none, ROW, opus)).groups] == [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "",
    ]


async def test_a_key_has_its_id_beside_its_name() -> None:
    told = await report("key", ROW, replace(ROW, id="2", principal="key_2", list_price=0.1))
    assert [(group.name, group.id) for group in told.groups] == [("ann", "key_1"), ("ann", "key_2")]


async def test_only_the_span_counts() -> None:
    assert (await report("day", ROW, seconds=DAY - 1)).total.requests == 0
    assert (await report("day", ROW, seconds=DAY)).total.requests == 1


async def test_without_input_there_is_no_share() -> None:
    assert (await report("day")).total.cached_share is UNSET


async def test_too_many_groups_are_said_and_are_in_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (storage, usage):
        monkeypatch.setattr(module, "MOST_SUMS", 2)
    told = await report("client", *(replace(ROW, id=client, client=client) for client in "abc"))
    assert (len(told.groups), told.total.requests, told.complete) == (2, 3, False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1_800), ("24h", 86_400), ("7d", 604_800), ("4w", 2_419_200), ("36500d", 3_153_600_000)],
)
def test_spans(text: str, seconds: float) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "0d", "7 d", "1.5d", "7y", "36501d", "9999999d", "٧d", "7d\n"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        read_span(text)


def test_what_is_no_dimension() -> None:
    assert read_dimension("key") == "key"
    with pytest.raises(ValueError, match=r"^$"):
        read_dimension("principal; DROP TABLE ledger")


async def test_a_spreadsheet_reckons_nothing_that_a_client_sent() -> None:
    evil = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", 'quo"te,comma', "plain"]
    told = to_csv(await report("client", *(replace(ROW, id=text, client=text) for text in evil)))

    head, *lines = list(csv.reader(io.StringIO(told)))

    assert head[:4] == ["client", "requests", "failed", "input_tokens"]
    assert sorted(line[0] for line in lines) == sorted(
        ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(A1)", 'quo"te,comma', "plain"]
    )
    assert all(line[1:4] == ["1", "0", "1000"] for line in lines)
    assert '"\'=HYPERLINK(1)",1,0,1000,' in told


async def test_the_csv_of_keys_has_their_ids() -> None:
    head, line = csv.reader(io.StringIO(to_csv(await report("key", ROW))))
    assert (head[:2], line[:2]) == (["key", "id"], ["ann", "key_1"])
