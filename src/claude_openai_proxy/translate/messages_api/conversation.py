"""A conversation as Claude takes it: turns of one role merged, each call answered first thing in the very next turn."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    ContentBlockParam,
    DocumentBlockParam,
    ImageBlockParam,
    MessageParam,
    TextBlockParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from claude_openai_proxy.translate.messages_api.instructions import (
    DEVELOPER,
    EMPTY_USER_MESSAGE,
    NO_RESULT,
    NO_USER_MESSAGE,
)
from claude_openai_proxy.translate.messages_api.tool_names import ToolNames, call_id
from claude_openai_proxy.translate.notes import Notes

_NO_CALLS: "Sequence[_Call]" = ()

Mark = CacheControlEphemeral | UnsetType
"""A cache mark on a block, or none."""

MOST_MARKS: Final = 4
"""The API takes no more cache marks in one request."""

SeenBlock = TextBlockParam | ImageBlockParam | DocumentBlockParam
"""What may stand in a user turn and in a tool result."""

ResultContent = str | list[SeenBlock] | UnsetType
"""What a tool returned: text, or blocks, or nothing; blank text counts as nothing."""


class _Turn(Struct, eq=False):
    """`instructions` follow a user turn as a system message."""

    role: Literal["user", "assistant"]
    blocks: list[ContentBlockParam] = []
    calls: "list[_Call]" = []
    instructions: list[TextBlockParam] = []


class _Call(Struct, eq=False):
    """`turn` is the place of its turn. (A turn that is held by its own calls would be garbage to be searched for.)"""

    id: str
    name: str
    turn: int
    result: ToolResultBlockParam | None = None


class Conversation:
    """Takes a client's messages in order and mends what Claude would refuse, noting that it did.

    Any dialect's reader feeds it: `instruct`, `ask`, `say`, `call`, `answer`. Tools go by the client's names. It raises
    nothing but what `Notes` raises; text that is blank must have been left out (`text_blocks`).
    """

    def __init__(self, notes: Notes, names: ToolNames, *, system_in_messages: bool) -> None:
        self.system: list[TextBlockParam] = []
        self._notes = notes
        self._names = names
        self._system_in_messages = system_in_messages
        self._turns: list[_Turn] = []
        self._calls: dict[str, list[_Call]] = {}
        self._ids: set[str] = set()
        self._empty_end = False

    # ---- what is said -------------------------------------------------------------------------------------------

    def instruct(self, blocks: list[TextBlockParam]) -> None:
        """System text: at the start the system prompt; later a system message after the user's turn, or marked text."""
        if not blocks:
            return
        if not self._turns:
            self.system += blocks
        elif self._system_in_messages:
            self._turn("user").instructions += blocks
        else:
            self._turn("user").blocks += map(_marked, blocks)
        self._empty_end = False

    def ask(self, blocks: Sequence[ContentBlockParam]) -> None:
        """A user message; an empty one leaves no trace unless it is the last."""
        if blocks:
            self._turn("user").blocks.extend(blocks)
        self._empty_end = not blocks

    def say(self, blocks: Sequence[ContentBlockParam]) -> None:
        """An assistant message."""
        if blocks:
            self._turn("assistant").blocks.extend(blocks)
            self._empty_end = False

    def call(self, asked_id: str | None, name: str, input_: Raw, mark: Mark = UNSET) -> None:
        """A call in the assistant's turn; it gets an id of its own where the client's is taken or not of Claude's."""
        turn = self._turn("assistant")
        id_ = call_id(asked_id, self._ids)
        turn.blocks.append(ToolUseBlockParam(id_, self._names.alias(name), input_, mark))
        call = _Call(id_, name, len(self._turns) - 1)
        turn.calls.append(call)
        self._calls.setdefault(asked_id or id_, []).append(call)
        self._empty_end = False

    # ---- what tools returned ------------------------------------------------------------------------------------

    def answer(
        self, asked_id: str, content: ResultContent, mark: Mark = UNSET, *, is_error: bool | UnsetType = UNSET
    ) -> None:
        """The result of the call with this id."""
        if type(content) is str and (not content or content.isspace()):
            content = UNSET
        calls = self._calls.get(asked_id, _NO_CALLS)
        if waiting := _first_waiting(calls):
            self._settle(waiting, ToolResultBlockParam(waiting.id, content, is_error, mark))
        else:
            self._tell(calls, asked_id, content)
        self._empty_end = False

    def answer_named(self, name: str, content: ResultContent, mark: Mark = UNSET) -> None:
        """The result of the latest call of that name that has none."""
        if type(content) is str and (not content or content.isspace()):
            content = UNSET
        calls = [call for calls in self._calls.values() for call in calls if call.name == name]
        if waiting := _first_waiting(calls):
            self._settle(waiting, ToolResultBlockParam(waiting.id, content, cache_control=mark))
        else:
            self._tell(calls, name, content)
        self._empty_end = False

    def _tell(self, candidates: Sequence[_Call], asked: str, content: ResultContent) -> None:
        """A result that no call waits for becomes text; one that says the same again is left out."""
        self._notes.repair("tool_results_mended")
        if any(call.result and call.result.content == content for call in candidates):
            return
        what = "Another result of the call" if candidates else "A result without its call:"
        told = self._turn("user").blocks
        told.append(TextBlockParam(f"{what} {asked}:"))
        if isinstance(content, str):
            told.append(TextBlockParam(content))
        elif content is not UNSET:
            told.extend(content)

    def _settle(self, call: _Call, result: ToolResultBlockParam) -> None:
        call.result = result
        turns_since = len(self._turns) - 1 - call.turn
        if turns_since == 0:
            self._turns.append(_Turn("user"))
        elif turns_since > 1:
            self._notes.repair("tool_results_mended")

    # ---- the end ------------------------------------------------------------------------------------------------

    @property
    def called(self) -> list[str]:
        """The client's names of the tools that were called, each once."""
        return list(dict.fromkeys(call.name for calls in self._calls.values() for call in calls))

    def messages(self) -> list[MessageParam]:
        """The turns, never none; the last may be the assistant's."""
        if self._empty_end or not self._turns:
            self._turn("user").blocks.append(TextBlockParam(EMPTY_USER_MESSAGE if self._empty_end else NO_USER_MESSAGE))
        out: list[MessageParam] = []
        calls: list[_Call] = []
        for turn in self._turns:
            if turn.role == "assistant":
                out.append(MessageParam("assistant", turn.blocks))
                calls = turn.calls
            else:
                self._close_user_turn(turn, calls, out)
                calls = []
        if calls:
            self._close_user_turn(_Turn("user"), calls, out)
        return out

    def _close_user_turn(self, turn: _Turn, calls: list[_Call], out: list[MessageParam]) -> None:
        blocks: list[ContentBlockParam] = turn.blocks
        if calls:
            blocks = [call.result or self._missing_result(call) for call in calls]
            blocks += turn.blocks
        if not blocks:
            out.append(MessageParam("user", [_marked(block) for block in turn.instructions]))
            return
        out.append(MessageParam("user", blocks))
        if turn.instructions:
            out.append(MessageParam("system", list(turn.instructions)))

    def _missing_result(self, call: _Call) -> ToolResultBlockParam:
        self._notes.repair("tool_results_mended")
        return ToolResultBlockParam(call.id, NO_RESULT, is_error=True)

    def _turn(self, role: Literal["user", "assistant"]) -> _Turn:
        """The last turn where it is this role's, else a new one."""
        turns = self._turns
        if turns and turns[-1].role == role:
            return turns[-1]
        turn = _Turn(role)
        turns.append(turn)
        return turn


def text_blocks(text: str, mark: Mark = UNSET) -> list[TextBlockParam]:
    """Text as at most one block: Claude refuses one that is empty or blank."""
    return [] if not text or text.isspace() else [TextBlockParam(text, mark)]


def _first_waiting(calls: Sequence[_Call]) -> _Call | None:
    """Of the calls without a result the first of the latest turn that has any."""
    if len(calls) == 1:
        return calls[0] if calls[0].result is None else None
    waiting = [call for call in calls if call.result is None]
    return next((call for call in waiting if call.turn == waiting[-1].turn), None)


def _marked(block: TextBlockParam) -> TextBlockParam:
    return TextBlockParam(f"{DEVELOPER}\n{block.text}", block.cache_control)
