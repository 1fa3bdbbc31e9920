"""Legacy completions (https://platform.openai.com/docs/api-reference/completions), with the published names.

Fields that mean nothing to Claude are raw: what stands there is nobody's business here.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from claude_openai_proxy.protocols.openai_usage import CompletionUsage

MOST_STOPS = 64
"""Of stop sequences in one request; each is looked for in each piece of the answer."""
DEFAULT_MAX_TOKENS = 16
"""The API's own: clients that name no limit expect a short text."""

NO_JSON = Raw()
"""What a raw field holds where the client sent nothing; null stays `null`."""


class StreamOptions(Struct, frozen=True):
    """How a stream goes out."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class CompletionRequest(Struct, frozen=True, kw_only=True):
    """Body of `POST /v1/completions`: 18 fields. A `prompt` of token ids is a list of integers, or of such lists."""

    prompt: str | list[str | int | list[int]] | None = None
    model: str | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    frequency_penalty: Raw = NO_JSON
    logit_bias: Raw = NO_JSON
    logprobs: Annotated[int, Meta(ge=0)] | bool | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    presence_penalty: Raw = NO_JSON
    seed: Raw = NO_JSON
    stop: str | Annotated[list[str], Meta(max_length=MOST_STOPS)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | int | None = None


FinishReason = Literal["stop", "length", "content_filter"]


class CompletionChoice(Struct, frozen=True, kw_only=True):
    """One text, or in a stream a piece of it; `finish_reason` is null until its last."""

    text: str
    index: int
    logprobs: None = None
    finish_reason: FinishReason | None = None


class Completion(Struct, frozen=True, kw_only=True, tag_field="object", tag="text_completion"):
    """Body of an answer that is not streamed; `created` in seconds since 1970."""

    id: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: CompletionUsage
    system_fingerprint: str | None = None
