"""A native request as one that Claude Code can be given: what it owns, or has no way for, is declined by name.

Blocks and tools are handed on byte for byte, so that what is new in them gets there; texts, thinking, tool choice and
what belongs to the whole request are read, because the codec looks into them.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import Decoder

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    ContentBlockParam,
    MessageParam,
    MessagesRequest,
    OutputConfig,
    TextBlockParam,
    ThinkingConfig,
    ToolChoice,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.translate.messages_api.raw_parts import decode_part
from claude_openai_proxy.translate.notes import Notes

OWN_VERSION: Final = "2023-06-01"
"""Of the API: what Claude Code speaks."""

NO_THREADS: Final = "thread_unsupported_request"
"""The API's own code: the official SDKs know it, and send the whole history instead."""

_WHY: Final = "Claude Code has its own, or no way to send it"
_READ: Final = frozenset(
    {
        "model", "messages", "max_tokens", "stream", "system", "tools", "tool_choice", "stop_sequences", "temperature",
        "top_p", "top_k", "thinking", "output_config", "service_tier", "cache_control",
    }
)  # fmt: skip
_BETA_MEMBERS: Final = frozenset({"defer_loading", "allowed_callers", "input_examples"})
"""Of a tool: the API takes them only beside a header that Claude Code does not send."""

Tool = ToolParam | WebSearchTool | Raw


class _Turn(Struct, frozen=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Raw]


T = TypeVar("T")
AnyStruct = TypeVar("AnyStruct", bound=Struct)
Decode = Callable[[bytes | Raw], T]

_encode: Final = msgspec.json.Encoder().encode
_members: Final[Decode[dict[str, Raw]]] = Decoder(dict[str, Raw]).decode
_parts: Final[Decode[list[Raw]]] = Decoder(list[Raw]).decode
_text_or_parts: Final[Decode[str | list[Raw]]] = Decoder(str | list[Raw]).decode
_turn: Final[Decode[_Turn]] = Decoder(_Turn).decode
_text: Final[Decode[TextBlockParam]] = Decoder(TextBlockParam).decode
_tool: Final[Decode[ToolParam]] = Decoder(ToolParam).decode
_web_search: Final[Decode[WebSearchTool]] = Decoder(WebSearchTool).decode
_tool_choice: Final[Decode[ToolChoice]] = Decoder(ToolChoice).decode
_thinking: Final[Decode[ThinkingConfig]] = Decoder(ThinkingConfig).decode
_output_config: Final[Decode[OutputConfig]] = Decoder(OutputConfig).decode
_cache_control: Final[Decode[CacheControlEphemeral]] = Decoder(CacheControlEphemeral).decode
_limit: Final[Decode[int]] = Decoder(Annotated[int, Meta(ge=1)]).decode
_integer: Final[Decode[int]] = Decoder(int).decode
_number: Final[Decode[float]] = Decoder(float).decode
_texts: Final[Decode[list[str]]] = Decoder(list[str]).decode
_tier: Final[Decode[Literal["auto", "standard_only"]]] = Decoder(Literal["auto", "standard_only"]).decode


def to_messages_request(asked: AskedMessage, model: str, notes: Notes) -> MessagesRequest:
    """Raises `InvalidRequestError`, and `UnsupportedParameterError` where `notes` rejects what has no effect."""
    members = {name: value for name, value in _members(asked.body).items() if not _is_null(value)}
    if "thread" in members:
        sentence = "thread: conversations are not kept by Claude Code. Send the whole history, without a thread."
        raise InvalidRequestError(sentence, param="thread", code=NO_THREADS)
    reader = _Reader(members, notes)
    reader.decline(name for name in members if name not in _READ)
    if not notes.reject:  # every client sends some, and the body would still be read: they are only reported
        same = ("anthropic-version", OWN_VERSION)
        reader.decline(name for name, value in asked.headers if (name, value) != same)
    return MessagesRequest(
        model=model,
        max_tokens=reader.required("max_tokens", _limit),
        messages=reader.messages(),
        system=reader.system(),
        tools=reader.tools(),
        tool_choice=reader.structure("tool_choice", _tool_choice),
        stop_sequences=reader.optional("stop_sequences", _texts),
        temperature=reader.optional("temperature", _number),
        top_p=reader.optional("top_p", _number),
        top_k=reader.optional("top_k", _integer),
        thinking=reader.structure("thinking", _thinking),
        output_config=reader.structure("output_config", _output_config),
        service_tier=reader.optional("service_tier", _tier),
        cache_control=reader.structure("cache_control", _cache_control),
    )


