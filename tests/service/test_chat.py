"""One chat completion from request to end, against an upstream that plays events."""

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
import pytest

from claude_openai_proxy.errors import ModelNotFoundError, UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, UserMessage
from claude_openai_proxy.records import LOCAL, RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.chat import ChatAnswer, ChatService
from claude_openai_proxy.service.model_names import ModelNames
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.waiting import Places
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from service.fake_upstream import FakeChoice, FakeUpstream, call, message, text

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Conversation:
    """The service in front of one fake upstream."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.choice = FakeChoice(upstream)
        names = ModelNames(aliases={"sonnet-alias": "sonnet"})
        catalog = ModelCatalog(current=self.choice.current, names=names, clock=lambda: 0.0)
        self.service = ChatService(
            admissions=Admissions(
                upstreams=self.choice, catalog=catalog, places=Places(clock=lambda: 0.0), clock=lambda: 0.0
            ),
            reject_unsupported=False,
            new_id=lambda: "chatcmpl-1",
            wall_clock=lambda: 1_790_000_000.0,
        )
        self.record = RequestRecord(id="r1", principal=LOCAL, method="POST", route="/v1/chat/completions", started=0.0)

    def ask(self, **fields: Any) -> AbstractAsyncContextManager[ChatAnswer]:
        body = {"model": "sonnet-alias", "messages": [{"role": "user", "content": "Hello"}], **fields}
        request = msgspec.json.decode(msgspec.json.encode(body), type=ChatCompletionRequest)
        return self.service.chat(request, unknown=(), record=self.record)


async def texts(answer: ChatAnswer) -> dict[int, str]:
    heard: dict[int, str] = {}
    async for batch in answer:
        for choice in batch:
            heard[choice.index] = heard.get(choice.index, "") + str(choice.delta.content or "")
    return heard


async def test_an_answer_is_put_together_and_recorded() -> None:
    conversation = Conversation(FakeUpstream([message(text("Hel", "lo"))]))
    async with conversation.ask() as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "Hello"
    assert completion.choices[0].finish_reason == "stop"
    assert (completion.id, completion.created, completion.model) == ("chatcmpl-1", 1_790_000_000, "sonnet-alias")
    record = conversation.record
    assert (record.model_asked, record.model_used) == ("sonnet-alias", "claude-sonnet-5-5")
    assert (record.upstream, record.upstream_request_id, record.finish_reason) == ("fake", "req_1", "stop")
    assert (record.input_tokens, record.output_tokens) == (10, 7)


async def test_an_unknown_model_is_refused_and_the_known_ones_are_named() -> None:
    conversation = Conversation(FakeUpstream())
    with pytest.raises(ModelNotFoundError, match="sonnet-alias, claude-"):
        async with conversation.ask(model="gpt-4o"):
            pass


async def test_a_forced_tool_choice_that_is_not_followed_is_asked_once_more() -> None:
    upstream = FakeUpstream(
        [message(text("I would rather talk."))],
        [message(call("get_weather", '{"city":"Oslo"}'), stop_reason="tool_use")],
    )
    conversation = Conversation(upstream)
    async with conversation.ask(tools=[TOOL], tool_choice="required") as answer:
        completion = await answer.completion()
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.choices[0].message.content is None
    assert completion.usage.completion_tokens == 14
    assert "tool_choice_retried" in conversation.record.repairs
    assert len(upstream.requests) == 2


async def test_a_forced_tool_choice_that_is_never_followed_ends_as_the_text_it_is() -> None:
    conversation = Conversation(FakeUpstream([message(text("No."))], [message(text("Still ", "no."))]))
    async with conversation.ask(tools=[TOOL], tool_choice="required") as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "Still no."
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(("stop_reason", "finish_reason"), [("refusal", "content_filter"), ("max_tokens", "length")])
async def test_a_forced_tool_choice_is_not_asked_again_where_claude_refused_or_ran_out_of_tokens(
    stop_reason: str, finish_reason: str
) -> None:
    upstream = FakeUpstream([message(text("I can"), stop_reason=stop_reason)])
    async with Conversation(upstream).ask(tools=[TOOL], tool_choice="required") as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "I can"
    assert completion.choices[0].finish_reason == finish_reason
    assert len(upstream.requests) == 1


async def test_a_paused_turn_goes_on_in_the_same_answer() -> None:
    upstream = FakeUpstream(
        [message(text("First, "), stop_reason="pause_turn")], [message(text("then."), stop_reason="end_turn")]
    )
    async with Conversation(upstream).ask(web_search_options={}) as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "First, then."
    assert completion.usage.completion_tokens == 14
    assert upstream.requests[1].messages[-1].role == "assistant"


async def test_a_paused_turn_with_a_forced_tool_choice_goes_on_before_anything_is_retried() -> None:
    upstream = FakeUpstream(
        [message(text("Searching. "), stop_reason="pause_turn")],
        [message(call("get_weather", '{"city":"Oslo"}'), stop_reason="tool_use")],
    )
    conversation = Conversation(upstream)
    async with conversation.ask(tools=[TOOL], tool_choice="required", web_search_options={}) as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "Searching. "
    assert completion.choices[0].finish_reason == "tool_calls"
    assert "tool_choice_retried" not in conversation.record.repairs


async def test_an_emulated_stop_ends_the_answer_and_reads_on_for_the_usage() -> None:
    upstream = FakeUpstream([message(text("one\n\n", "two"))])
    conversation = Conversation(upstream)
    async with conversation.ask(stop="\n\n") as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == "one"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens == 7
    assert "usage_of_cut_answer_is_partial" not in conversation.record.repairs


async def test_a_fence_that_was_taken_off_is_told() -> None:
    conversation = Conversation(FakeUpstream([message(text("```json\n", '{"a":1}', "\n```"))]))
    async with conversation.ask(response_format={"type": "json_object"}) as answer:
        completion = await answer.completion()
    assert completion.choices[0].message.content == '{"a":1}'
    assert "code_fence_removed" in conversation.record.repairs


async def test_reading_on_after_an_emulated_stop_has_an_end() -> None:
    events = message(text("one\n\n", *["x"] * 400))
    upstream = FakeUpstream([[event] for event in events[:-2]], hang=True)
    conversation = Conversation(upstream)
    async with conversation.ask(stop="\n\n") as answer:
        assert await texts(answer) == {0: "one"}
    assert "usage_of_cut_answer_is_partial" in conversation.record.repairs
    assert upstream.left == 1


async def test_leaving_early_leaves_the_upstream_stream() -> None:
    upstream = FakeUpstream([message(text("Hello"))[:3]], hang=True)
    async with Conversation(upstream).ask() as answer:
        async for _ in answer:
            break
    assert upstream.left == 1


async def test_cancelling_a_waiting_answer_leaves_the_upstream_stream() -> None:
    upstream = FakeUpstream([], hang=True)

    async def wait_for_an_answer(entered: asyncio.Event) -> None:
        async with Conversation(upstream).ask() as answer:
            entered.set()
            await answer.completion()

    entered = asyncio.Event()
    task = asyncio.create_task(wait_for_an_answer(entered))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert upstream.left == 1


async def test_several_choices_are_asked_for_at_once_and_counted_together() -> None:
    upstream = FakeUpstream(*([message(text(name, " end"))] for name in "abc"))
    async with Conversation(upstream).ask(n=3) as answer:
        heard = await texts(answer)
        assert sorted(heard.values()) == ["a end", "b end", "c end"]
        assert answer.usage.completion_tokens == 21
    assert upstream.left == 3


async def test_choices_begin_in_their_order_however_quick_a_later_one_is() -> None:
    upstream = FakeUpstream([*[[]] * 9, message(text("slow"))], [message(text("quick"))], [message(text("quick"))])
    async with Conversation(upstream).ask(n=3) as answer:
        begun = dict.fromkeys([choice.index async for batch in answer for choice in batch])
    assert list(begun) == [0, 1, 2]


async def test_one_choice_that_is_refused_fails_the_request_and_cancels_the_others() -> None:
    upstream = FakeUpstream([message(text("a"))[:3]], [UpstreamStatusError("Overloaded", status=529)], hang=True)
    with pytest.raises(UpstreamStatusError, match="Overloaded"):
        async with Conversation(upstream).ask(n=2):
            pass
    assert upstream.left == 1


async def test_one_choice_that_breaks_later_ends_the_whole_answer() -> None:
    upstream = FakeUpstream([message(text("a"))], [message(text("b"))[:3], UpstreamConnectionError("cut")])
    async with Conversation(upstream).ask(n=2) as answer:
        with pytest.raises(UpstreamConnectionError, match="cut"):
            await answer.completion()
    assert upstream.left == 2


async def test_strict_tools_too_large_for_the_grammar_are_sent_again_without_strict() -> None:
    refusal = UpstreamStatusError("The compiled grammar is too large", status=400, error_type="invalid_request_error")
    upstream = FakeUpstream([refusal], [message(call("get_weather", "{}"), stop_reason="tool_use")])
    conversation = Conversation(upstream)
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]
    async with conversation.ask(tools=[strict]) as answer:
        await answer.completion()
    assert b'"strict":true' in msgspec.json.encode(upstream.requests[0])
    assert b'"strict":true' not in msgspec.json.encode(upstream.requests[1])
    assert "strict_left_out" in conversation.record.repairs


async def test_another_refusal_is_not_tried_again() -> None:
    refusal = UpstreamStatusError("max_tokens: too big", status=400, error_type="invalid_request_error")
    upstream = FakeUpstream([refusal])
    with pytest.raises(UpstreamStatusError, match="max_tokens"):
        async with Conversation(upstream).ask():
            pass
    assert len(upstream.requests) == 1


async def test_what_upstream_tried_again_in_vain_is_recorded() -> None:
    upstream = FakeUpstream([UpstreamStatusError("Overloaded", status=529, request_id="req_2")])
    upstream.tried = ["retried_5xx"]
    conversation = Conversation(upstream)
    with pytest.raises(UpstreamStatusError, match="Overloaded"):
        async with conversation.ask():
            pass
    assert conversation.record.repairs == ["retried_5xx"]
    assert conversation.record.upstream_request_id == "req_2"


@pytest.mark.parametrize("failing", [[], [message(text("so far"))[:3]]], ids=["refused", "broken off"])
async def test_what_the_other_choices_used_is_recorded_when_one_fails(failing: list[list[StreamEvent]]) -> None:
    refusal = UpstreamStatusError("Overloaded", status=529)
    conversation = Conversation(FakeUpstream([message(text("Hello"))], [*failing, refusal]))
    with pytest.raises(UpstreamStatusError, match="Overloaded"):
        async with conversation.ask(n=2) as answer:
            await texts(answer)
    record = conversation.record
    assert (record.input_tokens, record.output_tokens) == ((20, 8) if failing else (10, 7))


class KeyedUpstream(FakeUpstream):
    """Asks for pseudonyms, and remembers which thread asked: translation does."""

    def __init__(self) -> None:
        super().__init__([message(text("Hi"))], [message(text("Hi"))])
        self.threads: list[bool] = []
        self.capabilities = Capabilities(pseudonym=self._pseudonym)

    def _pseudonym(self, user: str) -> str:
        self.threads.append(threading.current_thread() is threading.main_thread())
        return user


async def test_a_large_request_is_translated_beside_the_loop() -> None:
    upstream = KeyedUpstream()
    conversation = Conversation(upstream)
    request = ChatCompletionRequest(messages=[UserMessage(content="Hello")], model="sonnet-alias", user="u")
    for large in (False, True):
        async with conversation.service.chat(request, unknown=(), record=conversation.record, large=large) as answer:
            assert await texts(answer) == {0: "Hi"}
    assert upstream.threads == [True, False]


@pytest.mark.parametrize("places", [1, 2])
async def test_more_choices_than_places_come_one_after_the_other(places: int) -> None:
    upstream = FakeUpstream(*([message(text(f"{number}"))] for number in range(5)))
    upstream.capabilities = Capabilities(simultaneous=places)
    async with Conversation(upstream).ask(n=5) as answer:
        assert len(upstream.requests) == places
        assert await texts(answer) == {number: str(number) for number in range(5)}
    assert (len(upstream.requests), upstream.left, upstream.most) == (5, 5, places)
