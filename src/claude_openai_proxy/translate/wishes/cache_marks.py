"""Prompt caching: the client's own marks where it placed any, otherwise one automatic mark.

Claude takes four marks, and none with a longer life after one with a shorter
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching).
"""

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    ContentBlockParam,
    MessageParam,
    MessagesRequest,
    RedactedThinkingBlockParam,
    TextBlockParam,
    ThinkingBlockParam,
    ToolParam,
    WebSearchTool,
)
from claude_openai_proxy.protocols.openai_chat_request import (
    CacheControl,
    ChatCompletionRequest,
    Part,
    PromptCacheBreakpoint,
)
from claude_openai_proxy.translate.wishes.notes import Notes

MOST_MARKS = 4
FIVE_MINUTES = CacheControlEphemeral()
ONE_HOUR = CacheControlEphemeral(ttl="1h")

Mark = CacheControlEphemeral | UnsetType


class CacheMarks(Struct, eq=False):
    """Counts the client's marks while its request is read."""

    count: int = 0
    lives: set[str] = set()

    def of_part(self, part: Part) -> Mark:
        """The part's mark, in either API's form."""
        if part.cache_control is None and part.prompt_cache_breakpoint is None:
            return UNSET
        return self.of(part.cache_control, part.prompt_cache_breakpoint)

    def of(self, mark: CacheControl | None, breakpoint_: PromptCacheBreakpoint | None = None) -> Mark:
        """The mark as Claude takes it. OpenAI's lives are 30 minutes at least, Claude's next longer one is an hour."""
        if mark is None and breakpoint_ is None:
            return UNSET
        long = mark.ttl == "1h" if mark else True
        self.count += 1
        self.lives.add("1h" if long else "5m")
        return ONE_HOUR if long else FIVE_MINUTES


def automatic_mark(request: ChatCompletionRequest, marks: CacheMarks) -> Mark:
    """The mark of the whole request, unless the client placed its own or asked for those only."""
    options = request.prompt_cache_options
    if marks.count or (options and options.mode == "explicit"):
        return UNSET
    long = request.prompt_cache_retention == "24h" or (options is not None and options.ttl is not None)
    return ONE_HOUR if long else FIVE_MINUTES


def with_legal_marks(request: MessagesRequest, marks: CacheMarks, notes: Notes) -> MessagesRequest:
    """At most the last four marks, all with one life where the client mixed them."""
    if marks.count > MOST_MARKS:
        notes.decline("cache_control", f"Claude takes {MOST_MARKS} marks, the last ones were kept")
    if marks.count <= MOST_MARKS and len(marks.lives) < 2:
        return request
    limit = _Limit(surplus=marks.count - MOST_MARKS, mark=ONE_HOUR if "1h" in marks.lives else FIVE_MINUTES)
    tools = request.tools if request.tools is UNSET else [limit.tool(tool) for tool in request.tools]
    system = request.system if request.system is UNSET else [limit.text(block) for block in request.system]
    messages = [MessageParam(turn.role, [limit.block(block) for block in turn.content]) for turn in request.messages]
    return replace(request, tools=tools, system=system, messages=messages)


class _Limit(Struct, eq=False):
    """Walks the marks in Claude's order: tools, system, messages."""

    surplus: int
    mark: CacheControlEphemeral

    def tool(self, tool: ToolParam | WebSearchTool) -> ToolParam | WebSearchTool:
        return tool if tool.cache_control is UNSET else replace(tool, cache_control=self._next())

    def text(self, block: TextBlockParam) -> TextBlockParam:
        return block if block.cache_control is UNSET else replace(block, cache_control=self._next())

    def block(self, block: ContentBlockParam) -> ContentBlockParam:
        if isinstance(block, ThinkingBlockParam | RedactedThinkingBlockParam | Raw) or block.cache_control is UNSET:
            return block
        return replace(block, cache_control=self._next())

    def _next(self) -> Mark:
        self.surplus -= 1
        return UNSET if self.surplus >= 0 else self.mark
