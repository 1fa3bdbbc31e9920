"""A chat completions request -> a Messages request, and what its answer's reader must know."""

from collections.abc import Sequence

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.chat.content import ContentReader
from claude_openai_proxy.translate.chat.declined import decline_fields
from claude_openai_proxy.translate.chat.fields import read_fields
from claude_openai_proxy.translate.chat.messages import MessageReader
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.assembly import Assembly


def to_messages_request(
    request: ChatCompletionRequest,
    *,
    facts: ModelFacts,
    capabilities: Capabilities,
    unknown: Sequence[str] = (),
    reject_unsupported: bool = False,
) -> Translation:
    """Translate for one model and one upstream.

    `unknown` are the names of top-level fields that the request's type does not have. Raises `InvalidRequestError`;
    with `reject_unsupported` also `UnsupportedParameterError` for each field that would have no effect.
    """
    notes = Notes(reject=reject_unsupported)
    decline_fields(request, notes)
    notes.decline_all(unknown)
    wishes = read_fields(request, notes)
    assembly = Assembly(wishes, facts, capabilities, notes)
    content = ContentReader(wishes.cache, notes, citations=assembly.citations)
    MessageReader(assembly.conversation, content, notes).read(request.messages, request.system)
    return assembly.translation()
