"""A conversation as Claude takes it: turns of one role merged, each call answered first thing in the very next turn."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from claude_openai_proxy.protocols.anthropic import (
    CacheControlEphemeral,
    ContentBlockParam,
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
from claude_openai_proxy.translate.messages_api.open_calls import Call, Candidates, OpenCalls, ResultContent
from claude_openai_proxy.translate.messages_api.tool_names import Taken, ToolNames, call_id
from claude_openai_proxy.translate.notes import Notes

Mark = CacheControlEphemeral | UnsetType
"""A cache mark on a block, or none."""

MOST_MARKS: Final = 4
"""The API takes no more cache marks in one request."""


class _Turn(Struct, eq=False):
    """`instructions` follow a user turn as a system message."""

    role: Literal["user", "assistant"]
    blocks: list[ContentBlockParam] = []
    calls: list[Call] = []
    instructions: list[TextBlockParam] = []


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
        self._open = OpenCalls()
        self._ids = Taken()
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
        call = Call(id_, name, len(self._turns) - 1)
        turn.calls.append(call)
        self._open.add(asked_id or "", call)
        self._empty_end = False

    # ---- what tools returned ------------------------------------------------------------------------------------

    def answer(
        self,
        asked_id: str,
        content: ResultContent,
        mark: Mark = UNSET,
        *,
        name: str = "",
        is_error: bool | UnsetType = UNSET,
    ) -> None:
        """The result of the call with this id; without an id, of the next open one, of that name if it is a call's."""
        if type(content) is str and (not content or content.isspace()):
            content = UNSET
        call = self._open.only(asked_id)
        if call is None:
            candidates = self._open.candidates(asked_id, name)
            call = candidates.first_waiting()
            if call is None:
                self._tell(candidates, asked_id or name, content)
        if call is not None:
            self._settle(call, ToolResultBlockParam(call.id, content, is_error, mark))
        self._empty_end = False

    def _tell(self, candidates: Candidates, asked: str, content: ResultContent) -> None:
        """A result that no call waits for becomes text; one that says the same again is left out."""
        self._notes.repair("tool_results_mended")
        if candidates.calls and not candidates.is_news(content):
            return
        what = "Another result of the call" if candidates.calls else "A result without its call"
        told = self._turn("user").blocks
        told.append(TextBlockParam(f"{what} {asked}:" if asked else f"{what}:"))
        if isinstance(content, str):
            told.append(TextBlockParam(content))
        elif content is not UNSET:
            told.extend(content)

    def _settle(self, call: Call, result: ToolResultBlockParam) -> None:
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
        return self._open.names

    def messages(self) -> list[MessageParam]:
        """The turns, never none; the last may be the assistant's."""
        if self._empty_end or not self._turns:
            self._turn("user").blocks.append(TextBlockParam(EMPTY_USER_MESSAGE if self._empty_end else NO_USER_MESSAGE))
        out: list[MessageParam] = []
        calls: list[Call] = []
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

    def _close_user_turn(self, turn: _Turn, calls: list[Call], out: list[MessageParam]) -> None:
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

    def _missing_result(self, call: Call) -> ToolResultBlockParam:
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


def _marked(block: TextBlockParam) -> TextBlockParam:
    return TextBlockParam(f"{DEVELOPER}\n{block.text}", block.cache_control)
