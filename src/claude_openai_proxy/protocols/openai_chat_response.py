"""Answers of chat completions (https://platform.openai.com/docs/api-reference/chat), with the published names."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from claude_openai_proxy.protocols.openai_usage import CompletionUsage

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class AnnotationURLCitation(Struct, frozen=True):
    """A source on the web; the indexes are character offsets into the message's content."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(Struct, frozen=True, tag_field="type", tag="url_citation"):
    """A citation."""

    url_citation: AnnotationURLCitation


class FunctionCall(Struct, frozen=True):
    """A call's name and its arguments as JSON text."""

    name: str
    arguments: str


class CustomToolCallBody(Struct, frozen=True):
    """A free-form call's name and input."""

    name: str
    input: str


class FunctionToolCall(Struct, frozen=True, tag_field="type", tag="function"):
    """A finished call of a function tool."""

    id: str
    function: FunctionCall


class CustomToolCall(Struct, frozen=True, tag_field="type", tag="custom"):
    """A finished call of a custom tool."""

    id: str
    custom: CustomToolCallBody


ToolCall = FunctionToolCall | CustomToolCall


class ReasoningDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A block of thinking as gateways hand it out, for clients that hand it back: `text` with its `signature`, or
    encrypted `data` (https://openrouter.ai/docs/use-cases/reasoning-tokens)."""

    type: Literal["reasoning.text", "reasoning.encrypted"]
    index: int
    format: str = ""
    text: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    data: str | UnsetType = UNSET


class ChatCompletionMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer. `reasoning_content` is the field that clients of reasoning models read; OpenAI's API has none."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    annotations: list[Annotation]
    tool_calls: list[ToolCall] | UnsetType = UNSET
    function_call: FunctionCall | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[ReasoningDetail] | UnsetType = UNSET


class Choice(Struct, frozen=True, kw_only=True):
    """One answer."""

    index: int
    message: ChatCompletionMessage
    logprobs: None = None
    finish_reason: FinishReason


class ChatCompletion(Struct, frozen=True, kw_only=True, tag_field="object", tag="chat.completion"):
    """Body of an answer that is not streamed; `created` in seconds since 1970."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    service_tier: str | None = None
    system_fingerprint: str | None = None


class FunctionCallDelta(Struct, frozen=True, omit_defaults=True):
    """Name in the first delta of a call, then pieces of the arguments."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class CustomToolCallDelta(Struct, frozen=True, omit_defaults=True):
    """Name in the first delta of a call, then pieces of the input."""

    name: str | UnsetType = UNSET
    input: str | UnsetType = UNSET


class ToolCallDelta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`index` counts calls from 0; id, type and name stand only in the first delta of a call."""

    index: int
    id: str | UnsetType = UNSET
    type: Literal["function", "custom"] | UnsetType = UNSET
    function: FunctionCallDelta | UnsetType = UNSET
    custom: CustomToolCallDelta | UnsetType = UNSET


class ChoiceDelta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chunk adds to a choice."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[ReasoningDetail] | UnsetType = UNSET
    tool_calls: list[ToolCallDelta] | UnsetType = UNSET
    function_call: FunctionCallDelta | UnsetType = UNSET
    annotations: list[Annotation] | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True, kw_only=True):
    """One choice of a chunk; `finish_reason` is null until its last."""

    index: int
    delta: ChoiceDelta
    logprobs: None = None
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="object", tag="chat.completion.chunk"
):
    """One event of a streamed answer. `usage`: absent unless asked for, then null on every chunk but the last."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    system_fingerprint: str | UnsetType | None = UNSET


class ModelPricing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ours: US dollars for a million tokens, by Anthropic's list."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_write_1h: float
    long_above: int | UnsetType = UNSET
    """Above so many tokens of input all of it costs `long_factor` times as much."""
    long_factor: float | UnsetType = UNSET


class Model(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="object", tag="model"):
    """A row of `GET /v1/models`: OpenAI's four members, and ours. `resolves_to` says what an alias stands for now.

    `reasoning_efforts` are those that Claude tells apart, lowest first; `retires` is the day on which the model goes.
    """

    id: str
    created: int
    owned_by: str
    resolves_to: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    context_window: int | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    reasoning_efforts: list[str] | UnsetType = UNSET
    supports_images: bool | UnsetType = UNSET
    supports_tools: bool | UnsetType = UNSET
    retires: str | UnsetType = UNSET
    pricing: ModelPricing | UnsetType = UNSET


class ModelList(Struct, frozen=True, kw_only=True, tag_field="object", tag="list"):
    """Body of `GET /v1/models`."""

    data: list[Model]
