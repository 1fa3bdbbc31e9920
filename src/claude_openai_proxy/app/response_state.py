"""What is kept of responses, as the settings ask for it."""

import os
import time

from claude_openai_proxy.app.stores import Stores
from claude_openai_proxy.service.background_responses import BackgroundResponses
from claude_openai_proxy.service.conversations import Conversations
from claude_openai_proxy.service.response_state import ResponseState
from claude_openai_proxy.service.stored_completions import StoredCompletions
from claude_openai_proxy.web.body import Bodies
from claude_openai_proxy.web.chat.stored import StoredCompletionPages
from claude_openai_proxy.web.conversations.conversations import ConversationPages
from claude_openai_proxy.web.responses.stored import StoredResponsePages


def response_state(kept: Stores) -> ResponseState:
    """Responses, conversations and chat completions, wherever they are kept."""
    return ResponseState(
        store=kept.responses, new_id=new_object_id, runner=new_object_id("runner_"), wall_clock=time.time
    )


def background_responses(kept: Stores) -> BackgroundResponses:
    """Responses in the background, and the state of all."""
    return BackgroundResponses(response_state(kept))


def stored_responses(background: BackgroundResponses) -> StoredResponsePages:
    """Responses that are asked for again."""
    return StoredResponsePages(background, clock=time.monotonic)


def stored_completions(state: ResponseState, bodies: Bodies) -> StoredCompletionPages:
    """Chat completions that are asked for again."""
    return StoredCompletionPages(StoredCompletions(state), bodies=bodies)


def conversations(state: ResponseState, bodies: Bodies) -> ConversationPages:
    """Conversations."""
    return ConversationPages(Conversations(state), bodies=bodies)


def new_object_id(prefix: str) -> str:
    """One that nobody guesses; `prefix` with its underscore (`resp_`)."""
    return f"{prefix}{os.urandom(24).hex()}"
