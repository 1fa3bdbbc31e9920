"""Fields of OpenAI's that mean nothing to Claude. One at a value without effect (0, false, empty) is no loss."""

from collections.abc import Iterator
from operator import attrgetter

from msgspec import Raw

from claude_openai_proxy.errors import UnsupportedParameterError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.schemas.tolerant import Unknown
from claude_openai_proxy.translate.wishes.effect import has_effect

WITHOUT_MEANING = (
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "metadata",
    "store",
    "audio",
    "prediction",
    "moderation",
)
"""Declined unless at a value without effect."""
_without_meaning = attrgetter(*WITHOUT_MEANING)

COPIED_FROM_ANSWERS = frozenset(
    {
        "messages[].annotations",
        "messages[].audio",
        "messages[].created_at",
        "messages[].finish_reason",
        "messages[].id",
        "messages[].images",
        "messages[].object",
        "messages[].parsed",
        "messages[].provider_specific_fields",
        "messages[].status",
        "messages[].tool_calls[].function.parsed_arguments",
        "messages[].tool_calls[].index",
        "messages[].tool_calls[].provider_specific_fields",
        "messages[].type",
        "messages[].content[].annotations",
        "messages[].content[].citations",
        "messages[].content[].id",
        "messages[].content[].index",
        "messages[].content[].logprobs",
        "messages[].content[].parsed",
    }
)
"""What clients hand back with an answer of before: it described that answer, and asks for nothing."""


def unmet(unknown: Unknown) -> Iterator[str]:
    """Those of a request's unknown members that may have meant something: all of its own, others with an effect."""
    for name, values in unknown.items():
        nested = "." in name
        if not nested or (name not in COPIED_FROM_ANSWERS and any(map(has_effect, values))):
            yield name


def decline_fields(request: ChatCompletionRequest, notes: Notes) -> None:
    """Report every field without a meaning for Claude. Raises `UnsupportedParameterError` for an answer in sound."""
    if request.modalities and "audio" in request.modalities:
        raise UnsupportedParameterError('Claude answers in text only; ask for modalities ["text"].', param="modalities")
    values: tuple[Raw, ...] = _without_meaning(request)
    if any(values):
        for name, value in zip(WITHOUT_MEANING, values, strict=True):
            if value and has_effect(value):
                notes.decline(name)
    if request.seed and bytes(request.seed) != b"null":
        notes.decline("seed")
    if request.stream_options and request.stream_options.include_obfuscation:
        notes.decline("stream_options.include_obfuscation")
