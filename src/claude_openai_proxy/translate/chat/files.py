"""Uploaded files in a chat request: which it names, and the request with their content in it.

A part names one in a message of the user, and in what a tool returned: in a message of a tool, or in Claude's own
`tool_result` part.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from claude_openai_proxy.protocols.openai_chat_request import (
    ChatCompletionRequest,
    ContentPart,
    File,
    FilePart,
    FunctionMessage,
    JSONValue,
    Message,
    ToolMessage,
    ToolResultPart,
    UserMessage,
)
from claude_openai_proxy.translate.chat.results import is_of_parts
from claude_openai_proxy.translate.wishes.media import web_source

_Put = Callable[[str, str], File | None]
"""From the id and its place to the file that takes its place; None leaves the part as it is."""


def named_files(request: ChatCompletionRequest) -> Sequence[tuple[str, str]]:
    """The id of each uploaded file that is named, as often as it is, and the place of that id."""
    named: list[tuple[str, str]] = []

    def note(id_: str, place: str) -> None:
        named.append((id_, place))

    _walk(request.messages, note)
    return named


def with_files(request: ChatCompletionRequest, files: Mapping[str, File]) -> ChatCompletionRequest:
    """The request with the file itself in place of each id that `files` has."""
    return replace(request, messages=_walk(request.messages, lambda id_, _: files.get(id_)))


def _walk(messages: Sequence[Message], put: _Put) -> list[Message]:
    """Every request is walked, few name a file: messages that cannot are not taken apart."""
    walked: list[Message] = []
    for number, message in enumerate(messages):
        may_name = isinstance(message.content, list) and any(map(_may_name, message.content))
        walked.append(_with_files(message, f"messages[{number}].content", put) if may_name else message)
    return walked


def _with_files(message: Message, place: str, put: _Put) -> Message:
    if isinstance(message, UserMessage) and isinstance(message.content, list):
        parts = [_part(part, f"{place}[{index}]", put) for index, part in enumerate(message.content)]
        return replace(message, content=parts)
    if isinstance(message, ToolMessage | FunctionMessage):
        return replace(message, content=_returned(message.content, place, put))
    return message


def _may_name(part: object) -> bool:
    return isinstance(part, FilePart | ToolResultPart) or (isinstance(part, dict) and part.get("type") == "file")


def _part(part: ContentPart, place: str, put: _Put) -> ContentPart:
    if isinstance(part, FilePart):
        file = _file(part.file, place, put)
        return part if file is None else replace(part, file=file)
    if isinstance(part, ToolResultPart):
        return replace(part, content=_returned(part.content, f"{place}.content", put))
    return part


def _returned(content: JSONValue, place: str, put: _Put) -> JSONValue:
    """Other JSON than parts is a text of the tool's, whatever stands in it."""
    if not isinstance(content, list) or not is_of_parts(content):
        return content
    return [_returned_part(part, f"{place}[{index}]", put) for index, part in enumerate(content)]


def _returned_part(part: object, place: str, put: _Put) -> object:
    """What is wrong with a part is said where it is translated."""
    if not isinstance(part, dict) or part.get("type") != "file":
        return part
    try:
        named = msgspec.convert(part.get("file"), File)
    except msgspec.ValidationError:
        return part
    file = _file(named, place, put)
    if file is None:
        return part
    return part | {"file": {"file_data": file.file_data, "filename": file.filename}}


def _file(named: File, place: str, put: _Put) -> File | None:
    """None where the file came with the request, or is on the web: some clients put its URL into `file_id`."""
    if named.file_data is not None or named.file_id is None:
        return None
    if any(url and web_source(url) for url in (named.file_url, named.file_id)):
        return None
    file = put(named.file_id, f"{place}.file.file_id")
    return file and replace(file, filename=named.filename or file.filename)
