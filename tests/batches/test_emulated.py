"""Batches whose lines are answered one by one: the same states, files and errors, behind everybody else."""

import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from openai import APIStatusError, AsyncOpenAI

from batches.files import chat, create, ended, jsonl, line, results
from batches.test_crashes import freed, started
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Hang, Script, Simulator
from robustness.whole_proxy import WholeProxy


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"BATCHES": "emulated"}


def asked(proxy: WholeProxy) -> int:
    return sum(request.is_message for request in proxy.simulator.requests)


async def test_lines_are_live_requests_and_their_results_are_the_same(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    lines = [line(str(number), chat(f"Number {number}")) for number in range(5)]
    lines[3] = line("3", chat(n=0))
    raw = await client.files.create(file=("input.jsonl", jsonl(lines)), purpose="batch")
    made = await client.batches.with_raw_response.create(
        input_file_id=raw.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert made.headers["x-batch-mode"] == "emulated"
    batch = await ended(client, made.parse())
    assert batch.status == "completed"
    assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["0", "1", "2", "4"]
    (refused,) = await results(client, batch.error_file_id)
    assert (refused["custom_id"], refused["response"]["status_code"]) == ("3", 400)
    assert proxy.simulator.batches.all == {}
    assert asked(proxy) == 4
    assert batch.usage is not None
    assert batch.usage.output_tokens > 0


async def test_never_more_lines_at_once_than_may_be(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play_when(lambda _: True, Script.text("Hello", before=(Hang(),)))
    batch = await create(client, jsonl(line(str(number), chat()) for number in range(6)))
    assert len(await simulator.received(2)) == 2
    batch = await client.batches.cancel(batch.id)
    assert batch.status == "cancelling"


async def test_an_upstream_that_is_busy_or_fails_is_asked_again(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    busy = [Script.error(529, "Overloaded"), Script.error(429, "Slow down", headers=(("retry-after", "0"),))]
    proxy.simulator.play(*busy, Script.error(500, "Oops"), Script.text("There"))
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    (told,) = await results(client, batch.output_file_id)
    assert told["response"]["body"]["choices"][0]["message"]["content"] == "There"
    assert asked(proxy) == 4


async def test_what_fails_three_times_is_an_error_line(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play_when(lambda _: True, Script.error(500, "Oops"))
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    (told,) = await results(client, batch.error_file_id)
    assert told["response"]["status_code"] == 500
    assert asked(proxy) == 3


async def test_what_claude_refuses_is_an_error_line_at_once(client: AsyncOpenAI, proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.error(400, "No."))
    batch = await ended(client, await create(client, jsonl([line("a", chat())])))
    (told,) = await results(client, batch.error_file_id)
    assert told["response"]["status_code"] == 400
    assert asked(proxy) == 1


async def test_a_line_that_was_being_answered_runs_once_more_and_then_no_more(
    simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(Flags(), environment, tmp_path)
    async with AsyncExitStack() as stack:
        client, _ = await started(stack, settings)
        simulator.play(Script.text("never", before=(Hang(),)), Script.text("never", before=(Hang(),)))
        batch = await create(client, jsonl([line("a", chat()), line("b", chat())]))
        await simulator.received(2)
    await freed(settings)
    with closing(sqlite3.connect(settings.storage.directory / "state.db")) as database:
        rows = database.execute("SELECT state, tries FROM batch_lines ORDER BY number").fetchall()
        assert rows == [("sent", 1), ("sent", 1)]
        database.execute("UPDATE batch_lines SET tries = 2 WHERE number = 2")
        database.commit()
    simulator.forget()
    async with AsyncExitStack() as stack:
        client, _ = await started(stack, settings)
        batch = await ended(client, batch)
        assert [one["custom_id"] for one in await results(client, batch.output_file_id)] == ["a"]
        (lost,) = await results(client, batch.error_file_id)
        assert (lost["custom_id"], lost["response"]["status_code"]) == ("b", 502)


async def test_a_batch_that_is_cancelled_stops(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.play_when(lambda _: True, Script.error(529, "Overloaded"))
    batch = await create(client, jsonl(line(str(number), chat()) for number in range(6)))
    await simulator.received(1)
    await client.batches.cancel(batch.id)
    batch = await ended(client, batch)
    assert (batch.status, batch.output_file_id) == ("cancelled", None)
    assert {one["error"]["code"] for one in await results(client, batch.error_file_id)} == {"batch_cancelled"}


class TestLimited:
    """With a bound of its own on lines."""

    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return environment | {"BATCH_EMULATED_LINES": "2"}

    async def test_more_lines_than_may_be_fail_the_batch(self, client: AsyncOpenAI, proxy: WholeProxy) -> None:
        batch = await ended(client, await create(client, jsonl(line(str(n), chat()) for n in range(3))))
        assert batch.status == "failed"
        assert batch.errors is not None
        assert [one.code for one in batch.errors.data or []] == ["invalid_request"]
        assert asked(proxy) == 0


class TestOff:
    """Where nobody wants any."""

    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return environment | {"BATCHES": "off"}

    async def test_none_is_made_and_none_is_worth_another_try(self, client: AsyncOpenAI) -> None:
        with pytest.raises(APIStatusError) as refused:
            await create(client, jsonl([line("a", chat())]))
        assert refused.value.status_code == 501
        assert refused.value.response.headers["x-should-retry"] == "false"
