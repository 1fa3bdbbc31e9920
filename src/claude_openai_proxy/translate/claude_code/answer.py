"""From the frames of one turn to the events of one message (sans-IO).

An answer is whole when `message_stop` follows a stop reason. The CLI closes a broken stream politely, with a
`message_delta` that has none; such an end is never taken for a success.
"""

import msgspec

from claude_openai_proxy.errors import ProxyError, UpstreamConnectionError, UpstreamProtocolError
from claude_openai_proxy.protocols import anthropic, claude_code
from claude_openai_proxy.protocols.anthropic import StreamEvent
from claude_openai_proxy.translate.claude_code.errors import error_of, failure_of, rate_limit_headers
from claude_openai_proxy.translate.messages_api.events import decode_event


class AnswerReader:
    """Reads one turn. `now` is the time in seconds since 1970, for the time of a limit's reset."""

    def __init__(self, *, model: str, now: float) -> None:
        self._model = model
        self._now = now
        self._limits: claude_code.RateLimitInfo | None = None
        self._refusal: claude_code.SystemFrame | None = None
        self._broken = False
        self._message_id = ""
        self.done = False
        """`message_stop` has come: nothing more is to be read, and nothing more may be sent."""
        self.started = False
        """`message_start` has come."""
        self.request_id = ""
        self.stop_reason: str | None = None
        self.settled = False
        """The CLI's own end of the turn has come, after the answer's."""

    @property
    def rate_limits(self) -> tuple[tuple[str, str], ...]:
        """The plan's limits as headers; () until they are told."""
        return rate_limit_headers(self._limits) if self._limits is not None else ()

    def feed(self, frame: claude_code.Frame) -> list[StreamEvent]:
        """Take a frame; return the events that it completes. Raises the error that it reports."""
        if isinstance(frame, claude_code.StreamEventFrame):
            return self._event(frame)
        if isinstance(frame, claude_code.AssistantFrame):
            self._assistant(frame)
        elif isinstance(frame, claude_code.RateLimitFrame):
            self._limits = frame.rate_limit_info
        elif isinstance(frame, claude_code.ResultFrame):
            return self._result(frame)
        elif isinstance(frame, claude_code.SystemFrame) and frame.subtype == "model_refusal_no_fallback":
            self._refusal = frame
            self.request_id = frame.request_id or self.request_id
        elif isinstance(frame, claude_code.ControlResponseFrame) and frame.response.subtype == "error":
            raise UpstreamProtocolError(
                f"The Claude Code CLI refused to be set up for this request: {frame.response.error}"
            )
        return []

    def ended(self, *, heard: bool) -> ProxyError:
        """The error to raise when stdout ended before the answer did; `heard`: not before the request was taken."""
        message = "The Claude Code process ended before its answer was complete."
        return UpstreamConnectionError(message, reached=heard)

    def _event(self, frame: claude_code.StreamEventFrame) -> list[StreamEvent]:
        if frame.parent_tool_use_id is not None or self.done:
            return []
        event = decode_event(bytes(frame.event))
        if isinstance(event, anthropic.ContentBlockDelta):
            return [] if self._broken else [event]
        if isinstance(event, anthropic.MessageStart):
            return self._start(event)
        if isinstance(event, anthropic.MessageDelta):
            self.stop_reason = event.delta.stop_reason
            self._broken |= self.stop_reason is None
        if self._broken:
            return []
        self.done = isinstance(event, anthropic.MessageStop)
        return [event]

    def _start(self, event: anthropic.MessageStart) -> list[StreamEvent]:
        if self._message_id == event.message.id and self.started:
            return []
        if self.started:
            raise UpstreamProtocolError("The Claude Code CLI started a second answer to one request.")
        self.started, self._message_id = True, event.message.id
        return [event]

    def _assistant(self, frame: claude_code.AssistantFrame) -> None:
        self.request_id = frame.request_id or self.request_id
        if frame.is_api_error_message is True:
            raise error_of(failure_of(frame), model=self._model, now=self._now, limits=self._limits)

    def _result(self, frame: claude_code.ResultFrame) -> list[StreamEvent]:
        if self.done:
            self.settled = True
            return []
        if self._refusal is not None and self._broken:
            self.done = True
            return [_refusal_delta(self._refusal, frame), anthropic.MessageStop()]
        if self.started:
            raise UpstreamProtocolError("Claude's stream broke off before its end.", request_id=self.request_id or None)
        raise error_of(failure_of(frame), model=self._model, now=self._now, limits=self._limits)


def _refusal_delta(refusal: claude_code.SystemFrame, result: claude_code.ResultFrame) -> anthropic.MessageDelta:
    """The end that the CLI swallows when Claude refuses without a word; it keeps the reason and the token counts."""
    details = anthropic.RefusalStopDetails(refusal.api_refusal_category, refusal.api_refusal_explanation)
    counts = list(result.model_usage_since_last_result.values())
    usage = anthropic.Usage(output_tokens=counts[0].output_tokens) if len(counts) == 1 else anthropic.Usage()
    return anthropic.MessageDelta(anthropic.MessageDeltaBody("refusal", stop_details=details), usage)


def decode_initialized(response: msgspec.Raw) -> claude_code.Initialized:
    """The answer to `initialize`. Raises `UpstreamProtocolError` where it has another shape."""
    try:
        return msgspec.json.decode(response, type=claude_code.Initialized)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamProtocolError(f"The Claude Code CLI answered initialize in an unknown way: {error}") from error
