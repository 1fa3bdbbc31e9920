"""What is kept of responses, as the settings ask for it."""

import os
import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.response_state import ResponseState


def response_state(kept: Stores) -> ResponseState:
    """Responses, conversations and chat completions, wherever they are kept."""
    return ResponseState(
        store=kept.responses, new_id=new_object_id, runner=new_object_id("runner"), wall_clock=time.time
    )


def new_object_id(prefix: str) -> str:
    """One that nobody guesses."""
    return f"{prefix}_{os.urandom(24).hex()}"
