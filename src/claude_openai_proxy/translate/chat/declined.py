"""Fields of OpenAI's that mean nothing to Claude. One at a value without effect (0, false, empty) is no loss."""

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import UnsupportedParameterError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.notes import Notes

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

LONGEST_WITHOUT_EFFECT = 64
"""Bytes: what is longer is not nothing."""


def decline_fields(request: ChatCompletionRequest, notes: Notes) -> None:
    """Report every field without a meaning for Claude. Raises `UnsupportedParameterError` for an answer in sound."""
    if request.modalities and "audio" in request.modalities:
        raise UnsupportedParameterError('Claude answers in text only; ask for modalities ["text"].', param="modalities")
    for name in WITHOUT_MEANING:
        value: Raw = getattr(request, name)
        if value and _has_effect(value):
            notes.decline(name)
    if request.seed and bytes(request.seed) != b"null":
        notes.decline("seed")
    if request.stream_options and request.stream_options.include_obfuscation:
        notes.decline("stream_options.include_obfuscation")


def _has_effect(value: Raw) -> bool:
    """Whether it is anything but null, zero, false or empty. What is wrong about it is not judged."""
    if len(value) > LONGEST_WITHOUT_EFFECT:
        return True
    try:
        return bool(msgspec.json.decode(value))
    except msgspec.DecodeError:  # a number that fits into none of ours
        return True
