"""What a request takes of its key's limits: each answer, each further request, however it ends."""

import asyncio
from typing import Any

import msgspec
import pytest

from claude_openai_proxy.errors import (
    MinuteLimit,
    PlanSpentError,
    UpstreamConnectionError,
    UpstreamStatusError,
    UpstreamTimeoutError,
)
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.records import KeyLimits, Principal, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.allowances import Amount, Standing
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.translate.models.prices import price_of
from robustness.whole_proxy import until
from service.fake_upstream import FakeChoice, FakeUpstream, message, text
from service.test_chat import TOOL

ANN = Principal("ann", "key_1", limits=KeyLimits(requests_a_minute=100))


class Books:
    """Notes what is reserved and settled; refuses the reservation of that number."""

    def __init__(self, refused: int = 0) -> None:
        self.reserved: list[Amount] = []
        self.settled: list[Amount] = []
        self._refused = refused

    async def reserve(self, principal: Principal, amount: Amount) -> "Books":
        assert principal is ANN
        await self.add(amount)
        return self

    async def add(self, amount: Amount) -> None:
        if len(self.reserved) + 1 == self._refused:
            raise PlanSpentError("Nothing is left.", resets_in=60.0)
        self.reserved.append(amount)

    def settle(self, used: Amount) -> None:
        self.settled.append(used)

    async def standing(self, principal: Principal) -> Standing:
        return Standing(self.minutes(principal), None)

    def minutes(self, principal: Principal) -> tuple[MinuteLimit, ...]:
        assert principal is ANN
        return (MinuteLimit("requests", 100, 99, 60.0),)


class Client:
    def __init__(self, upstream: FakeUpstream, books: Books, who: Principal = ANN) -> None:
        self.choice = FakeChoice(upstream)
        catalog = ModelCatalog(
            current=self.choice.current, names=ModelNames(aliases={"sonnet-alias": "sonnet"}), clock=lambda: 0.0
        )
        admissions = Admissions(
            upstreams=self.choice,
            catalog=catalog,
            places=Places(clock=lambda: 0.0, most=2, patience=0),
            clock=lambda: 0.0,
            allowances=books,
        )
        self.service = ChatService(
            admissions=admissions, reject_unsupported=False, new_id=lambda: "chatcmpl-1", wall_clock=lambda: 0.0
        )
        self.record = RequestRecord("r1", who, "POST", "/v1/chat/completions", 0.0)

    async def ask(self, *, batches: int = 1000, **fields: Any) -> tuple[MinuteLimit, ...]:
        """Read so many batches of the answer, and leave."""
        body = {
            "model": "sonnet-alias",
            "max_tokens": 500,
            "messages": [{"role": "user", "content": "Hello"}],
            **fields,
        }
        request = msgspec.json.decode(msgspec.json.encode(body), type=ChatCompletionRequest)
        async with self.service.chat(request, unknown=(), record=self.record) as answer:
            async for _ in answer:
                batches -= 1
                if not batches:
                    break
            return answer.head.own_limits


def near(dollars: float) -> Any:
    return pytest.approx(dollars)


def price(given: int, said: int) -> float:
    sonnet = price_of("claude-sonnet-5-5")
    assert sonnet
    return (given * sonnet.input + said * sonnet.output) / 1_000_000


async def test_an_answer_is_reserved_before_and_settled_after() -> None:
    books = Books()
    told = await Client(FakeUpstream([message(text("Hello"))]), books).ask()
    assert told == (MinuteLimit("requests", 100, 99, 60.0),)
    (reserved,), (used,) = books.reserved, books.settled
    given = reserved.tokens - 500
    assert (reserved.requests, 20 < given < 100) == (1, True)
    assert reserved.dollars == near(price(given, 500))
    assert used == Amount(1, 17, near(price(10, 7)))


async def test_a_key_without_limits_takes_nothing() -> None:
    books = Books()
    client = Client(FakeUpstream([message(text("Hello"))]), books, Principal("bob", "key_2"))
    assert await client.ask() == ()
    assert (books.reserved, books.settled) == ([], [])


