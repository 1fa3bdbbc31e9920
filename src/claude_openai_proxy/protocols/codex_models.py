"""Codex' model catalogue: what `GET /v1/models?client_version=…` carries in `models` (measured with Codex 0.171).

An entry decides what Codex offers to the model: its efforts, its tools and the words before every conversation.
"""

from typing import Literal

from msgspec import Struct


class CodexEffort(Struct, frozen=True):
    """One that the user of Codex can choose."""

    effort: str
    description: str


class CodexTruncation(Struct, frozen=True):
    """How long the result of a tool may be in a conversation."""

    mode: Literal["tokens", "bytes"] = "tokens"
    limit: int = 10_000


class CodexModel(Struct, frozen=True, kw_only=True):
    """One model. Where Codex wants a member and null means "none", the default is null.

    `apply_patch_tool_type` "freeform" brings the tool `apply_patch`, whose input is the patch itself. `priority` orders
    the list, lowest first. Without `default_reasoning_level` Codex names no effort, and Claude's own default holds.
    """

    slug: str
    display_name: str
    description: str
    default_reasoning_level: str | None = None
    supported_reasoning_levels: list[CodexEffort]
    shell_type: Literal["unified_exec", "shell_command"] = "unified_exec"
    visibility: Literal["list", "hide"] = "list"
    supported_in_api: bool = True
    priority: int
    availability_nux: None = None
    upgrade: None = None
    base_instructions: str
    support_verbosity: bool = True
    default_verbosity: Literal["low", "medium", "high"] | None = None
    apply_patch_tool_type: Literal["freeform"] | None = "freeform"
    truncation_policy: CodexTruncation = CodexTruncation()
    context_window: int | None
    max_context_window: int | None
    effective_context_window_percent: int = 95
    experimental_supported_tools: list[str] = []
    input_modalities: list[Literal["text", "image"]]
    supports_reasoning_summaries: bool = True
    default_reasoning_summary: Literal["auto", "concise", "detailed", "none"] = "auto"
    supports_parallel_tool_calls: bool = True
    supports_search_tool: bool = False
    prefer_websockets: bool = False
    use_responses_lite: bool = False
    tool_mode: None = None
