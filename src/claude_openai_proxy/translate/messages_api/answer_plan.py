"""What the answer's reader must know of the request: made with the request, read with the answer."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

NO_NAMES: Mapping[str, str] = MappingProxyType({})


class AnswerPlan(Struct, frozen=True, kw_only=True):
    """How the answer to one translated request is read back, whatever the client's dialect."""

    tool_names: Mapping[str, str] = NO_NAMES
    """Claude's tool name -> the client's, where they differ."""
    custom_tools: frozenset[str] = frozenset()
    """Client's names of free-form tools: their `input` property is the whole input."""
    single_call: bool = False
    """The client's form holds one call: further ones are counted as skipped."""
    reasoning: bool = False
    """The client gets to read the thinking."""
    stop_texts: tuple[str, ...] = ()
    """Stop sequences that Claude refuses (white space only): the answer is cut at the first of them."""
    forced_tool: bool = False
    """The tool choice is emulated: the answer is held back until its first call starts or it ends."""
    structured: bool = False
    """JSON was asked for."""
