"""Every dialect takes the other way: what is sent once more is translated for it anew."""

from contextlib import AbstractAsyncContextManager

import pytest

from claude_openai_proxy.errors import UpstreamStatusError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, UserMessage
from claude_openai_proxy.protocols.openai_completions import CompletionRequest
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.admission import Admissions
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.service.completions import CompletionService
from claude_openai_proxy.service.messages import MessagesService
from claude_openai_proxy.translate.messages.asked import AskedMessage
from service.fake_upstream import message, text
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


@pytest.mark.parametrize("dialect", [chat, completions, messages])
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
