"""All that a client can want beside the conversation itself; a dialect's reader fills it in."""

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from claude_openai_proxy.protocols.anthropic import WebSearchTool
from claude_openai_proxy.translate.wishes.answer_format import FormatWish
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks
from claude_openai_proxy.translate.wishes.end_user import EndUser
from claude_openai_proxy.translate.wishes.sampling import NO_SAMPLING, SamplingWish
from claude_openai_proxy.translate.wishes.thinking import NO_THINKING_WISH, ThinkingWish
from claude_openai_proxy.translate.wishes.tool_choice import AUTO, ToolChoiceWish
from claude_openai_proxy.translate.wishes.tools import DeclaredTool


class Wishes(Struct, frozen=True, kw_only=True):
    """Whatever is left out is not wanted; `max_tokens` is then the model's maximum."""

    tools: Sequence[DeclaredTool] = ()
    web_search: WebSearchTool | None = None
    """Claude's own web search is on offer."""
    tool_choice: ToolChoiceWish = AUTO
    single_call: bool = False
    """The client's form of an answer holds one call."""
    thinking: ThinkingWish = NO_THINKING_WISH
    answer_format: FormatWish | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    sampling: SamplingWish = NO_SAMPLING
    max_tokens: int | None = None
    stops: Sequence[str] = ()
    end_user: EndUser | None = None
    service_tier: Literal["auto", "standard_only"] | UnsetType = UNSET
    cache: CacheMarks = field(default_factory=CacheMarks)
    """Counts the client's own marks: the reader goes on counting while it reads the conversation."""

    @property
    def schema_bytes(self) -> int:
        """The size of all schemas, as the client wrote them."""
        asked = self.answer_format.schema if self.answer_format else None
        return sum(len(tool.parameters) for tool in self.tools) + len(asked or b"")
