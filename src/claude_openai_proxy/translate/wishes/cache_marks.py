"""Prompt caching: the client's own marks where it placed any, otherwise up to three of ours.

Ours: at the end of what all requests of a conversation begin with (tools and system), on the last block (the automatic
mark), and where the last block of the request before stood. Claude looks 20 blocks back from a mark for what it has
cached, and a turn with its results may be longer than that: the third mark stands where the cache was written.

Claude takes four marks, and none with a longer life after one with a shorter
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching).
"""

from msgspec import UNSET, Raw, Struct
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
from claude_openai_proxy.translate.messages_api.conversation import MOST_MARKS, Mark
from claude_openai_proxy.translate.notes import Notes

FIVE_MINUTES = CacheControlEphemeral()
ONE_HOUR = CacheControlEphemeral(ttl="1h")


class CacheMarks(Struct, eq=False, kw_only=True):
    """The client's marks, counted while its request is read, and what it says of caching as a whole."""

    long: bool = False
    """The automatic mark lives for an hour."""
    own_only: bool = False
    """The client places all marks itself: there is no automatic one."""
    count: int = 0
    lives: set[str] = set()

    def mark(self, *, long: bool) -> CacheControlEphemeral:
        """One more mark of the client's, that lives five minutes or an hour."""
        self.count += 1
        self.lives.add("1h" if long else "5m")
        return ONE_HOUR if long else FIVE_MINUTES

    def automatic(self) -> Mark:
        """The mark of the whole request, unless the client placed its own or asked for those only."""
        if self.count or self.own_only:
            return UNSET
        return ONE_HOUR if self.long else FIVE_MINUTES


def with_own_marks(request: MessagesRequest, mark: Mark, *, system_is_marked: bool) -> MessagesRequest:
    """`request` with ours beside the automatic one, which is `mark`. `system_is_marked`: upstream marks it itself."""
    if mark is UNSET:
        return request
    messages = _with_lagging_mark(request.messages, mark)
    if system_is_marked:
        return replace(request, messages=messages)
    if request.system is not UNSET:
        *before, last = request.system
        return replace(request, messages=messages, system=[*before, replace(last, cache_control=mark)])
    if request.tools is not UNSET and not isinstance(request.tools[-1], Raw):
        tools = [*request.tools[:-1], replace(request.tools[-1], cache_control=mark)]
        return replace(request, messages=messages, tools=tools)
    return replace(request, messages=messages)


def _with_lagging_mark(messages: list[MessageParam], mark: Mark) -> list[MessageParam]:
    """The request before ended where the last answer begins."""
    answered = next((number for number in range(len(messages) - 1, 0, -1) if messages[number].role == "assistant"), 0)
    if not answered:
        return messages
    turn = messages[answered - 1]
    last = turn.content[-1]
    if isinstance(last, ThinkingBlockParam | RedactedThinkingBlockParam | Raw):
        return messages
    marked = MessageParam(turn.role, [*turn.content[:-1], replace(last, cache_control=mark)])
    return [*messages[: answered - 1], marked, *messages[answered:]]


def with_legal_marks(request: MessagesRequest, marks: CacheMarks, notes: Notes) -> MessagesRequest:
    """At most the last four marks, all with one life where the client mixed them.

    Raises `UnsupportedParameterError` for those beyond where the user wants that refused.
    """
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

    def tool(self, tool: ToolParam | WebSearchTool | Raw) -> ToolParam | WebSearchTool | Raw:
        return (
            tool if isinstance(tool, Raw) or tool.cache_control is UNSET else replace(tool, cache_control=self._next())
        )

    def text(self, block: TextBlockParam) -> TextBlockParam:
        return block if block.cache_control is UNSET else replace(block, cache_control=self._next())

    def block(self, block: ContentBlockParam) -> ContentBlockParam:
        if isinstance(block, ThinkingBlockParam | RedactedThinkingBlockParam | Raw) or block.cache_control is UNSET:
            return block
        return replace(block, cache_control=self._next())

    def _next(self) -> Mark:
        self.surplus -= 1
        return UNSET if self.surplus >= 0 else self.mark
