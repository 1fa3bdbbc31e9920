"""Responses requests as plain JSON in, translations out; whatever goes out is taken by the simulated API."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.models.facts import facts_for
from claude_openai_proxy.translate.responses.declined import check_limits
from claude_openai_proxy.translate.responses.opened import NO_ENVELOPES, Envelopes
from claude_openai_proxy.translate.responses.request import ReadResponse, to_messages_request
from claude_openai_proxy.web.responses.decode import decode_responses_request
from translate.translated import goes_out, refusal

JSONObject = dict[str, object]


def read(
    body: Mapping[str, object],
    model: str = "claude-opus-5-5",
    *,
    before: Sequence[object] | None = None,
    envelopes: Envelopes = NO_ENVELOPES,
    reject: bool = False,
) -> ReadResponse:
    """For one model; a greeting where the body has no input."""
    decoded = decode_responses_request(msgspec.json.encode({"input": "Hello", **body}))
    check_limits(decoded.request)
    return to_messages_request(
        decoded.request,
        facts=facts_for(model, None),
        capabilities=Capabilities(),
        before=None if before is None else [Raw(msgspec.json.encode(item)) for item in before],
        envelopes=envelopes,
        unknown=decoded.unknown,
        reject_unsupported=reject,
    )


def sent(response: ReadResponse) -> JSONObject:
    """What goes upstream, as JSON, without cache marks; the simulated API takes it with them."""
    request = goes_out(response.translation)
    assert refusal(request) is None
    raw = msgspec.json.encode(request).replace(b',"cache_control":{"type":"ephemeral"}', b"")
    return msgspec.json.decode(raw, type=dict[str, object])


def turns(*items: object, **fields: object) -> object:
    """The messages that items become."""
    return sent(read({"input": list(items), **fields}))["messages"]
