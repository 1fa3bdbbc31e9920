"""What any dialect's request becomes: handed to an upstream, and told about."""

from collections.abc import Mapping

from msgspec import Struct

from claude_openai_proxy.protocols.anthropic import MessagesRequest
from claude_openai_proxy.translate.messages_api.answer_plan import AnswerPlan
from claude_openai_proxy.translate.messages_api.kept_turns import NO_BLOCKS, Bound


class Translation(Struct, frozen=True, kw_only=True):
    """What goes upstream, and what is told about it."""

    request: MessagesRequest
    plan: AnswerPlan
    ignored: tuple[str, ...]
    """Fields without effect, as the client named them."""
    repairs: tuple[str, ...]
    """Words for the record: what was changed so that Claude takes the request."""
    as_asked: bool = False
    """Whoever asked speaks the Messages API: nothing is mended or continued for it, and nothing asked again."""
    without_thinking: MessagesRequest | None = None
    """What goes out instead where the thinking of the running tool loop cannot be put back, and a budget demands it."""
    retry: MessagesRequest | None = None
    """The one second request of an emulated tool choice, for when the first answer made no call."""
    bound: Mapping[bytes, Bound] = NO_BLOCKS
    """Thinking that the client carried itself, as it stands in the request: it goes out where it is proved to fit."""
    truncates: bool = False
    """Where all of it is too long, the oldest turns may go."""
