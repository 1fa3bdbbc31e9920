"""Cache marks in either API's form. OpenAI's lives are 30 minutes at least, and Claude's next longer one is an hour."""

from msgspec import UNSET

from claude_openai_proxy.protocols.openai_chat_request import CacheControl, ChatCompletionRequest, Part
from claude_openai_proxy.translate.messages_api.conversation import Mark
from claude_openai_proxy.translate.wishes.cache_marks import CacheMarks


def cache_marks(request: ChatCompletionRequest) -> CacheMarks:
    """What the request says of caching as a whole; its marks are counted while they are read."""
    options = request.prompt_cache_options
    if options is None:
        return CacheMarks(long=request.prompt_cache_retention == "24h")
    long = request.prompt_cache_retention == "24h" or options.ttl is not None
    return CacheMarks(long=long, own_only=options.mode == "explicit")


def mark_of(mark: CacheControl | None, marks: CacheMarks) -> Mark:
    """The mark of a message or a tool."""
    return UNSET if mark is None else marks.mark(long=mark.ttl == "1h")


def mark_of_part(part: Part, marks: CacheMarks) -> Mark:
    """The mark of a part: Claude's form before OpenAI's."""
    if part.cache_control is not None:
        return marks.mark(long=part.cache_control.ttl == "1h")
    return UNSET if part.prompt_cache_breakpoint is None else marks.mark(long=True)
