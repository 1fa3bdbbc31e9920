"""Chat requests as plain JSON in, translations out, and what the simulated API says to them."""

from collections.abc import Mapping, Sequence

import msgspec

from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.model_table import MODELS, model_named
from claude_openai_proxy.simulator.rules import refusal_of
from claude_openai_proxy.translate.chat.request import to_messages_request
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import BUILT_IN, facts_for
from claude_openai_proxy.web.chat.decode import DecodedRequest, decode_chat_request

JSONObject = dict[str, object]

EVERY_MODEL = tuple(facts.id for facts in BUILT_IN)
HELLO: Sequence[object] = ({"role": "user", "content": "Hello"},)
API = Capabilities()


def request_of(body: Mapping[str, object]) -> ChatCompletionRequest:
    """The body as the proxy decodes it; a greeting where it has no messages."""
    return _decoded(body).request


def _decoded(body: Mapping[str, object]) -> DecodedRequest:
    return decode_chat_request(msgspec.json.encode({"messages": HELLO, **body}))


def translate(
    body: Mapping[str, object],
    model: str = "claude-opus-5-5",
    *,
    capabilities: Capabilities = API,
    unknown: Sequence[str] | None = None,
    reject: bool = False,
) -> Translation:
    """The translation for one model; `unknown` members are those of the body unless they are given."""
    decoded = _decoded(body)
    return to_messages_request(
        decoded.request,
        facts=facts_for(model, None),
        capabilities=capabilities,
        unknown=decoded.unknown if unknown is None else unknown,
        reject_unsupported=reject,
    )


def goes_out(translation: Translation) -> MessagesRequest:
    """The request, where no thinking of earlier turns is known."""
    return translation.without_thinking or translation.request


def sent(translation: Translation) -> JSONObject:
    """What goes upstream, as JSON."""
    return msgspec.json.decode(msgspec.json.encode(goes_out(translation)), type=dict[str, object])


def upstream(body: Mapping[str, object], model: str = "claude-opus-5-5") -> JSONObject:
    """What a body becomes upstream, as JSON."""
    return sent(translate(body, model))


def refusal(request: object) -> str | None:
    """Why the simulated Messages API refuses a translated request; None where it does not."""
    encoded = msgspec.json.encode(request)
    parsed = msgspec.json.decode(encoded, type=dict[str, object])
    asked = Asked(parsed=parsed, size=len(encoded), model=model_named(str(parsed["model"]), MODELS))
    refused = refusal_of(asked)
    return None if refused is None else f"{refused.rule.name}: {refused.message}"