async def test_each_of_several_answers_is_reserved_all_together() -> None:
    books = Books()
    await Client(FakeUpstream(*[[message(text("a"))]] * 3), books).ask(n=3)
    (reserved,), (used,) = books.reserved, books.settled
    assert (reserved.requests, reserved.tokens > 1500) == (3, True)
    assert used == Amount(3, 51, near(price(30, 21)))


async def test_long_limits_of_the_answer_are_reserved_up_to_a_bound() -> None:
    books = Books()
    await Client(FakeUpstream([message(text("a"))]), books).ask(max_tokens=60_000)
    assert 8_192 < books.reserved[0].tokens < 8_300


async def test_a_request_that_is_asked_once_more_is_reserved_again() -> None:
    books, upstream = Books(), FakeUpstream([message(text("I would rather talk."))], [message(text("No."))])
    await Client(upstream, books).ask(tools=[TOOL], tool_choice="required")
    assert [one.requests for one in books.reserved] == [1, 0]
    assert books.reserved[1].tokens > 500
    assert books.settled == [Amount(1, 34, near(price(20, 14)))]


async def test_a_repair_and_a_continuation_are_reserved_again() -> None:
    books = Books()
    refusal = UpstreamStatusError("The compiled grammar is too large", status=400, error_type="invalid_request_error")
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    await Client(FakeUpstream([refusal], [message(text("a"))]), books).ask(tools=[strict])
    paused = [message(text("First, "), stop_reason="pause_turn")]
    await Client(FakeUpstream(paused, [message(text("then."))]), books).ask(web_search_options={})
    assert [one.requests for one in books.reserved] == [1, 0, 1, 0]
    assert min(one.tokens for one in books.reserved) > 500
    assert [(one.requests, one.tokens) for one in books.settled] == [(1, 17), (1, 34)]


async def test_what_does_not_fit_in_the_middle_ends_the_answer_and_settles_what_was_said() -> None:
    books = Books(refused=2)
    upstream = FakeUpstream([message(text("First, "), stop_reason="pause_turn")], [message(text("then."))])
    with pytest.raises(PlanSpentError):
        await Client(upstream, books).ask(web_search_options={})
    assert len(upstream.requests) == 1
    assert books.settled == [Amount(1, 17, near(price(10, 7)))]


@pytest.mark.parametrize(
    ("error", "charged"),
    [
        (UpstreamStatusError("Overloaded.", status=529), False),
        (UpstreamConnectionError("Nobody answers.", reached=False), False),
        (UpstreamConnectionError("Cut.", reached=True), True),
        (UpstreamTimeoutError("Silent.", phase="first byte"), True),
    ],
)
async def test_a_request_that_failed_costs_its_input_only_where_claude_may_have_read_it(
    error: Exception, charged: bool
) -> None:
    books = Books()
    with pytest.raises(type(error)):
        await Client(FakeUpstream([error]), books).ask()  # type: ignore[list-item]
    (used,) = books.settled
    assert (used.requests, used.tokens > 0, used.dollars > 0) == (1, charged, charged)
    assert used.tokens in (0, books.reserved[0].tokens - 500)


async def test_a_client_that_leaves_before_the_end_has_had_what_was_said() -> None:
    books = Books()
    upstream = FakeUpstream([message(text("x" * 3000))[:3]], hang=True)
    await Client(upstream, books).ask(batches=1, stream=True)
    assert books.settled == [Amount(1, 11 + 1000, near(price(10, 1 + 1000)))]


async def test_a_client_that_leaves_before_the_first_event_has_sent_its_input() -> None:
    books, upstream = Books(), FakeUpstream([], hang=True)
    asking = asyncio.create_task(Client(upstream, books).ask(stream=True))
    await until(lambda: bool(upstream.requests))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert books.settled[0].tokens == books.reserved[0].tokens - 500


async def test_what_finds_no_place_gives_everything_back() -> None:
    books, upstream = Books(), FakeUpstream([], [], [], hang=True)
    client = Client(upstream, books)
    waiting = [asyncio.create_task(client.ask(stream=True)) for _ in range(2)]
    await until(lambda: len(upstream.requests) == 2)
    with pytest.raises(Exception, match="no place was free"):
        await client.ask()
    assert books.settled == [Amount()]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
