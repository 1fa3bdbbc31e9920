"""What the real Messages API refuses: one row each, asked in this order; the first that complains is the answer."""

from collections.abc import Callable
from dataclasses import dataclass

from claude_openai_proxy.simulator.complaints import (
    content,
    metaschema,
    model_limits,
    request_shape,
    schemas,
    tools,
    turns,
)
from claude_openai_proxy.simulator.complaints.asked import Asked

API = "https://docs.anthropic.com/en/api/messages"
ERRORS = "https://docs.anthropic.com/en/api/errors"
MODELS = "https://docs.anthropic.com/en/docs/about-claude/models/overview"
TOOL_USE = "https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use"
STRUCTURED = "https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs"
THINKING = "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking"
EFFORT = "https://docs.anthropic.com/en/docs/build-with-claude/effort"
VISION = "https://docs.anthropic.com/en/docs/build-with-claude/vision"
PDF = "https://docs.anthropic.com/en/docs/build-with-claude/pdf-support"
CACHING = "https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching"
SEEN = "recorded answers of the API"


@dataclass(frozen=True, slots=True)
class Rule:
    """`complaint` gives the words of the refusal, or None; `source` says where the rule is known from."""

    name: str
    source: str
    complaint: Callable[[Asked], str | None]
    status: int = 400
    error_type: str = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that breaks `rule`."""

    rule: Rule
    message: str


RULES = (
    Rule("body too large", ERRORS, content.too_large, 413, "request_too_large"),
    Rule("body is no JSON", API, request_shape.not_json),
    Rule("required field missing", API, request_shape.missing_field),
    Rule("field of the wrong type", API, request_shape.wrong_type),
    Rule("unknown type of block", API, request_shape.unknown_tag),
    Rule("unknown field", API, request_shape.unknown_field),
    Rule("value out of range", API, request_shape.wrong_value),
    Rule("model unknown or retired", MODELS, model_limits.no_such_model, 404, "not_found_error"),
    Rule("model not in the plan", ERRORS, model_limits.not_in_plan, 403, "permission_error"),
    Rule("sampling parameter with version 2026-10-21", SEEN, model_limits.sampling_with_new_version),
    Rule("max_tokens above the model's maximum", MODELS, model_limits.too_long_an_answer),
    Rule("no messages", API, turns.no_messages),
    Rule("system message on a model without", API, turns.system_role),
    Rule("system message out of place", API, turns.system_position),
    Rule("message without content", API, turns.empty_content),
    Rule("empty text block", SEEN, turns.empty_text),
    Rule("empty system block", SEEN, turns.empty_system_text),
    Rule("blank text block", SEEN, turns.blank_text),
    Rule("trailing white space in the last assistant turn", SEEN, turns.trailing_space),
    Rule("prefill on a model without", MODELS, turns.prefill),
    Rule("tool call in a user turn", TOOL_USE, turns.call_in_user_turn),
    Rule("tool result in an assistant turn", TOOL_USE, turns.result_in_assistant_turn),
    Rule("image in an assistant turn", VISION, turns.picture_in_assistant_turn),
    Rule("tool call id twice in a turn", SEEN, turns.repeated_call_id),
    Rule("two results for one call", SEEN, turns.repeated_result),
    Rule("tool call without its result right after", TOOL_USE, turns.call_without_result),
    Rule("tool result without its call right before", TOOL_USE, turns.result_without_call),
    Rule("tool calls in the history and no tools", SEEN, tools.calls_without_tools),
    Rule("tool name twice", TOOL_USE, tools.repeated_name),
    Rule("input schema is no object", TOOL_USE, tools.schema_without_type),
    Rule("input schema is a union", TOOL_USE, tools.schema_union),
    Rule("property name outside the pattern", SEEN, tools.property_name),
    Rule("schema that the metaschema refuses", SEEN, metaschema.invalid_schema),
    Rule("tool choice without tools", TOOL_USE, tools.choice_without_tools),
    Rule("tool choice of an unknown tool", TOOL_USE, tools.choice_of_unknown_tool),
    Rule("forced tool choice on a model without", MODELS, tools.forced_choice),
    Rule("too many strict tools", STRUCTURED, schemas.too_many_strict_tools),
    Rule("too many optional parameters", STRUCTURED, schemas.too_many_optional),
    Rule("recursive schema", STRUCTURED, schemas.recursion),
    Rule("reference to nothing", STRUCTURED, schemas.reference),
    Rule("object open for other properties", STRUCTURED, schemas.open_object),
    Rule("bound in a schema", STRUCTURED, schemas.bounds),
    Rule("more than one item demanded", STRUCTURED, schemas.min_items),
    Rule("refused schema keyword", STRUCTURED, schemas.refused_keyword),
    Rule("unknown string format", STRUCTURED, schemas.string_format),
    Rule("schema without a type", STRUCTURED, schemas.untyped),
    Rule("grammar too large", STRUCTURED, schemas.grammar_too_large),
    Rule("type of thinking that the model does not take", THINKING, model_limits.thinking_type),
    Rule("thinking off at too high an effort", THINKING, model_limits.thinking_off_at_effort),
    Rule("budget not below max_tokens", THINKING, model_limits.budget),
    Rule("forced tool choice with a budget", THINKING, model_limits.forced_choice_with_thinking),
    Rule("sampling parameter on a model without", MODELS, model_limits.sampling_on_model),
    Rule("temperature and top_p together", MODELS, model_limits.temperature_and_top_p),
    Rule("temperature while thinking", THINKING, model_limits.temperature_with_thinking),
    Rule("top_k while thinking", THINKING, model_limits.top_k_with_thinking),
    Rule("low top_p while thinking", THINKING, model_limits.top_p_with_thinking),
    Rule("tool loop without its thinking", THINKING, model_limits.thinking_first),
    Rule("thinking bound to another conversation", THINKING, model_limits.thinking_bound),
    Rule("effort on a model without", EFFORT, model_limits.effort_unsupported),
    Rule("effort that the model does not have", EFFORT, model_limits.effort_level),
    Rule("invalid base64", VISION, content.bad_base64),
    Rule("image too large", VISION, content.large_image),
    Rule("media type that does not match the image", VISION, content.image_type),
    Rule("bytes that are no image", VISION, content.no_image),
    Rule("document that is no PDF", PDF, content.no_pdf),
    Rule("URL that is not HTTP", VISION, content.url_scheme),
    Rule("more than four cache marks", CACHING, content.too_many_marks),
    Rule("long cache mark after a short one", CACHING, content.mark_order),
    Rule("cache mark on blank text", CACHING, content.mark_on_empty_text),
    Rule("blank stop sequence", SEEN, content.blank_stop),
    Rule("user id is an e-mail address", API, content.user_id_is_email),
    Rule("user id is a phone number", API, content.user_id_is_phone),
    Rule("prompt longer than the context", ERRORS, model_limits.too_long_a_prompt),
)


def refusal_of(asked: Asked) -> Refusal | None:
    """What the API would say, where it would refuse."""
    for rule in RULES:
        message = rule.complaint(asked)
        if message is not None:
            return Refusal(rule, message)
    return None
