"""Whether a process that was told to forget its conversation has done so (sans-IO)."""

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols import claude_code


class ClearReader:
    """Reads the frames after a complete answer. `settled`: the turn's own result has been read already."""

    def __init__(self, *, settled: bool) -> None:
        self.settled = settled
        """The turn is over for the CLI, too: only now may it be told to forget it."""
        self._reset = False
        self.cleared = False
        """The conversation is gone, and the process waits."""

    def feed(self, frame: claude_code.Frame) -> None:
        """Take a frame. Raises `UpstreamProtocolError` for anything that does not belong here."""
        if isinstance(frame, claude_code.ResultFrame):
            self._result(frame)
        elif isinstance(frame, claude_code.OtherFrame) and frame.type == "conversation_reset":
            if self._reset or not self.settled:
                raise _surprise("a reset")
            self._reset = True
        elif isinstance(frame, claude_code.StreamEventFrame | claude_code.AssistantFrame):
            raise _surprise("another answer")
        elif isinstance(frame, claude_code.ControlResponseFrame) and frame.response.subtype != "success":
            raise _surprise("a refusal")

    def _result(self, frame: claude_code.ResultFrame) -> None:
        if not self.settled:
            self.settled = True
            return
        empty = frame.subtype == "success" and not frame.is_error and frame.num_turns == 0
        if not (self._reset and empty) or self.cleared:
            raise _surprise("another result")
        self.cleared = True


def _surprise(what: str) -> UpstreamProtocolError:
    return UpstreamProtocolError(f"The Claude Code CLI printed {what} where it should forget its conversation.")
