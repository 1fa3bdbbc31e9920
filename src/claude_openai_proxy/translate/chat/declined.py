"""Fields of OpenAI's that mean nothing to Claude. One at a value without effect (0, false, empty) is no loss."""

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
)
"""Declined unless at a value without effect."""

WITHOUT_MEANING_AT_ANY_VALUE = ("seed", "prediction", "moderation")
"""Declined whenever there."""


def decline_fields(request: ChatCompletionRequest, notes: Notes) -> None:
    """Report every field without a meaning for Claude. Raises `UnsupportedParameterError` for an answer in sound."""
    if request.modalities and "audio" in request.modalities:
        raise UnsupportedParameterError('Claude answers in text only; ask for modalities ["text"].', param="modalities")
    for name in WITHOUT_MEANING:
        if getattr(request, name):
            notes.decline(name)
    for name in WITHOUT_MEANING_AT_ANY_VALUE:
        if getattr(request, name) is not None:
            notes.decline(name)
    if request.stream_options and request.stream_options.include_obfuscation:
        notes.decline("stream_options.include_obfuscation")
