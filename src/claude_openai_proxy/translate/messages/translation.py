"""A native request for the upstream there is: its own bytes, or what Claude Code can be given of it."""

from msgspec import UNSET

from claude_openai_proxy.errors import NotOfferedError
from claude_openai_proxy.protocols.anthropic import MessagesRequest, SentRequest
from claude_openai_proxy.translate.messages.asked import AskedMessage
from claude_openai_proxy.translate.messages.model_member import with_model
from claude_openai_proxy.translate.messages.request import to_messages_request
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.notes import Notes


def to_translation(
    asked: AskedMessage, model: str, capabilities: Capabilities, *, reject_unsupported: bool
) -> Translation:
    """`model` is the id that goes upstream.

    Raises `NotOfferedError`, and `InvalidRequestError` where the request has to be read and cannot be.
    """
    if capabilities.verbatim:
        return _translation(_passed_on(asked, model), Notes())
    if asked.counting:
        raise NotOfferedError("Tokens cannot be counted through Claude Code: counting needs an API key.")
    notes = Notes(reject=reject_unsupported)
    return _translation(to_messages_request(asked, model, notes), notes)


def _translation(request: MessagesRequest, notes: Notes) -> Translation:
    return Translation(request=request, plan=AnswerPlan(), ignored=notes.ignored, repairs=notes.repairs, as_asked=True)


def _passed_on(asked: AskedMessage, model: str) -> MessagesRequest:
    sent = SentRequest(
        path="v1/messages/count_tokens" if asked.counting else "v1/messages",
        body=asked.body if asked.model == model else with_model(asked.body, model),
        headers=asked.headers,
        streamed=asked.stream and not asked.counting,
    )
    return MessagesRequest(model=model, max_tokens=asked.max_tokens, messages=[], system=UNSET, sent=sent)
