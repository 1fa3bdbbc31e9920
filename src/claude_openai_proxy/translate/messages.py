"""The client's messages, one by one, into a conversation."""

from collections.abc import Sequence

from msgspec import UNSET

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockParam,
    RedactedThinkingBlockParam,
    TextBlockParam,
    ThinkingBlockParam,
    ToolUseBlockParam,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    AssistantMessage,
    CacheControl,
    Content,
    ContentPart,
    FunctionCall,
    FunctionMessage,
    Message,
    RedactedThinkingPart,
    ThinkingPart,
    ToolCall,
    ToolMessage,
    ToolResultPart,
    ToolUsePart,
    UserMessage,
)
from claude_openai_proxy.translate.arguments import call_input, object_input
from claude_openai_proxy.translate.content import Reader
from claude_openai_proxy.translate.conversation import Conversation, Result
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.tool_names import ToolNames


class MessageReader:
    """Feeds a conversation with a client's messages."""

    def __init__(self, conversation: Conversation, reader: Reader, names: ToolNames, notes: Notes) -> None:
        self._conversation = conversation
        self._reader = reader
        self._names = names
        self._notes = notes
        self._speakers: frozenset[str] = frozenset()

    def read(self, messages: Sequence[Message]) -> None:
        """All of them. Raises `InvalidRequestError` at the place that cannot be read."""
        if not messages:
            raise InvalidRequestError("messages must not be empty.", param="messages")
        self._speakers = _several_speakers(messages)
        for index, message in enumerate(messages):
            self._message(message, f"messages[{index}]")

    def _message(self, message: Message, place: str) -> None:
        if isinstance(message, ToolMessage):
            self._conversation.answer(message.tool_call_id, self._result(message.content, place, message.cache_control))
        elif isinstance(message, AssistantMessage):
            self._assistant(message, place)
        elif isinstance(message, UserMessage):
            self._user(message, place)
        elif isinstance(message, FunctionMessage):
            self._conversation.answer_named(message.name, self._result(message.content, place, message.cache_control))
        else:
            self._conversation.instruct(self._reader.text(message.content, place, message.cache_control))

    # ---- user ---------------------------------------------------------------------------------------------------

    def _user(self, message: UserMessage, place: str) -> None:
        content = self._without_results(message.content, place)
        blocks: list[ContentBlockParam] = [*self._reader.seen(content, place, message.cache_control)]
        if not blocks and content is not message.content:
            return
        self._conversation.ask(self._named(blocks, message.name))

    def _without_results(self, content: Content, place: str) -> Content:
        """Claude-shaped results go where results go; what remains is the user's own."""
        if not isinstance(content, list) or not any(isinstance(part, ToolResultPart) for part in content):
            return content
        own: list[ContentPart] = []
        for index, part in enumerate(content):
            if isinstance(part, ToolResultPart):
                inner: Content = [*part.content] if isinstance(part.content, list) else part.content
                result = self._result(
                    inner, f"{place}.content[{index}]", part.cache_control, is_error=bool(part.is_error)
                )
                self._conversation.answer(part.tool_use_id, result)
            else:
                own.append(part)
        return own

    def _result(self, content: Content, place: str, mark: CacheControl | None, *, is_error: bool = False) -> Result:
        return Result(self._reader.result(content, place), is_error, self._reader.result_mark(content, mark))

    def _named(self, blocks: list[ContentBlockParam], name: str | None) -> list[ContentBlockParam]:
        """The speaker's name before the text, where there are several speakers."""
        if not name or name not in self._speakers or not blocks:
            return blocks
        first = blocks[0]
        if isinstance(first, TextBlockParam):
            return [TextBlockParam(f"{name}: {first.text}", first.cache_control), *blocks[1:]]
        return [TextBlockParam(f"{name}:"), *blocks]

    # ---- assistant ----------------------------------------------------------------------------------------------

    def _assistant(self, message: AssistantMessage, place: str) -> None:
        said = self._said(message, place)
        self._conversation.say(self._named(said, message.name))
        if isinstance(message.content, list):
            for part in message.content:
                if isinstance(part, ToolUsePart):
                    mark = self._reader.marks.of_part(part)
                    block = ToolUseBlockParam(part.id, self._names.alias(part.name), object_input(part.input), mark)
                    self._conversation.call(part.id, part.name, block)
        for index, call in enumerate(message.tool_calls or ()):
            self._tool_call(call, f"{place}.tool_calls[{index}]")
        if message.function_call and not message.tool_calls:
            self._function_call(None, message.function_call)

    def _said(self, message: AssistantMessage, place: str) -> list[ContentBlockParam]:
        content = message.content
        if isinstance(content, str) or content is None:
            blocks: list[ContentBlockParam] = [*self._reader.text(content, place, message.cache_control)]
        else:
            blocks = []
            for index, part in enumerate(content):
                blocks += self._said_part(part, f"{place}.content[{index}]")
        return blocks or [*self._reader.text(message.refusal, place)]

    def _said_part(self, part: ContentPart, place: str) -> Sequence[ContentBlockParam]:
        if isinstance(part, ToolUsePart):
            return ()
        if isinstance(part, ThinkingPart):
            if part.signature:
                return (ThinkingBlockParam(part.thinking, part.signature),)
            self._notes.repair("thinking_without_signature_left_out")
            return ()
        if isinstance(part, RedactedThinkingPart):
            return (RedactedThinkingBlockParam(part.data),)
        return self._reader.said(part, place)

    def _tool_call(self, call: ToolCall, place: str) -> None:
        if call.function is not None:
            self._function_call(call.id, call.function)
        elif call.custom is not None:
            self._call(call.id, call.custom.name, {"input": call.custom.input})
        else:
            raise InvalidRequestError("A tool call must have a function with a name.", param=f"{place}.function")

    def _function_call(self, id_: str | None, function: FunctionCall) -> None:
        self._call(id_, function.name, function.arguments)

    def _call(self, id_: str | None, name: str, arguments: str | dict[str, object] | list[object] | None) -> None:
        block = ToolUseBlockParam(id_ or "", self._names.alias(name), call_input(arguments), UNSET)
        self._conversation.call(id_, name, block)


def _several_speakers(messages: Sequence[Message]) -> frozenset[str]:
    """The names in use in one role where they tell speakers apart."""
    users = {message.name for message in messages if isinstance(message, UserMessage) and message.name}
    assistants = {message.name for message in messages if isinstance(message, AssistantMessage) and message.name}
    return frozenset().union(*(names for names in (users, assistants) if len(names) > 1))
