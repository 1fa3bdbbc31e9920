"""Fields of this dialect that mean nothing to Claude. One at a value without effect is no loss."""

from typing import Final

from msgspec import Raw

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols import openai_responses_request as published
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.effect import has_effect
from claude_openai_proxy.translate.wishes.metadata import check_metadata

_WITHOUT_MEANING: Final = ("context_management", "moderation", "access_programs", "image")
SHORTEST_LIMIT: Final = 16
"""Tokens: the real API takes no smaller `max_output_tokens`."""
LONGEST_IDENTIFIER: Final = 128


def decline_fields(request: published.ResponsesRequest, notes: Notes) -> None:
    """Report every field without a meaning for Claude."""
    for name in _WITHOUT_MEANING:
        value: Raw = getattr(request, name)
        if value and has_effect(value):
            notes.decline(name)
    if request.top_logprobs:
        notes.decline("top_logprobs")
    if request.includes("message.output_text.logprobs"):
        notes.decline("include[message.output_text.logprobs]")
    if request.stream_options and request.stream_options.include_obfuscation:
        notes.decline("stream_options.include_obfuscation")
    if request.reasoning and request.reasoning.mode == "pro":
        notes.decline("reasoning.mode")
    if request.prompt_cache_options and request.prompt_cache_options.comparison_response_id:
        notes.decline("prompt_cache_options.comparison_response_id")
    options = request.background_options
    if options and (options.continuation_id or options.completion_window not in {None, "soonest"}):
        notes.decline("background_options")


def check_limits(request: published.ResponsesRequest) -> None:
    """What types cannot say, in the published API's own words and codes. Raises `InvalidRequestError`."""
    for name, value, least in (
        ("max_output_tokens", request.max_output_tokens, SHORTEST_LIMIT),
        ("max_tool_calls", request.max_tool_calls, 1),
    ):
        if value is not None and value < least:
            raise InvalidRequestError(
                f"Invalid {name!r}: integer below minimum value. Expected a value >= {least}, but got {value} instead.",
                param=name,
                code="integer_below_min_value",
            )
    check_metadata(request.metadata or {})
    identifier = request.safety_identifier
    if isinstance(identifier, str) and len(identifier) > LONGEST_IDENTIFIER:
        raise _too_long("safety_identifier", LONGEST_IDENTIFIER)
    if isinstance(request.input, str) and len(request.input) > published.LONGEST_INPUT:
        raise _too_long("input", published.LONGEST_INPUT)


def _too_long(place: str, most: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid {place!r}: string too long. Expected a string with maximum length {most}.",
        param=place,
        code="string_above_max_length",
    )
