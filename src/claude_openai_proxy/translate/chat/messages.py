"""The client's messages, one by one, into a conversation."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import UNSET, Raw

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockParam,
    RedactedThinkingBlockParam,
    TextBlockParam,
    ThinkingBlockParam,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    AssistantMessage,
    Content,
    ContentPart,
    DeveloperMessage,
    FunctionCall,
    FunctionMessage,
    Message,
    ReasoningDetailParam,
    RedactedThinkingPart,
    SystemMessage,
    ThinkingPart,
    ToolCall,
    ToolMessage,
    ToolResultPart,
    ToolUsePart,
    UserMessage,
)
from claude_openai_proxy.translate.chat.cache_marks import mark_of_part
from claude_openai_proxy.translate.chat.content import ContentReader
from claude_openai_proxy.translate.chat.results import read_result
from claude_openai_proxy.translate.messages_api.conversation import Conversation
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.arguments import call_input, custom_input, object_input

SaidBlock = TextBlockParam | ThinkingBlockParam | RedactedThinkingBlockParam
"""What stands in an assistant turn beside its calls."""

_INSTRUCTIONS = (SystemMessage, DeveloperMessage)

CallKey = tuple[str, str]
"""Id ("" for none) and name of a call: some clients send each call in Claude's shape and in OpenAI's."""


class MessageReader:
    """Feeds a conversation with a client's messages."""

    def __init__(self, conversation: Conversation, reader: ContentReader, notes: Notes) -> None:
        self._conversation = conversation
        self._reader = reader
        self._notes = notes
        self._messages: Sequence[Message] = ()
        self._speakers: frozenset[str] | None = None

    def read(self, messages: Sequence[Message], system: Content = None) -> None:
        """All of them, after Claude's own `system`. Raises `InvalidRequestError` at the place that cannot be read."""
        if not messages:
            raise InvalidRequestError("messages must not be empty.", param="messages")
        if system:
            self._conversation.instruct(self._system(system))
        self._messages = messages
        for index, message in enumerate(messages):
            # Not `isinstance`, which is slow to say no.
            if type(message) is ToolMessage:
                self._tool(message, index)
            elif type(message) is AssistantMessage:
                self._assistant(message, index)
            elif type(message) is UserMessage:
                self._user(message, f"messages[{index}]")
            else:
                self._other(message, f"messages[{index}]")

    def _system(self, system: str | list[ContentPart]) -> list[TextBlockParam]:
        if isinstance(system, str):
            return self._reader.plain(system, None)
        return [block for index, part in enumerate(system) for block in self._reader.said(part, f"system[{index}]")]

    def _tool(self, message: ToolMessage, index: int) -> None:
        returned, mark = message.content, message.cache_control
        if isinstance(returned, str) and mark is None:
            self._conversation.answer(message.tool_call_id or "", returned, name=message.name or "")
        else:
            place = f"messages[{index}]"
            content = read_result(returned, place, self._notes)
            result, told = self._reader.result(content, place), self._reader.result_mark(content, mark)
            self._conversation.answer(message.tool_call_id or "", result, told, name=message.name or "")

    def _other(self, message: Message, place: str) -> None:
        if isinstance(message, _INSTRUCTIONS):
            self._conversation.instruct(self._reader.text(message.content, place, message.cache_control))
        elif isinstance(message, FunctionMessage):
            content = read_result(message.content, place, self._notes)
            result = self._reader.result(content, place)
            mark = self._reader.result_mark(content, message.cache_control)
            self._conversation.answer("", result, mark, name=message.name)

    # ---- user ---------------------------------------------------------------------------------------------------

    def _user(self, message: UserMessage, place: str) -> None:
        content = self._without_results(message.content, place)
        blocks = self._reader.seen(content, place, message.cache_control)
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
                self._result_part(part, f"{place}.content[{index}]")
            else:
                own.append(part)
        return own

    def _result_part(self, part: ToolResultPart, place: str) -> None:
        content = read_result(part.content, place, self._notes)
        result = self._reader.result(content, place)
        mark = self._reader.result_mark(content, part.cache_control)
        self._conversation.answer(part.tool_use_id or "", result, mark, is_error=part.is_error or UNSET)

    def _named(self, blocks: Sequence[ContentBlockParam], name: str | None) -> Sequence[ContentBlockParam]:
        """The speaker's name before the text, where there are several speakers."""
        if not name or not blocks:
            return blocks
        if self._speakers is None:
            self._speakers = _several_speakers(self._messages)
        if name not in self._speakers:
            return blocks
        first = blocks[0]
        if isinstance(first, TextBlockParam):
            return [TextBlockParam(f"{name}: {first.text}", first.cache_control), *blocks[1:]]
        return [TextBlockParam(f"{name}:"), *blocks]

    # ---- assistant ----------------------------------------------------------------------------------------------

    def _assistant(self, message: AssistantMessage, index: int) -> None:
        content = message.content
        if message.reasoning_details or message.thinking_blocks:
            self._think(message)
        elif message.reasoning_content or message.reasoning:
            self._notes.repair("thinking_without_signature_left_out")
        if isinstance(content, list):
            self._say_parts(message, content, f"messages[{index}]")
        else:
            said = self._reader.plain(content or message.refusal or "", message.cache_control)
            self._conversation.say(self._named(said, message.name) if message.name else said)
        told = _told_in_parts(content)
        for number, call in enumerate(message.tool_calls or ()):
            if told and _key(call) in told:
                self._notes.repair("double_call_left_out")
                continue
            if call.function is not None:
                self._function_call(call.id, call.function)
            else:
                self._custom_call(call, f"messages[{index}].tool_calls[{number}]")
        if message.function_call and not message.tool_calls:
            self._function_call(None, message.function_call)

    def _think(self, message: AssistantMessage) -> None:
        """Signed thinking comes first in its turn, as Claude said it; where parts have it, those have the places."""
        content = message.content
        if isinstance(content, list) and any(isinstance(part, ThinkingPart | RedactedThinkingPart) for part in content):
            return
        blocks: list[SaidBlock] = []
        for detail in message.reasoning_details or message.thinking_blocks or ():
            text = detail.text if isinstance(detail, ReasoningDetailParam) else detail.thinking
            if detail.data:
                blocks.append(RedactedThinkingBlockParam(detail.data))
            elif detail.signature:
                blocks.append(ThinkingBlockParam(text or "", detail.signature))
            else:
                self._notes.repair("thinking_without_signature_left_out")
        self._conversation.say(blocks)

    def _say_parts(self, message: AssistantMessage, content: list[ContentPart], place: str) -> None:
        said: list[SaidBlock] = []
        for number, part in enumerate(content):
            said += self._said_part(part, f"{place}.content[{number}]")
        said = said or [*self._reader.text(message.refusal, place)]
        self._conversation.say(self._named(self._reader.with_message_mark(said, message.cache_control), message.name))
        calls = {_key(call): call for call in message.tool_calls or ()}
        for part in content:
            if isinstance(part, ToolUsePart):
                mark = mark_of_part(part, self._reader.marks)
                self._conversation.call(part.id, part.name, self._input_of(part, calls), mark)

    def _said_part(self, part: ContentPart, place: str) -> Sequence[SaidBlock]:
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

    def _input_of(self, part: ToolUsePart, calls: Mapping[CallKey, ToolCall]) -> Raw:
        """Where a client put a stream together, only one of the two shapes may have the input."""
        input_ = object_input(part.input, self._notes)
        call = calls.get((part.id or "", part.name)) if bytes(input_) == b"{}" else None
        return call_input(call.function.arguments, self._notes) if call and call.function else input_

    def _function_call(self, id_: str | None, function: FunctionCall) -> None:
        if not (id_ or function.name or function.arguments):
            self._notes.repair("empty_call_left_out")
            return
        self._conversation.call(id_, function.name, call_input(function.arguments, self._notes))

    def _custom_call(self, call: ToolCall, place: str) -> None:
        custom = call.custom
        if custom is None:
            raise InvalidRequestError("A tool call must have a function with a name.", param=f"{place}.function")
        self._conversation.call(call.id, custom.name, custom_input(custom.input))


def _told_in_parts(content: Content) -> AbstractSet[CallKey]:
    if type(content) is not list:
        return frozenset()
    return {(part.id or "", part.name) for part in content if isinstance(part, ToolUsePart)}


def _key(call: ToolCall) -> CallKey:
    named = call.function or call.custom
    return call.id or "", named.name if named else ""


def _several_speakers(messages: Sequence[Message]) -> frozenset[str]:
    """The names in use in one role where they tell speakers apart."""
    users = {message.name for message in messages if isinstance(message, UserMessage) and message.name}
    assistants = {message.name for message in messages if isinstance(message, AssistantMessage) and message.name}
    return frozenset().union(*(names for names in (users, assistants) if len(names) > 1))
