"""Scripts: what the simulated API answers to one request, down to the bytes and the silences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from claude_openai_proxy.simulator.loose_json import JSONObject
from claude_openai_proxy.simulator.message_events import SIGNATURE, block_events, message_end, message_start
from claude_openai_proxy.simulator.steps import Hang, Step

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Delivery(TypedDict, total=False):
    """How an answer goes out: the fields of `Script` that every constructor takes."""

    headers: tuple[tuple[str, str], ...]
    before: tuple[Step, ...]
    split: int | tuple[int, ...] | None
    wire_split: int | None
    together: bool
    padding: int
    pings: bool
    line_end: Literal["\n", "\r\n"]
    chunked: bool
    keep_alive: bool
    skip_rules: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One answer. The same script answers a stream and, put together, a request without one."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    before: tuple[Step, ...] = ()
    """Steps (waits, `Cut`, `Hang`, `Close`) before the status line goes out."""
    body: bytes | None = None
    """These bytes instead of events, streamed or not: an error body, HTML, garbage."""
    content_type: str | None = None
    split: int | tuple[int, ...] | None = None
    """Body cut every n bytes, or at these byte positions: each piece is its own HTTP chunk and its own write."""
    wire_split: int | None = None
    """Every n bytes of the whole answer, head and chunk frames included, are their own write."""
    together: bool = False
    """All that is not parted by a wait goes out in one write; otherwise each event has its own."""
    padding: int = 0
    """Spaces before the last brace of each event."""
    pings: bool = False
    """A ping after each event."""
    line_end: Literal["\n", "\r\n"] = "\n"
    chunked: bool = True
    """False: with content-length, known only after all waits."""
    keep_alive: bool = True
    """False: `connection: close`, and closed."""
    skip_rules: bool = False
    """Played even where the real API would have refused the request."""

    @classmethod
    def events(cls, steps: Iterable[Step], **options: Unpack[Delivery]) -> "Script":
        """Exactly these events, raw bytes and waits."""
        return cls(steps=tuple(steps), **options)

    @classmethod
    def text(
        cls,
        text: str,
        *,
        pieces: int | Sequence[str] = 2,
        stop_reason: str | None = "end_turn",
        stop_sequence: str | None = None,
        usage: JSONObject | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """Text in `pieces` deltas (a number, or the deltas themselves)."""
        block: JSONObject = {"type": "text", "text": text}
        parts = in_pieces(text, pieces) if isinstance(pieces, int) else list(pieces)
        end = message_end(stop_reason, usage=usage, stop_sequence=stop_sequence)
        return cls(steps=(message_start(usage=usage), *block_events(0, block, parts), *end), **options)

    @classmethod
    def blocks(
        cls,
        blocks: Sequence[JSONObject],
        *,
        stop_reason: str | None = "end_turn",
        stop_sequence: str | None = None,
        stop_details: JSONObject | None = None,
        usage: JSONObject | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """Finished content blocks, each streamed in two pieces."""
        steps: list[Step] = [message_start(usage=usage)]
        for index, block in enumerate(blocks):
            steps.extend(block_events(index, block))
        end = message_end(stop_reason, usage=usage, stop_sequence=stop_sequence, stop_details=stop_details)
        return cls(steps=(*steps, *end), **options)

    @classmethod
    def tool_calls(
        cls,
        calls: Sequence[tuple[str, JSONObject]],
        *,
        text: str = "",
        stop_reason: str | None = "tool_use",
        usage: JSONObject | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """Calls by name and input, after `text` where there is one; ids are `toolu_sim_1`, `toolu_sim_2` ..."""
        blocks: list[JSONObject] = [{"type": "text", "text": text}] if text else []
        for number, (name, given) in enumerate(calls, start=1):
            blocks.append({"type": "tool_use", "id": f"toolu_sim_{number}", "name": name, "input": given})
        return cls.blocks(blocks, stop_reason=stop_reason, usage=usage, **options)

    @classmethod
    def thinking(
        cls,
        thinking: str,
        text: str = "",
        *,
        signature: str = SIGNATURE,
        stop_reason: str | None = "end_turn",
        usage: JSONObject | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """A thinking block (its text may be empty), then `text` where there is one."""
        blocks: list[JSONObject] = [{"type": "thinking", "thinking": thinking, "signature": signature}]
        blocks += [{"type": "text", "text": text}] if text else []
        counted = {"output_tokens_details": {"thinking_tokens": max(1, len(thinking) // 4)}, **(usage or {})}
        return cls.blocks(blocks, stop_reason=stop_reason, usage=counted, **options)

    @classmethod
    def refusal(
        cls,
        text: str = "",
        *,
        category: str | None = "cyber",
        explanation: str | None = None,
        usage: JSONObject | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """The model declines, possibly after some text."""
        blocks: list[JSONObject] = [{"type": "text", "text": text}] if text else []
        details: JSONObject = {"type": "refusal", "category": category, "explanation": explanation}
        return cls.blocks(blocks, stop_reason="refusal", stop_details=details, usage=usage, **options)

    @classmethod
    def error(
        cls,
        status: int,
        message: str = "",
        *,
        error_type: str | None = None,
        retry_after: int | str | None = None,
        **options: Unpack[Delivery],
    ) -> "Script":
        """An HTTP error with the API's error body; `error_type` defaults to the one that belongs to `status`."""
        kind = error_type or ERROR_TYPES.get(status, "api_error")
        if retry_after is not None:
            options["headers"] = (*options.get("headers", ()), ("retry-after", str(retry_after)))
        return cls(steps=(error_event(kind, message),), status=status, **options)

    @classmethod
    def html(cls, text: str = "<html><body>Sign in</body></html>", **options: Unpack[Delivery]) -> "Script":
        """A web page where the API should be."""
        return cls(body=text.encode(), content_type="text/html; charset=utf-8", **options)

    @classmethod
    def empty(cls, **options: Unpack[Delivery]) -> "Script":
        """A stream that ends before its first event."""
        return cls(body=b"", content_type="text/event-stream; charset=utf-8", **options)

    @classmethod
    def hang(cls, **options: Unpack[Delivery]) -> "Script":
        """No answer at all until the caller leaves."""
        options["before"] = (*options.get("before", ()), Hang())
        return cls(**options)


def error_event(error_type: str, message: str = "") -> JSONObject:
    """The `error` event of a stream that fails on the way."""
    return {"type": "error", "error": {"type": error_type, "message": message or _spoken(error_type)}}


def in_pieces(text: str, count: int) -> list[str]:
    """`text` in at most `count` pieces of about the same number of characters."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _spoken(error_type: str) -> str:
    return {"overloaded_error": "Overloaded", "api_error": "Internal server error"}.get(error_type, error_type)
