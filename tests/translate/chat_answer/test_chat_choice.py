import msgspec
import pytest

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_chat_response import (
    ChatCompletionMessage,
    Choice,
    FunctionCall,
    FunctionToolCall,
)
from claude_openai_proxy.protocols.openai_usage import CompletionUsage
from claude_openai_proxy.translate.chat_answer.completion import ChoiceAccumulator, to_chat_completion
from translate.message_events import chunks_of, message, text, tool_use


def test_chunks_in_any_batches_fold_into_one_choice() -> None:
    chunks = chunks_of(message(text(0, "Let me", " see."), tool_use(1, "toolu_1", "f", '{"a"', ":1}")))
    accumulator = ChoiceAccumulator()
    accumulator.feed(chunks[:2])
    accumulator.feed(chunks[2:])

    assert accumulator.choice() == Choice(
        index=0,
        message=ChatCompletionMessage(
            role="assistant",
            content="Let me see.",
            refusal=None,
            annotations=[],
            tool_calls=[FunctionToolCall("toolu_1", FunctionCall("f", '{"a":1}'))],
        ),
        finish_reason="tool_calls",
    )


def test_a_choice_without_its_last_chunk_is_no_choice() -> None:
    accumulator = ChoiceAccumulator()
    accumulator.feed(chunks_of(message(text(0, "Hi")))[:-1])

    with pytest.raises(UpstreamProtocolError):
        accumulator.choice()


def test_the_body_has_openais_shape_and_the_choices_their_order() -> None:
    accumulator = ChoiceAccumulator()
    accumulator.feed(chunks_of(message(text(0, "Hi"))))
    choice = accumulator.choice()
    completion = to_chat_completion(
        [msgspec.structs.replace(choice, index=1), choice],
        CompletionUsage(1, 2, 3),
        id="chatcmpl-1",
        created=1800000000,
        model="custom-claude-4-opus",
        service_tier="default",
    )

    body = msgspec.to_builtins(completion)

    assert [choice["index"] for choice in body.pop("choices")] == [0, 1]
    assert body.pop("usage")["total_tokens"] == 3
    assert body == {
        "object": "chat.completion",
        "id": "chatcmpl-1",
        "created": 1800000000,
        "model": "custom-claude-4-opus",
        "service_tier": "default",
        "system_fingerprint": None,
    }
    assert msgspec.to_builtins(choice) == {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "stop",
    }
