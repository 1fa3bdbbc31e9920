"""Who may speak when, and that every tool call has its result right after it."""

from collections import Counter
from itertools import pairwise

from claude_openai_proxy.simulator.complaints.asked import Asked, Turn
from claude_openai_proxy.simulator.loose_json import objects_in, text_in


def no_messages(asked: Asked) -> str | None:
    """An empty conversation."""
    return "messages: at least one message is required" if asked.body.get("messages") == [] else None


def empty_content(asked: Asked) -> str | None:
    """A message without content; only the last one may be so, if it is the assistant's."""
    for index, message in enumerate(asked.messages):
        last_assistant = index == len(asked.messages) - 1 and message.get("role") == "assistant"
        if message.get("content") in ("", []) and not last_assistant:
            rule = "all messages must have non-empty content except for the optional final assistant message"
            return f"messages.{index}: {rule}"
    return None


def empty_text(asked: Asked) -> str | None:
    """A text block with no character in it."""
    for path, block in asked.all_blocks():
        if block.get("type") == "text" and block.get("text") == "":
            place = "messages" if path.startswith("messages") else path
            return f"{place}: text content blocks must be non-empty"
    return None


def empty_system_text(asked: Asked) -> str | None:
    """A system block with no character in it."""
    empty = [block for block in objects_in(asked.body.get("system")) if block.get("text") == ""]
    return "system: text content blocks must be non-empty" if empty else None


def blank_text(asked: Asked) -> str | None:
    """Only white space; it passes beside other blocks of an assistant turn, and in the last assistant turn."""
    for turn in asked.turns:
        texts = turn.of_type("text")
        alone = len(texts) == len(turn.blocks)
        blank = [path for path, block in texts if (said := text_in(block.get("text"))) and not said.strip()]
        if blank and (turn.role == "user" or (alone and len(blank) == len(texts) and turn is not asked.turns[-1])):
            return "messages: text content blocks must contain non-whitespace text"
    return None


def trailing_space(asked: Asked) -> str | None:
    """The start of the answer that the model is to continue ends in white space."""
    if not asked.turns or asked.turns[-1].role != "assistant":
        return None
    texts = asked.turns[-1].of_type("text")
    said = text_in(texts[-1][1].get("text")) if texts else ""
    return "messages: final assistant content cannot end with trailing whitespace" if said != said.rstrip() else None


def prefill(asked: Asked) -> str | None:
    """The conversation ends with the assistant, and the model does not continue it."""
    if asked.model is None or asked.model.prefill or not asked.turns or asked.turns[-1].role != "assistant":
        return None
    if asked.turns[-1].of_type("server_tool_use"):
        return None
    return "This model does not support assistant message prefill. The conversation must end with a user message."


def system_role(asked: Asked) -> str | None:
    """A system message inside a conversation of a model that takes none there."""
    taken = asked.model is None or asked.model.system_in_messages
    if taken or all(turn.role != "system" for turn in asked.turns):
        return None
    advice = 'The Messages API accepts a top-level `system` parameter, not "system" as an input message role.'
    return f'messages: Unexpected role "system". {advice}'


def system_position(asked: Asked) -> str | None:
    """A system message that is not right after a user turn, or not followed by the assistant."""
    for index, turn in enumerate(asked.turns):
        if turn.role != "system":
            continue
        before = asked.turns[index - 1].role if index else ""
        after = asked.turns[index + 1].role if index + 1 < len(asked.turns) else "assistant"
        if before != "user" or after != "assistant":
            where = "must directly follow a user message and be last or followed by an assistant message"
            return f'{turn.path}.role: a "system" message {where}'
    return None


def call_in_user_turn(asked: Asked) -> str | None:
    """A tool call that the user makes."""
    for turn in asked.turns:
        if turn.role == "user" and turn.of_type("tool_use"):
            return f"{turn.path}: `tool_use` blocks can only be in `assistant` messages"
    return None


def result_in_assistant_turn(asked: Asked) -> str | None:
    """A tool result that the assistant gives."""
    for turn in asked.turns:
        if turn.role == "assistant" and turn.of_type("tool_result"):
            return f"{turn.path}: `tool_result` blocks can only be in `user` messages"
    return None


def picture_in_assistant_turn(asked: Asked) -> str | None:
    """An image or a document that the assistant shows."""
    for turn in asked.turns:
        for path, block in turn.of_type("image", "document") if turn.role == "assistant" else []:
            return f"{path}: `{block.get('type')}` blocks are not permitted in `assistant` messages"
    return None


def call_without_result(asked: Asked) -> str | None:
    """A call whose result is not in the next user turn, before anything else there."""
    for turn, following in pairwise([*asked.turns, Turn("", "", [])]):
        called = _ids(turn, "tool_use", "id") if turn.role == "assistant" else []
        answered = _leading_results(following) if following.role == "user" else []
        missing = [call for call in called if call not in answered]
        if missing and following.role:
            rule = "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            found = "`tool_use` ids were found without `tool_result` blocks immediately after"
            return f"{turn.path}: {found}: {', '.join(missing)}. {rule}"
    return None


def result_without_call(asked: Asked) -> str | None:
    """A result whose call is not in the assistant turn before it."""
    for before, turn in pairwise([Turn("", "", []), *asked.turns]):
        called = _ids(before, "tool_use", "id") if before.role == "assistant" else []
        for path, block in turn.of_type("tool_result") if turn.role == "user" else []:
            name = text_in(block.get("tool_use_id"))
            if name not in called:
                rule = "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                return f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. {rule}"
    return None


def repeated_call_id(asked: Asked) -> str | None:
    """One turn uses an id twice (a later turn may use it again)."""
    repeated = any(_repeated(_ids(turn, "tool_use", "id")) for turn in asked.turns)
    return "messages: `tool_use` ids must be unique" if repeated else None


def repeated_result(asked: Asked) -> str | None:
    """Two results for one call."""
    for turn in asked.turns:
        if repeated := _repeated(_ids(turn, "tool_result", "tool_use_id")):
            rule = "each tool_use must have a single result. Found multiple `tool_result` blocks with id"
            return f"{turn.path}.content: {rule}: {repeated}"
    return None


def _ids(turn: Turn, kind: str, field: str) -> list[str]:
    return [text_in(block.get(field)) for _, block in turn.of_type(kind)]


def _leading_results(turn: Turn) -> list[str]:
    found: list[str] = []
    for _, block in turn.blocks:
        if block.get("type") != "tool_result":
            break
        found.append(text_in(block.get("tool_use_id")))
    return found


def _repeated(names: list[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
