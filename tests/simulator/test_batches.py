"""Message Batches of the simulated API, by the official SDK and on the wire."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.simulator.batches import A_DAY

HOUR = 3600.0


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Claude:
    """The SDK and the API behind it. A batch takes an hour of `clock`."""

    sdk: AsyncAnthropic
    simulator: Simulator
    clock: Clock = field(repr=False)

    async def create(self, *ids: str, **params: object) -> MessageBatch:
        asked = {"model": "claude-sonnet-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
        requests = [{"custom_id": id_, "params": {**asked, **params}} for id_ in ids]
        return await self.sdk.messages.batches.create(requests=requests)  # type: ignore[arg-type]  # any shape

    async def retrieve(self, batch: MessageBatch) -> MessageBatch:
        return await self.sdk.messages.batches.retrieve(batch.id)

    async def results(self, batch: MessageBatch) -> list[MessageBatchIndividualResponse]:
        return [row async for row in await self.sdk.messages.batches.results(batch.id)]


@pytest.fixture
async def claude() -> AsyncIterator[Claude]:
    clock = Clock()
    simulator = Simulator(batch_seconds=HOUR, now=clock)
    async with (
        simulator.serve() as url,
        AsyncAnthropic(api_key="made-up", auth_token=None, base_url=url, max_retries=0) as sdk,
    ):
        yield Claude(sdk, simulator, clock)


async def test_it_runs_an_hour_and_then_has_a_result_for_each(claude: Claude) -> None:
    claude.simulator.play(Script.text("First."), Script.text("Second."))
    batch = await claude.create("a", "b")
    assert (batch.processing_status, batch.request_counts.processing, batch.results_url) == ("in_progress", 2, None)
    with pytest.raises(anthropic.AnthropicError):
        await claude.results(batch)
    claude.clock.now += HOUR
    batch = await claude.retrieve(batch)
    assert (batch.processing_status, batch.request_counts.succeeded, batch.request_counts.processing) == ("ended", 2, 0)
    assert batch.ended_at is not None
    assert (batch.expires_at - batch.created_at).total_seconds() == A_DAY
    results = await claude.results(batch)
    assert [row.custom_id for row in results] == ["b", "a"]
    texts = {}
    for row in results:
        assert row.result.type == "succeeded"
        assert row.result.message.usage.service_tier == "batch"
        block = row.result.message.content[-1]
        assert block.type == "text"
        texts[row.custom_id] = block.text
    assert texts == {"a": "First.", "b": "Second."}


async def test_what_is_wrong_with_a_request_is_found_when_it_is_run(claude: Claude) -> None:
    claude.simulator.play_when(lambda request: request.json.get("max_tokens") == 50, Script.error(529))
    batch = await claude.create("bad", max_tokens=-1)
    streamed = await claude.create("streamed", stream=True)
    busy = await claude.create("busy")
    claude.clock.now += HOUR
    told = {}
    for one in (batch, streamed, busy):
        (row,) = await claude.results(await claude.retrieve(one))
        assert row.result.type == "errored"
        told[row.custom_id] = row.result.error.error.type
    assert told == {"bad": "invalid_request_error", "streamed": "invalid_request_error", "busy": "overloaded_error"}
    assert (await claude.retrieve(batch)).request_counts.errored == 1


async def test_one_that_is_cancelled_ends_without_results(claude: Claude) -> None:
    batch = await claude.create("a", "b")
    cancelled = await claude.sdk.messages.batches.cancel(batch.id)
    assert (cancelled.processing_status, cancelled.cancel_initiated_at is not None) == ("canceling", True)
    batch = await claude.retrieve(batch)
    assert (batch.processing_status, batch.request_counts.canceled) == ("ended", 2)
    assert {row.result.type for row in await claude.results(batch)} == {"canceled"}
    again = await claude.sdk.messages.batches.cancel(batch.id)
    assert again.processing_status == "ended"


async def test_one_that_takes_a_day_expires(claude: Claude) -> None:
    batch = await claude.create("a")
    claude.simulator.batches.all[batch.id].seconds = 2 * A_DAY
    claude.clock.now += A_DAY
    batch = await claude.retrieve(batch)
    assert (batch.processing_status, batch.request_counts.expired) == ("ended", 1)


async def test_the_newest_comes_first_page_by_page(claude: Claude) -> None:
    made = [(await claude.create("a")).id for _ in range(5)]
    listed = [batch.id async for batch in claude.sdk.messages.batches.list(limit=2)]
    assert listed == made[::-1]


async def test_only_one_that_has_ended_is_deleted(claude: Claude) -> None:
    batch = await claude.create("a")
    with pytest.raises(anthropic.BadRequestError):
        await claude.sdk.messages.batches.delete(batch.id)
    claude.clock.now += HOUR
    await claude.retrieve(batch)
    await claude.sdk.messages.batches.delete(batch.id)
    with pytest.raises(anthropic.NotFoundError):
        await claude.retrieve(batch)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "at least 1"),
        (["a.b"], "requests.0.custom_id"),
        (["x" * 65], "requests.0.custom_id"),
        (["a", "a"], "requests.1.custom_id"),
        ([""], "requests.0.custom_id"),
    ],
)
async def test_a_bad_id_refuses_the_whole(claude: Claude, ids: list[str], words: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=words):
        await claude.create(*ids)
    assert not claude.simulator.batches.all
