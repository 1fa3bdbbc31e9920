"""What one request takes of its client key's limits: reserved before Claude is asked, settled when it has ended.

A request of a key without limits takes nothing, and costs no look at what it sends.
"""

from collections.abc import Sequence

from claude_openai_proxy.errors import MinuteLimit
from claude_openai_proxy.protocols.anthropic import MessagesRequest, Usage
from claude_openai_proxy.records import RequestRecord
from claude_openai_proxy.service.allowances import Allowances, Amount, Reservation
from claude_openai_proxy.service.answer_meter import AnswerMeter, amount, estimated


class KeyShare:
    """Of one request to one model; `allowances` None: no key has limits."""

    __slots__ = (
        "_allowances", "_estimates", "_meters", "_model_id", "_record", "_reservation", "counts_elsewhere",
    )  # fmt: skip

    def __init__(self, record: RequestRecord, allowances: Allowances | None, model_id: str) -> None:
        self._record = record
        self._allowances = allowances if record.principal.limits is not None else None
        self._model_id = model_id
        self._reservation: Reservation | None = None
        self._estimates: list[Usage] = []
        self._meters: list[AnswerMeter] = []
        self.counts_elsewhere = False
        """Another way is asked in place of this one: the request counts there."""

    @property
    def minutes(self) -> tuple[MinuteLimit, ...]:
        """How the key stands, to be told with the answer."""
        return self._allowances.minutes(self._record.principal) if self._allowances else ()

    async def reserve(self, requests: Sequence[MessagesRequest]) -> None:
        """For an answer to each. Raises as `Allowances.reserve`."""
        if self._allowances is None:
            return
        self._estimates = [estimated(request) for request in requests]
        wanted = Amount()
        for estimate in self._estimates:
            wanted += amount(self._model_id, estimate, requests=1)
        self._reservation = await self._allowances.reserve(self._record.principal, wanted)

    def meters(self, count: int) -> Sequence[AnswerMeter | None]:
        """For each of so many answers."""
        if self._reservation is None:
            return [None] * count
        self._meters = [AnswerMeter(self._reservation, self._model_id, estimate) for estimate in self._estimates]
        return self._meters

    def settle(self) -> None:
        """What the record knows, and an estimate of what Claude's side has not told."""
        reservation, self._reservation, record = self._reservation, None, self._record
        if reservation is None:
            return
        asked = self._meters and not self.counts_elsewhere
        told = Amount(record.choices if asked else 0, record.input_tokens + record.output_tokens, record.list_price)
        for meter in self._meters:
            if meter.has_untold:
                told += amount(self._model_id, meter.untold)
        reservation.settle(told)
