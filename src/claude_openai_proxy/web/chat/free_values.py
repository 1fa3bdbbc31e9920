"""Where a request may hold JSON of any shape; everywhere else its types say how deep it goes."""

from collections.abc import Iterator, Sequence
from operator import attrgetter

from msgspec import Raw

from claude_openai_proxy.protocols.openai_chat_request import (
    AssistantMessage,
    ChatCompletionRequest,
    ContentPart,
    FunctionCall,
    FunctionMessage,
    InputAudioPart,
    JSONValue,
    Message,
    ResponseFormatJSONObject,
    ResponseFormatJSONSchema,
    Tool,
    ToolMessage,
    ToolResultPart,
    ToolUsePart,
)

FREE_FIELDS = tuple(name for name, kind in ChatCompletionRequest.__annotations__.items() if kind in (Raw, JSONValue))
"""The fields of the request that mean nothing here, or of which most values do."""

_in_free_fields = attrgetter(*FREE_FIELDS)
_FREE_CONTENT = (ToolMessage, FunctionMessage)
_NESTED = (dict, list)

FreeValue = tuple[int, Raw | JSONValue]
"""How many arrays and objects it stands in, and what came."""


def free_values(request: ChatCompletionRequest) -> Iterator[FreeValue]:
    """Those that the client has sent; a `Raw` of nothing where it sent none."""
    for value in _in_free_fields(request):
        if value and not isinstance(value, str):
            yield 1, value
    yield from _of_formats(request)
    for function in request.functions or ():
        yield 3, function.parameters
    yield from _of_tools(request.tools or ())
    yield from _of_messages(request.messages)


def _of_formats(request: ChatCompletionRequest) -> Iterator[FreeValue]:
    if isinstance(request.response_format, ResponseFormatJSONSchema):
        yield 3, request.response_format.json_schema.schema
    if isinstance(request.response_format, ResponseFormatJSONObject):
        yield 2, request.response_format.schema
    if request.output_config and request.output_config.format:
        yield 3, request.output_config.format.schema


def _of_tools(tools: Sequence[Tool]) -> Iterator[FreeValue]:
    for tool in tools:
        if tool.function:
            yield 4, tool.function.parameters
        if tool.parameters:
            yield 3, tool.parameters
        if tool.input_schema:
            yield 3, tool.input_schema


def _of_messages(messages: Sequence[Message]) -> Iterator[FreeValue]:
    for message in messages:
        if type(message.content) is not str and message.content is not None:
            yield from _of_content(message)
        if type(message) is AssistantMessage:
            for call in message.tool_calls or ():
                if call.function and type(call.function.arguments) is not str:
                    yield from _of_call(call.function, 6)
            if message.function_call:
                yield from _of_call(message.function_call, 4)


def _of_content(message: Message) -> Iterator[FreeValue]:
    if isinstance(message, _FREE_CONTENT):
        if isinstance(message.content, _NESTED):
            yield 3, message.content
    elif isinstance(message.content, list):
        yield from _of_parts(message.content)


def _of_parts(parts: list[ContentPart]) -> Iterator[FreeValue]:
    for part in parts:
        if isinstance(part, InputAudioPart):
            yield 5, part.input_audio
        elif isinstance(part, ToolUsePart):
            yield 5, part.input
        elif isinstance(part, ToolResultPart) and isinstance(part.content, _NESTED):
            yield 5, part.content


def _of_call(call: FunctionCall, above: int) -> Iterator[FreeValue]:
    if isinstance(call.arguments, _NESTED):
        yield above, call.arguments
