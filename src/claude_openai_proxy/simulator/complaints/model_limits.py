"""What differs by model: limits, sampling, thinking, effort."""

from claude_openai_proxy.simulator.complaints.asked import Asked, Turn
from claude_openai_proxy.simulator.loose_json import is_integer, is_number, object_in, objects_in, text_in
from claude_openai_proxy.simulator.thinking_binding import bound_signature, is_bound

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING_PAGE = (
    "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)
SAMPLING = ("temperature", "top_p", "top_k")


def no_such_model(asked: Asked) -> str | None:
    """Not in the table, or retired."""
    gone = asked.model is None or asked.model.lifecycle == "retired"
    return f"model: {asked.body.get('model')}" if gone else None


def not_in_plan(asked: Asked) -> str | None:
    """The login may not use this model."""
    outside = asked.model is not None and {asked.model.id, asked.model.alias} & asked.not_in_plan
    return "Your account does not have access to this model. Please contact support." if outside else None


def too_long_an_answer(asked: Asked) -> str | None:
    """More tokens asked for than the model writes."""
    wanted = asked.body.get("max_tokens")
    if asked.model is None or not isinstance(wanted, int) or wanted <= asked.model.max_output:
        return None
    allowed = f"{wanted} > {asked.model.max_output}, which is the maximum allowed number of output tokens for"
    return f"max_tokens: {allowed} {asked.body.get('model')}"


def too_long_a_prompt(asked: Asked) -> str | None:
    """More tokens than the context takes."""
    if asked.model is None or asked.tokens <= asked.model.context:
        return None
    return f"prompt is too long: {asked.tokens} tokens > {asked.model.context} maximum"


def sampling_with_new_version(asked: Asked) -> str | None:
    """A sampling parameter, default or not, under the newest version of the API."""
    found = next((name for name in SAMPLING if name in asked.body), None)
    refused = asked.version == "2026-10-21" and found
    return f"{found}: Extra inputs are not permitted" if refused else None


def sampling_on_model(asked: Asked) -> str | None:
    """A sampling parameter that is not the default, on a model that has none."""
    if asked.model is None or asked.model.sampling:
        return None
    for name in SAMPLING:
        if name in asked.body and (name == "top_k" or asked.body[name] != 1):
            return f"`{name}` is deprecated for this model."
    return None


def temperature_and_top_p(asked: Asked) -> str | None:
    """Both at once."""
    both = asked.model is not None and asked.model.sampling and {"temperature", "top_p"} <= asked.body.keys()
    text = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    return text if both else None


def thinking_type(asked: Asked) -> str | None:
    """A type of thinking that the model does not take."""
    if asked.model is None or not asked.thinking or asked.thinking in asked.model.thinking:
        return None
    if asked.thinking == "adaptive":
        return "adaptive thinking is not supported on this model"
    advice = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    return f'"thinking.type.{asked.thinking}" is not supported for this model. {advice}'


def thinking_off_at_effort(asked: Asked) -> str | None:
    """Thinking turned off at an effort that needs it."""
    if asked.model is None or asked.thinking != "disabled" or asked.effort not in EFFORTS:
        return None
    if EFFORTS.index(str(asked.effort)) <= EFFORTS.index(asked.model.thinking_off_up_to):
        return None
    highest = f'"{asked.model.thinking_off_up_to}" or below'
    return f'"thinking.type.disabled" is only supported at effort {highest} for this model'


def budget(asked: Asked) -> str | None:
    """A budget that leaves no room for the answer."""
    tokens = object_in(asked.body.get("thinking")).get("budget_tokens")
    limit = asked.body.get("max_tokens")
    fits = not is_integer(tokens) or not isinstance(tokens, int) or not isinstance(limit, int) or tokens < limit
    text = "`max_tokens` must be greater than `thinking.budget_tokens`."
    return None if fits else f"{text} {THINKING_PAGE}#max-tokens-and-context-window-size"


def temperature_with_thinking(asked: Asked) -> str | None:
    """A temperature other than 1 while thinking."""
    value = asked.body.get("temperature")
    if asked.thinking not in {"enabled", "adaptive"} or not is_number(value) or value == 1:
        return None
    return f"`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. {THINKING_PAGE}"


def top_k_with_thinking(asked: Asked) -> str | None:
    """top_k while thinking."""
    wrong = asked.thinking in {"enabled", "adaptive"} and "top_k" in asked.body
    return f"`top_k` must be unset when thinking is enabled or in adaptive mode. {THINKING_PAGE}" if wrong else None


def top_p_with_thinking(asked: Asked) -> str | None:
    """A low top_p while thinking."""
    value = asked.body.get("top_p")
    low = asked.thinking in {"enabled", "adaptive"} and isinstance(value, (int, float)) and value < 0.95
    rule = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode."
    return f"{rule} {THINKING_PAGE}" if low else None


def forced_choice_with_thinking(asked: Asked) -> str | None:
    """A forced tool choice together with a budget."""
    both = asked.thinking == "enabled" and asked.tool_choice in {"any", "tool"}
    return "Thinking may not be enabled when tool_choice forces tool use." if both else None


def thinking_first(asked: Asked) -> str | None:
    """With a budget, the assistant turn of a running tool loop begins with its thinking."""
    turn = _turn_of_running_loop(asked)
    if asked.thinking != "enabled" or turn is None or not turn.blocks:
        return None
    path, block = turn.blocks[0]
    if block.get("type") in {"thinking", "redacted_thinking"}:
        return None
    found = f"Expected `thinking` or `redacted_thinking`, but found `{block.get('type')}`."
    rule = "When `thinking` is enabled, a final `assistant` message must start with a thinking block"
    return f"{path}.type: {found} {rule} (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."


def thinking_bound(asked: Asked) -> str | None:
    """Thinking handed back to another model, or after another prefix than it was made for."""
    binding = object_in(object_in(asked.body.get("thinking")).get("block_binding"))
    if asked.model is None or not asked.model.binds_thinking or binding:
        return None
    for index, message in enumerate(asked.messages):
        for number, block in enumerate(objects_in(message.get("content"))):
            signature = text_in(block.get("signature")) if block.get("type") == "thinking" else ""
            if is_bound(signature) and signature != bound_signature(asked.body, index):
                found = "the `thinking` block is bound to a different conversation"
                return f"messages.{index}.content.{number}: {found}. Thinking blocks must be passed back unmodified."
    return None


def effort_unsupported(asked: Asked) -> str | None:
    """An effort on a model that has none."""
    refused = asked.model is not None and asked.effort is not None and not asked.model.efforts
    return "This model does not support the effort parameter." if refused else None


def effort_level(asked: Asked) -> str | None:
    """An effort that this model does not have."""
    if asked.model is None or asked.effort is None or asked.effort in asked.model.efforts:
        return None
    levels = ", ".join(asked.model.efforts)
    return f"This model does not support effort level '{asked.effort}'. Supported levels: {levels}."


def _turn_of_running_loop(asked: Asked) -> Turn | None:
    """The assistant turn whose calls the last user turn answers."""
    if len(asked.turns) < 2 or not asked.turns[-1].of_type("tool_result"):
        return None
    return asked.turns[-2] if asked.turns[-2].role == "assistant" else None
