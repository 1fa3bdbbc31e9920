"""How the calls of declared tools come back, in a dialect that has a form of its own for some of them."""

from typing import Literal

from msgspec import Struct

CallType = Literal[
    "function_call",
    "custom_tool_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "tool_search_call",
]


class CallForm(Struct, frozen=True):
    """For one tool: the type of the item, and what the client calls the tool.

    `environment` is what the client said of the shell, which is said again in each call.
    """

    type: CallType
    name: str
    namespace: str | None = None
    environment: object = None
