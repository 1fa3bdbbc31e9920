"""The sentences that the proxy says to Claude on its own: one each where a field has no other way."""

BRIEF = "Keep your answers brief: say what is needed and no more."
DETAILED = "Answer in detail: be thorough, and explain what a careful reader would want explained."
JSON_OBJECT = (
    "Your answer must be one JSON object and nothing else: no words before or after it, and no code fences around it."
)
CONTINUE = "Continue your last message exactly where it breaks off. Repeat nothing of it and comment on nothing."
COMPLETE = (
    "The user's message is a text that breaks off. Answer with what comes next in it and nothing else: repeat nothing "
    "of it, comment on nothing, and put no code fences around it."
)
INSERT = (
    "The user's message is a text with a gap: <before> holds what stands before the gap, <after> what stands after it. "
    "Answer with what belongs into the gap and nothing else: repeat nothing of the text around it, comment on nothing, "
    "and put no tags or code fences around it."
)
NO_USER_MESSAGE = "Begin."
EMPTY_USER_MESSAGE = "(The user's message is empty.)"
DEVELOPER = "Instruction from the developer of this application, not from the user:"
NO_RESULT = "The result of this call was not handed over."

ANY_TOOL = "Your next message must call at least one of the tools. Do not answer in text instead."
ANY_TOOL_AGAIN = (
    "You must call a tool now: an answer without a tool call cannot be used. If arguments are missing, choose sensible "
    "ones."
)


def named_tool(name: str) -> str:
    """Asks for a call of this tool."""
    return f"Your next message must call the tool `{name}`. Do not answer in text instead."


def named_tool_again(name: str) -> str:
    """Asks for it the second time."""
    return (
        f"You must call the tool `{name}` now: an answer without that call cannot be used. If arguments are missing, "
        "choose sensible ones."
    )


def schema_in_words(schema: bytes) -> str:
    """For models without structured output."""
    return f"{JSON_OBJECT} It must match this JSON schema:\n{schema.decode()}"
