"""What one answer takes of its key's limits, while Claude's side has not told it yet.

| moment | what is not told |
|---|---|
| a request goes out | its input, as estimated |
| it is refused, or never arrives | nothing: it costs nothing |
| `message_start` | what is said from here on, by its length |
| `message_delta` with its usage, or an answer in one piece | nothing |

A client that leaves just before the end has had the answer all the same.
"""

from collections.abc import Sequence

from claude_openai_proxy.errors import NoLoginError, ProxyError, UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    Delta,
    InputJSONDelta,
    MessageDelta,
    MessagesRequest,
    MessageStart,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    Usage,
    WholeAnswer,
)
from claude_openai_proxy.service.allowances import Amount, Reservation
from claude_openai_proxy.service.estimates import BYTES_PER_TOKEN, input_tokens, output_tokens
from claude_openai_proxy.translate.models.prices import cost


def estimated(request: MessagesRequest) -> Usage:
    """What one answer is reserved for with."""
    return Usage(input_tokens=input_tokens(request), output_tokens=output_tokens(request))


def amount(model_id: str, usage: Usage, *, requests: int = 0) -> Amount:
    """The same as it counts; of what is cheaper or dearer than plain tokens, Claude's side tells in the end."""
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return Amount(requests, tokens, cost(model_id, usage))


class AnswerMeter:
    """Of one answer, whose first request has been reserved for by `estimate`."""

    __slots__ = ("_first", "_model_id", "_reservation", "_said", "_sent")

    def __init__(self, reservation: Reservation, model_id: str, estimate: Usage) -> None:
        self._reservation = reservation
        self._model_id = model_id
        self._first: Usage | None = estimate
        self._sent = 0
        """Tokens of input that nobody has counted."""
        self._said = 0
        """Characters of output, likewise."""

    @property
    def has_untold(self) -> bool:
        """Whether there is any."""
        return bool(self._sent or self._said)

    @property
    def untold(self) -> Usage:
        """What it has taken beyond what Claude's side has told."""
        return Usage(input_tokens=self._sent, output_tokens=self._said // BYTES_PER_TOKEN)

    async def ask(self, request: MessagesRequest) -> None:
        """It goes out. Raises as `Reservation.add`: a second one is reserved for, too."""
        estimate, self._first = self._first, None
        if estimate is None:
            estimate = estimated(request)
            await self._reservation.add(amount(self._model_id, estimate))
        self._sent += estimate.input_tokens or 0

    def failed(self, error: ProxyError) -> None:
        """It was not answered."""
        free = isinstance(error, UpstreamStatusError | NoLoginError)
        if free or (isinstance(error, UpstreamConnectionError) and not error.reached):
            self._sent = 0

    def feed(self, events: Sequence[StreamEvent]) -> None:
        """What came. Asked for each token of a stream: the usual kind comes first, and costs no call."""
        said = self._said
        for event in events:
            if type(event) is ContentBlockDelta:
                delta = event.delta
                said += len(delta.text) if type(delta) is TextDelta else _length(delta)
            elif isinstance(event, MessageStart):
                self._sent = 0
            elif isinstance(event, MessageDelta | WholeAnswer):
                self._sent = said = 0
        self._said = said


def _length(delta: Delta) -> int:
    if isinstance(delta, InputJSONDelta):
        return len(delta.partial_json)
    return len(delta.thinking) if isinstance(delta, ThinkingDelta) else 0