class _Reader(Struct, eq=False):
    """Members of the request, without nulls."""

    members: dict[str, Raw]
    notes: Notes

    def decline(self, names: Iterable[str]) -> None:
        for name in names:
            self.notes.decline(name, _WHY)

    def required(self, name: str, decode: Decode[T]) -> T:
        if name not in self.members:
            raise InvalidRequestError(f"{name}: Field required", param=name)
        return _decode(self.members[name], decode, name)

    def optional(self, name: str, decode: Decode[T]) -> T | UnsetType:
        return _decode(self.members[name], decode, name) if name in self.members else UNSET

    def structure(self, name: str, decode: Decode[AnyStruct]) -> AnyStruct | UnsetType:
        return self._known(self.members[name], decode, name) if name in self.members else UNSET

    def messages(self) -> list[MessageParam]:
        turns = self.required("messages", _parts)
        if not turns:
            raise InvalidRequestError("messages: at least one message is required", param="messages")
        return [self._message(turn, f"messages[{number}]") for number, turn in enumerate(turns)]

    def system(self) -> list[TextBlockParam] | UnsetType:
        system = self.optional("system", _text_or_parts)
        if isinstance(system, list):
            return [self._known(block, _text, f"system[{number}]") for number, block in enumerate(system)] or UNSET
        return [TextBlockParam(system)] if system else UNSET

    def tools(self) -> list[Tool] | UnsetType:
        tools = self.optional("tools", _parts) or []
        return [self._tool(tool, f"tools[{number}]") for number, tool in enumerate(tools)] or UNSET

    def _message(self, sent: Raw, place: str) -> MessageParam:
        turn = self._known(sent, _turn, place)
        if isinstance(turn.content, str):
            return MessageParam(turn.role, [TextBlockParam(turn.content)])
        blocks = [_block(block, f"{place}.content[{number}]") for number, block in enumerate(turn.content)]
        return MessageParam(turn.role, blocks)

    def _tool(self, sent: Raw, place: str) -> Tool:
        part = _decode(sent, decode_part, place)
        if not part.name:
            sentence = f"{place}: a tool of type {part.type!r}, which has no name, cannot go through Claude Code."
            raise InvalidRequestError(sentence, param=place)
        members = {name: value for name, value in _decode(sent, _members, place).items() if not _is_null(value)}
        self.decline(f"{place}.{name}" for name in members if name in _BETA_MEMBERS)
        kept = {name: value for name, value in members.items() if name not in _BETA_MEMBERS}
        custom = part.type in ("", "custom") and kept.keys() <= {"type", *ToolParam.__struct_fields__}
        searching = part.type == "web_search_20250305" and kept.keys() <= {"type", *WebSearchTool.__struct_fields__}
        if custom:
            return _decode(_encode(kept), _tool, place)
        return _decode(_encode(kept), _web_search, place) if searching else Raw(_encode(kept))

    def _known(self, sent: Raw, decode: Decode[AnyStruct], place: str) -> AnyStruct:
        """What the type does not know of it is declined."""
        value = _decode(sent, decode, place)
        known = {"type", *value.__struct_encode_fields__}
        self.decline(f"{place}.{name}" for name in _decode(sent, _members, place) if name not in known)
        return value


def _block(sent: Raw, place: str) -> ContentBlockParam:
    part = _decode(sent, decode_part, place)
    if not part.type:
        raise InvalidRequestError(f"{place}.type: Field required", param=f"{place}.type")
    if part.type == "text" and _decode(sent, _members, place).keys() <= {"type", *TextBlockParam.__struct_fields__}:
        text = _decode(sent, _text, place)
        return text if part.cache_control else TextBlockParam(text.text)
    return sent


def _decode(sent: Raw | bytes, decode: Decode[T], place: str) -> T:
    try:
        return decode(sent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"{place}: {error}", param=place) from None


def _is_null(value: Raw) -> bool:
    return memoryview(value) == memoryview(b"null")
