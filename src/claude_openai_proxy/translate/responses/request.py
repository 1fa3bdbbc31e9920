"""A Responses request -> a Messages request, and what its answer's reader must know."""

from collections.abc import Mapping, Sequence

from msgspec import Raw, Struct
from msgspec.structs import replace

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.translate.messages_api.call_forms import CallForm
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import text_blocks
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.responses.content import ContentReader
from claude_openai_proxy.translate.responses.declined import decline_fields
from claude_openai_proxy.translate.responses.fields import as_configured, offered_tools, read_fields
from claude_openai_proxy.translate.responses.items import Placed, read_items
from claude_openai_proxy.translate.responses.opened import NO_ENVELOPES, Envelopes, LeftOut
from claude_openai_proxy.translate.responses.turns import TurnReader
from claude_openai_proxy.translate.wishes.assembly import Assembly


class ReadResponse(Struct, frozen=True):
    """A translation with what only this dialect's answer needs. `asked` has what items changed of the request."""

    translation: Translation
    asked: published.ResponsesRequest
    forms: Mapping[str, CallForm]
    left_out: Sequence[LeftOut]


def to_messages_request(
    request: published.ResponsesRequest,
    *,
    facts: ModelFacts,
    capabilities: Capabilities,
    before: Sequence[Raw] | None = None,
    envelopes: Envelopes = NO_ENVELOPES,
    unknown: Sequence[str] = (),
    ending: str = "",
    reject_unsupported: bool = False,
) -> ReadResponse:
    """Translate for one model and one upstream a request that `check_limits` has let pass.

    `before` are the stored items before the input, None where nothing is stored. `ending` is said to Claude last.
    Raises `InvalidRequestError`; with `reject_unsupported` also `UnsupportedParameterError` for each field that would
    have no effect.
    """
    notes = Notes(reject=reject_unsupported)
    decline_fields(request, notes)
    notes.decline_all(unknown)
    items = [*read_items(before or (), "input", notes), *_new_items(request, notes)]
    request = as_configured(request, items)
    tools = offered_tools(request, items, notes)
    wishes = read_fields(request, tools)
    assembly = Assembly(wishes, facts, capabilities, notes)
    conversation, content = assembly.conversation, ContentReader(wishes.cache, notes)
    conversation.instruct([*text_blocks(request.instructions or "")])
    reader = TurnReader(conversation, tools, content, notes, envelopes=envelopes, chained=before is not None)
    reader.read(items, current_turn=request.reasoning is not None and request.reasoning.context == "current_turn")
    if ending:
        conversation.ask(text_blocks(ending))
    translation = assembly.translation()
    plan = replace(translation.plan, tool_names={**tools.bare_names, **translation.plan.tool_names})
    translation = replace(translation, plan=plan, bound=reader.bound, truncates=request.truncation == "auto")
    return ReadResponse(translation, request, tools.forms, reader.left_out)


def _new_items(request: published.ResponsesRequest, notes: Notes) -> list[Placed]:
    sent = request.input
    if isinstance(sent, str):
        message = published.Message(type="message", role="user", content=sent)
        return [Placed("input", "message", message, Raw())]
    if not sent and not (request.previous_response_id or request.conversation):
        raise InvalidRequestError(
            "Missing required parameter: 'input'.", param="input", code="missing_required_parameter"
        )
    return read_items(sent or (), "input", notes)
