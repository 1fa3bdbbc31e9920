"""Uploaded files in a chat request: which it names, and the request with their content in it."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from claude_openai_proxy.protocols.openai_chat_request import (
    ChatCompletionRequest,
    ContentPart,
    File,
    FilePart,
    Message,
    UserMessage,
)
from claude_openai_proxy.translate.wishes.media import web_source


def named_files(request: ChatCompletionRequest) -> Sequence[tuple[str, str]]:
    """The id of each uploaded file that a user's message names, as often as it does, and the place of that id."""
    return [*_named(request.messages)]


def with_files(request: ChatCompletionRequest, files: Mapping[str, File]) -> ChatCompletionRequest:
    """The request with the file itself in place of each id that `files` has."""
    return replace(request, messages=[_inlined(message, files) for message in request.messages])


def _named(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    for number, message in enumerate(messages):
        content = message.content if isinstance(message, UserMessage) else None
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if (id_ := _id_of(part)) is not None:
                yield id_, f"messages[{number}].content[{place}].file.file_id"


def _id_of(part: ContentPart) -> str | None:
    """None where the file came with the request, or is on the web: some clients put its URL into `file_id`."""
    if not isinstance(part, FilePart) or part.file.file_data is not None or part.file.file_id is None:
        return None
    on_the_web = [url for url in (part.file.file_url, part.file.file_id) if url and web_source(url)]
    return None if on_the_web else part.file.file_id


def _inlined(message: Message, files: Mapping[str, File]) -> Message:
    if isinstance(message, UserMessage) and isinstance(message.content, list):
        return replace(message, content=[_with_file(part, files) for part in message.content])
    return message


def _with_file(part: ContentPart, files: Mapping[str, File]) -> ContentPart:
    id_ = _id_of(part)
    if id_ is None or not isinstance(part, FilePart) or (kept := files.get(id_)) is None:
        return part
    return replace(part, file=replace(kept, filename=part.file.filename or kept.filename))
