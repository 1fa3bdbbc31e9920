"""Chunks of a choice put together: the answer that is not streamed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.openai_chat_response import (
    Annotation,
    ChatCompletion,
    ChatCompletionMessage,
    Choice,
    ChoiceDelta,
    ChunkChoice,
    CustomToolCall,
    CustomToolCallBody,
    FinishReason,
    FunctionCall,
    FunctionCallDelta,
    FunctionToolCall,
    ReasoningDetail,
    ToolCall,
    ToolCallDelta,
)
from claude_openai_proxy.protocols.openai_usage import CompletionUsage


@dataclass(slots=True)
class _Call:
    """A call as far as its deltas have come."""

    id: str = ""
    type: str = "function"
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    def tool_call(self) -> ToolCall:
        text = "".join(self.pieces)
        if self.type == "custom":
            return CustomToolCall(self.id, CustomToolCallBody(self.name, text))
        return FunctionToolCall(self.id, FunctionCall(self.name, text))


class ChoiceAccumulator:
    """Folds the chunks of one choice, as the official SDK's accumulator does with a stream."""

    def __init__(self) -> None:
        self._index = 0
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._details: list[ReasoningDetail] = []
        self._annotations: list[Annotation] = []
        self._calls: list[_Call] = []
        self._function_call: _Call | None = None
        self._finish_reason: FinishReason | None = None

    def feed(self, choices: Iterable[ChunkChoice]) -> None:
        """More chunks, in their order."""
        for chunk in choices:
            self._index = chunk.index
            self._finish_reason = chunk.finish_reason or self._finish_reason
            self._add(chunk.delta)

    @property
    def complete(self) -> bool:
        """Whether the last chunk has come."""
        return self._finish_reason is not None

    def choice(self) -> Choice:
        """The whole. Raises `UpstreamProtocolError` when the last chunk has not come."""
        if self._finish_reason is None:
            raise UpstreamProtocolError("Claude's answer has no end")
        return Choice(index=self._index, message=self._message(), finish_reason=self._finish_reason)

    def _add(self, delta: ChoiceDelta) -> None:
        if isinstance(delta.content, str):
            self._content.append(delta.content)
            return
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._add_call(call)
        if delta.reasoning_content:
            self._reasoning.append(delta.reasoning_content)
        if delta.reasoning_details:
            self._details += delta.reasoning_details
        if delta.function_call:
            self._add_function_call(delta.function_call)
        if isinstance(delta.refusal, str):
            self._refusal.append(delta.refusal)
        if delta.annotations:
            self._annotations += delta.annotations

    def _add_call(self, delta: ToolCallDelta) -> None:
        if delta.index == len(self._calls):
            self._calls.append(_Call())
        call = self._calls[delta.index]
        call.id = delta.id or call.id
        call.type = delta.type or call.type
        if delta.function:
            call.name = delta.function.name or call.name
            call.pieces.append(delta.function.arguments or "")
        if delta.custom:
            call.name = delta.custom.name or call.name
            call.pieces.append(delta.custom.input or "")

    def _add_function_call(self, delta: FunctionCallDelta) -> None:
        call = self._function_call = self._function_call or _Call()
        call.name = delta.name or call.name
        call.pieces.append(delta.arguments or "")

    def _message(self) -> ChatCompletionMessage:
        legacy = self._function_call
        return ChatCompletionMessage(
            role="assistant",
            content="".join(self._content) if self._content else None,
            refusal="".join(self._refusal) if self._refusal else None,
            annotations=self._annotations,
            tool_calls=[call.tool_call() for call in self._calls] if self._calls else UNSET,
            function_call=FunctionCall(legacy.name, "".join(legacy.pieces)) if legacy else UNSET,
            reasoning_content="".join(self._reasoning) if self._reasoning else UNSET,
            reasoning_details=self._details or UNSET,
        )


def to_chat_completion(
    choices: Sequence[Choice],
    usage: CompletionUsage,
    *,
    id: str,  # noqa: A002 - the published name
    created: int,
    model: str,
    service_tier: str | None,
) -> ChatCompletion:
    """The body of an answer that is not streamed; `created` in seconds since 1970, choices in the order of `index`."""
    ordered = sorted(choices, key=lambda choice: choice.index)
    return ChatCompletion(id=id, created=created, model=model, choices=ordered, usage=usage, service_tier=service_tier)
