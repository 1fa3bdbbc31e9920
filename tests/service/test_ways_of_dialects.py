"""Every dialect takes the other way: what is sent once more is translated for it anew."""

import itertools
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from claude_openai_proxy.errors import UpstreamStatusError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, UserMessage
from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.protocols.openai_responses_request import ResponsesRequest
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admissions import Admissions
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.service.completions import CompletionService
from claude_openai_proxy.service.envelopes import Envelopes
from claude_openai_proxy.service.files import Files
from claude_openai_proxy.service.messages import MessagesService
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.responses import ResponsesService
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.responses_memory import MemoryResponses
from claude_openai_proxy.storage.sealing import KEY_BYTES, Seal
from claude_openai_proxy.translate.messages.asked import AskedMessage
from service.fake_upstream import message, text
from service.test_response_state import NOW, Kept
from service.test_ways import Two, a_record


def chat(admissions: Admissions, record: RequestRecord) -> AbstractAsyncContextManager[object]:
    service = ChatService(
        admissions=admissions, reject_unsupported=False, new_id=lambda: "chatcmpl-1", wall_clock=lambda: 1.0
    )
    request = ChatCompletionRequest(model="big", messages=[UserMessage(content="Hello")])
    return service.chat(request, unknown=(), record=record)


def completions(admissions: Admissions, record: RequestRecord) -> AbstractAsyncContextManager[object]:
    service = CompletionService(
        admissions=admissions, reject_unsupported=False, new_id=lambda: "cmpl-1", wall_clock=lambda: 1.0
    )
    return service.complete(CompletionRequest(model="big", prompt="Hello"), unknown=(), record=record)


def messages(admissions: Admissions, record: RequestRecord) -> AbstractAsyncContextManager[object]:
    body = b'{"model":"big","max_tokens":8,"messages":[{"role":"user","content":"Hello"}]}'
    service = MessagesService(admissions=admissions, reject_unsupported=False)
    return service.answer(AskedMessage(body=body, model="big", max_tokens=8), record=record)


def responses_of(admissions: Admissions, state: ResponseState) -> ResponsesService:
    numbers = itertools.count(1)
    return ResponsesService(
        admissions=admissions,
        files=Files(store=MemoryFiles(), room=0, new_id=lambda: "file-1", wall_clock=lambda: 1.0),
        envelopes=Envelopes(lambda: Seal(bytes(KEY_BYTES))),
        state=state,
        reject_unsupported=False,
        new_id=lambda prefix: f"{prefix}{next(numbers)}",
        wall_clock=lambda: NOW,
    )


def responses(admissions: Admissions, record: RequestRecord) -> AbstractAsyncContextManager[object]:
    service = responses_of(admissions, Kept(MemoryResponses()).state)
    work = service.begin(ResponsesRequest(model="big", input="Hello"))
    return service.respond(work, unknown=(), record=record, hold=no_files)


async def no_files(_: int) -> None:
    raise AssertionError("no file is named")


@pytest.mark.parametrize("dialect", [chat, completions, messages, responses])
async def test_it_is_sent_once_more_the_other_way(dialect: type) -> None:
    two, record = Two(), a_record()
    two.first.scripts = [[UpstreamStatusError("Overloaded", status=529)]]
    two.second.scripts = [[message(text("Hi"))]]

    async with dialect(two.admissions, record):
        pass

    assert two.asked == (1, 1)
    assert (record.upstream, record.billed) == ("api", "api")
    assert record.repairs.count("fallback_upstream") == 1
    assert len(set(record.repairs)) == len(record.repairs)


async def test_a_response_in_the_background_goes_on_the_other_way_with_one_stream() -> None:
    two, record, kept = Two(), a_record(), Kept(MemoryResponses())
    two.first.scripts = [[UpstreamStatusError("Overloaded", status=529)]]
    two.second.scripts = [[message(text("Hi"))]]
    service, background = responses_of(two.admissions, kept.state), BackgroundResponses(kept.state)
    work = service.begin(ResponsesRequest(model="big", input="Hello", background=True, stream=True))
    run = background.run(work, record)
    await background.start(run, service.respond(work, unknown=(), record=record, hold=no_files))

    followed = await background.follow(work.id, record.principal, -1)
    events = [msgspec.json.decode(event) async for batch in followed for event in batch]
    assert two.asked == (1, 1)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"
    await background.aclose()
