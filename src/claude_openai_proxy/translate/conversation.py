"""A conversation as Claude takes it: turns of one role merged, each call answered first thing in the very next turn."""

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Raw, Struct

from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    ContentBlockParam,
    MessageParam,
    TextBlockParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from claude_openai_proxy.translate.cache_marks import Mark
from claude_openai_proxy.translate.content import SeenBlock
from claude_openai_proxy.translate.instructions import DEVELOPER, EMPTY_USER_MESSAGE, NO_RESULT, NO_USER_MESSAGE
from claude_openai_proxy.translate.notes import Notes
from claude_openai_proxy.translate.tool_names import call_id

_NO_CALLS: "Sequence[_Call]" = ()


class Result(Struct, frozen=True):
    """What a tool returned: text, or blocks."""

    content: str | list[SeenBlock]
    is_error: bool = False
    mark: CacheControlEphemeral | None = None


class _Turn(Struct, eq=False):
    """`instructions` follow a user turn as a system message."""

    role: Literal["user", "assistant"]
    blocks: list[ContentBlockParam] = []
    calls: "list[_Call]" = []
    instructions: list[TextBlockParam] = []


class _Call(Struct, eq=False):
    id: str
    name: str
    turn: _Turn
    result: Result | None = None


class Conversation:
    """Takes a client's messages in order and mends what Claude would refuse, noting that it did."""

    def __init__(self, notes: Notes, *, system_in_messages: bool) -> None:
        self.system: list[TextBlockParam] = []
        self._notes = notes
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

    def ask(self, blocks: list[ContentBlockParam]) -> None:
        """A user message; an empty one leaves no trace unless it is the last."""
        if blocks:
            self._turn("user").blocks += blocks
        self._empty_end = not blocks

    def say(self, blocks: list[ContentBlockParam]) -> None:
        """An assistant message."""
        if blocks:
            self._turn("assistant").blocks += blocks
            self._empty_end = False

    def call(self, asked_id: str | None, name: str, claude_name: str, input_: Raw, mark: Mark = UNSET) -> None:
        """A call in the assistant's turn; it gets an id of its own where the client's is taken or not of Claude's."""
        turn = self._turn("assistant")
        id_ = call_id(asked_id, self._ids)
        turn.blocks.append(ToolUseBlockParam(id_, claude_name, input_, mark))
        call = _Call(id_, name, turn)
        turn.calls.append(call)
        self._calls.setdefault(asked_id or id_, []).append(call)
        self._empty_end = False

    # ---- what tools returned ------------------------------------------------------------------------------------

    def answer(self, asked_id: str, result: Result) -> None:
        """The result of the call with this id."""
        self._answer(self._calls.get(asked_id, _NO_CALLS), asked_id, result)

    def answer_named(self, name: str, result: Result) -> None:
        """The result of the latest call of that name that has none."""
        self._answer([call for calls in self._calls.values() for call in calls if call.name == name], name, result)

    def _answer(self, candidates: Sequence[_Call], asked: str, result: Result) -> None:
        self._empty_end = False
        if waiting := [call for call in candidates if call.result is None]:
            self._settle(next(call for call in waiting if call.turn is waiting[-1].turn), result)
        else:
            self._tell(candidates, asked, result)

    def _tell(self, candidates: Sequence[_Call], asked: str, result: Result) -> None:
        """A result that no call waits for becomes text; one that says the same again is left out."""
        self._notes.repair("tool_results_mended")
        if any(call.result and call.result.content == result.content for call in candidates):
            return
        what = "Another result of the call" if candidates else "A result without its call:"
        blocks = [TextBlockParam(result.content)] if isinstance(result.content, str) and result.content else []
        self._turn("user").blocks += [
            TextBlockParam(f"{what} {asked}:"),
            *(result.content if isinstance(result.content, list) else blocks),
        ]

    def _settle(self, call: _Call, result: Result) -> None:
        call.result = result
        if self._turns[-1] is call.turn:
            self._turns.append(_Turn("user"))
        elif self._turns[-2] is not call.turn:
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
        blocks: list[ContentBlockParam] = [*map(self._result_block, calls), *turn.blocks] if calls else turn.blocks
        if not blocks:
            out.append(MessageParam("user", [_marked(block) for block in turn.instructions]))
            return
        out.append(MessageParam("user", blocks))
        if turn.instructions:
            out.append(MessageParam("system", list(turn.instructions)))

    def _result_block(self, call: _Call) -> ToolResultBlockParam:
        result = call.result
        if result is None:
            self._notes.repair("tool_results_mended")
            return ToolResultBlockParam(call.id, NO_RESULT, is_error=True)
        return ToolResultBlockParam(
            call.id, result.content or UNSET, True if result.is_error else UNSET, result.mark or UNSET
        )

    def _turn(self, role: Literal["user", "assistant"]) -> _Turn:
        """The last turn where it is this role's, else a new one."""
        turns = self._turns
        if not turns or turns[-1].role != role:
            turns.append(_Turn(role))
        return turns[-1]


def _marked(block: TextBlockParam) -> TextBlockParam:
    return TextBlockParam(f"{DEVELOPER}\n{block.text}", block.cache_control)
