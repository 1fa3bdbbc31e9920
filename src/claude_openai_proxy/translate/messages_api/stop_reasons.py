"""What a stop reason (https://docs.anthropic.com/en/api/handling-stop-reasons) says of the answer before it.

How a refusal ends. It is a stop reason like others, with an explanation: the answer is complete, what was said before
it stays, and nothing is asked again (`forced_tool.ForcedToolGate.declined`). Its parts:

1. A call that is open may be cut, and is left as it is: `CUT_REASONS`, for `answer.AnswerStream`.
2. Each dialect has its own word. Chat: `chat_answer.finish_reason.to_finish_reason` (`content_filter`, or `stop` where
   JSON was asked for and nothing called), with the explanation in `refusal` (`chat_answer.chunks`). Responses:
   completed, with a `refusal` part (`responses_answer.stream`), and in plain text before that for clients that show no
   such part (`.manner`). Legacy completions: `content_filter` (`completions.answer.to_text_finish`). The Messages API:
   `refusal`, as Claude said it.
3. A conversation that was to be put together is not: a refusal is no summary (`responses_answer.compaction`).
4. Claude Code tells of a refusal as an error; `claude_code.answer` makes this stop reason of it.

(Upstream's refusal of a *request* is an HTTP error: `refusals`.)
"""

from typing import Final

LENGTH_REASONS: Final = frozenset({"max_tokens", "model_context_window_exceeded"})
"""The answer ran out of room."""

CUT_REASONS: Final = LENGTH_REASONS | {"refusal"}
"""The answer's last call may be cut: nothing is to be made up for it."""
