"""What a stop reason (https://docs.anthropic.com/en/api/handling-stop-reasons) says of the answer before it."""

from typing import Final

LENGTH_REASONS: Final = frozenset({"max_tokens", "model_context_window_exceeded"})
"""The answer ran out of room."""

CUT_REASONS: Final = LENGTH_REASONS | {"refusal"}
"""The answer's last call may be cut: nothing is to be made up for it."""
