"""What the answer's translator must know of the request: made with the request, read with the answer."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

NO_NAMES: Mapping[str, str] = MappingProxyType({})
NO_SCHEMAS: Mapping[str, bytes] = MappingProxyType({})


class AnswerPlan(Struct, frozen=True, kw_only=True):
    """How the answer to one translated request is read back into OpenAI's words."""

    tool_names: Mapping[str, str] = NO_NAMES
    """Claude's tool name -> the client's, where they differ."""
    custom_tools: frozenset[str] = frozenset()
    """Client's names of free-form tools: their `input` property comes back as a custom tool call."""
    legacy_function_call: bool = False
    """The client used `functions`: the first call comes back as `function_call`."""
    reasoning: bool = False
    """Thinking comes back as `reasoning_content`."""
    stop_texts: tuple[str, ...] = ()
    """Stop sequences that Claude refuses (white space only): the answer is cut at the first of them."""
    forced_tool: bool = False
    """The tool choice is emulated: the answer is held back until its first call starts or it ends."""
    schema: bytes | None = None
    """The client's own JSON schema: a finished answer that is not streamed is checked against it."""
    strict_schemas: Mapping[str, bytes] = NO_SCHEMAS
    """Client's tool name -> its own schema, for strict tools: the arguments of such a call are checked likewise."""
