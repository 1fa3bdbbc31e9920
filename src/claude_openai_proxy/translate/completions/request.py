"""A legacy completions request -> a Messages request for each of its prompts."""

from collections.abc import Sequence
from typing import Final

from claude_openai_proxy.errors import InvalidRequestError, UnsupportedParameterError
from claude_openai_proxy.protocols.anthropic import TextBlockParam
from claude_openai_proxy.protocols.openai_completions import DEFAULT_MAX_TOKENS, CompletionRequest
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.conversation import text_blocks
from claude_openai_proxy.translate.messages_api.instructions import COMPLETE, INSERT
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import ModelFacts
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.wishes.assembly import Assembly
from claude_openai_proxy.translate.wishes.effect import has_effect
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.sampling import SamplingWish
from claude_openai_proxy.translate.wishes.thinking import ThinkingWish
from claude_openai_proxy.translate.wishes.wishes import Wishes

MOST_CHOICES: Final = 128
"""Of all prompts together: each is a request to Claude."""

_WITHOUT_MEANING: Final = ("frequency_penalty", "presence_penalty", "logit_bias")


def prompts_of(request: CompletionRequest) -> list[str]:
    """The texts to go on with. Raises `InvalidRequestError` for token ids, for none and for too many."""
    asked = [request.prompt] if isinstance(request.prompt, str) else request.prompt
    if not asked:
        raise InvalidRequestError(
            "Missing required parameter: 'prompt'.", param="prompt", code="missing_required_parameter"
        )
    prompts = [prompt for prompt in asked if isinstance(prompt, str)]
    if len(prompts) < len(asked):
        raise InvalidRequestError("Claude cannot read token ids: send the prompt as text.", param="prompt")
    if len(prompts) * (request.n or 1) > MOST_CHOICES:
        raise InvalidRequestError(
            f"At most {MOST_CHOICES} texts are completed by one request, counted as prompts times n.", param="prompt"
        )
    return prompts


def to_messages_requests(
    request: CompletionRequest,
    *,
    facts: ModelFacts,
    capabilities: Capabilities,
    unknown: Sequence[str] = (),
    reject_unsupported: bool = False,
) -> list[Translation]:
    """One for each prompt, in their order; all tell the same of the request's fields.

    Raises `InvalidRequestError`; with `reject_unsupported` also `UnsupportedParameterError` for each field that would
    have no effect.
    """
    _refuse(request)
    translations = []
    for prompt in prompts_of(request):
        notes = Notes(reject=reject_unsupported)
        _decline(request, notes)
        notes.decline_all(unknown)
        translations.append(_translation(request, prompt, Assembly(_wishes(request), facts, capabilities, notes)))
    return translations


def _refuse(request: CompletionRequest) -> None:
    """What would be another answer without it. Raises `InvalidRequestError`."""
    if request.logprobs:
        raise UnsupportedParameterError("Claude tells no token probabilities: leave logprobs out.", param="logprobs")
    if request.max_tokens == 0:
        raise InvalidRequestError("max_tokens must be at least 1.", param="max_tokens")
    if request.best_of and request.best_of < (request.n or 1):
        raise InvalidRequestError("best_of must not be less than n.", param="best_of")


def _decline(request: CompletionRequest, notes: Notes) -> None:
    for name in _WITHOUT_MEANING:
        if (value := getattr(request, name)) and has_effect(value):
            notes.decline(name)
    if request.seed and bytes(request.seed) != b"null":
        notes.decline("seed")
    if request.best_of and request.best_of > (request.n or 1):
        notes.decline("best_of", "Claude tells no probabilities to choose the best by")
    if request.stream_options and request.stream_options.include_obfuscation:
        notes.decline("stream_options.include_obfuscation")


def _wishes(request: CompletionRequest) -> Wishes:
    stop = request.stop or ()
    return Wishes(
        # A text that is to go on needs no thought, and the limit of old clients leaves no room for any.
        thinking=ThinkingWish(effort="none"),
        sampling=SamplingWish(request.temperature, request.top_p),
        max_tokens=request.max_tokens or DEFAULT_MAX_TOKENS,
        stops=(stop,) if isinstance(stop, str) else stop,
        end_user=EndUser(str(request.user), ("user",)) if request.user else None,
    )


def _translation(request: CompletionRequest, prompt: str, assembly: Assembly) -> Translation:
    conversation = assembly.conversation
    if request.suffix:
        conversation.instruct([TextBlockParam(INSERT)])
        conversation.ask(text_blocks(f"<before>{prompt}</before><after>{request.suffix}</after>"))
    else:
        conversation.instruct([TextBlockParam(COMPLETE)])
        conversation.ask(text_blocks(prompt))
    return assembly.translation()
