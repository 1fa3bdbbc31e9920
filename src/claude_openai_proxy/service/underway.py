"""A response that is being answered, as it is kept: its row from the first event of its answer to the last."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.protocols.openai_responses import ErrorBody
from claude_openai_proxy.service.stored_items import stored
from claude_openai_proxy.storage.responses import UNFINISHED, Item, StoredObject

if TYPE_CHECKING:
    from claude_openai_proxy.service.response_state import ResponseState

NOT_APPENDED: Final = ErrorBody(
    "server_error",
    "server_error",
    "The conversation could not be kept with this response. Send the request again in a moment.",
)

_encode: Final = msgspec.json.Encoder().encode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class _Named(Struct):
    """A conversation as a response names it."""

    id: str


class Known(Struct):
    """What must be known of a response's JSON."""

    id: str
    created_at: float
    status: str
    model: str = ""
    store: bool = True
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: _Named | None = None
    output: list[Raw] = msgspec.field(default_factory=list)


class Envelope(Struct):
    """A response's JSON without its output, which is kept item by item; `include` as its request asked.

    `streamed`: its events are kept, too.
    """

    response: Raw
    include: list[str]
    streamed: bool = False


def failed(response: bytes | Raw, message: str) -> Raw:
    """A response's JSON as one that has failed without an answer."""
    error = Raw(_encode({"code": "server_error", "message": message}))
    return Raw(_encode(_members(response) | {"status": Raw(b'"failed"'), "error": error, "output": Raw(b"[]")}))


known: Final = msgspec.json.Decoder(Known).decode
open_envelope: Final = msgspec.json.Decoder(Envelope).decode


class Underway:
    """A response that is being answered. `kept`: its row is there."""

    def __init__(self, state: "ResponseState", draft: bytes | Raw, row: StoredObject, *, manner: Envelope) -> None:
        self._state = state
        self._manner = manner
        self.ended = False
        """Nothing more comes."""
        self.row = self._with(row, draft)
        self.asked: Sequence[Item] = ()
        """Its own input, where a conversation gets it at the end."""
        self.kept = False
        self.stays = bool(known(draft).background)
        """Its row is never taken back: its client has left with nothing but its id."""
        self.final = False
        """Its end is kept, as `finish` was told it."""
        self.so_far: Callable[[], bytes | Raw] = lambda: draft
        """The response's JSON as far as it was produced, asked for where its client leaves."""

    async def finish(self, final: bytes | Raw, output: Sequence[bytes | Raw] | None = None) -> bool:
        """Keep the final JSON and what it says before its end goes out; whether all that it promises is kept.

        `output`: its items with what clients see only if they ask for it (`encrypted_content`); None: as in `final`.
        With a conversation the turn is appended, whether the response itself is to be kept or not.
        """
        told = known(final)
        said = stored(told.output if output is None else output, "output", self._state.new_id)
        self.final = await self._end(self._with(self.row, final), said, asked=told.store)
        return self.final

    async def fail(self, final: bytes | Raw) -> bool:
        """As `finish`, of one that nothing was said for, if it was not told its end; without its conversation."""
        if not self.ended:
            self.final = await self._end(replace(self._with(self.row, final), conversation=""), ())
        return self.final

    def _end(self, final: StoredObject, said: Sequence[Item], *, asked: bool = False) -> Coroutine[None, None, bool]:
        self.ended = True
        self.so_far = bytes  # Nobody asks any more, and the answer and this would hold each other.
        otherwise = self._with(final, failed(open_envelope(final.body).response, NOT_APPENDED.message))
        return self._state.end(
            final, self.asked, said, kept=self.kept, asked=asked, otherwise=otherwise if self.stays else None
        )

    async def go_on(self, response: bytes | Raw) -> bool:
        """A queued one is in progress now; false where it is final already, or gone."""
        return await self._state.kept().change(self._with(self.row, response))

    def leave(self) -> None:
        """Nobody waits for it any more: what was produced is kept as cancelled, soon. Nothing, once it has finished."""
        if self.ended:
            return
        cut = self.so_far()
        if known(cut).status in UNFINISHED:
            cut = _encode(_members(cut) | {"status": Raw(b'"cancelled"')})
        said = stored(known(cut).output, "output", self._state.new_id)
        self._state.soon(self._end(replace(self._with(self.row, cut), conversation=""), said))

    def _with(self, row: StoredObject, response: bytes | Raw) -> StoredObject:
        """The row with another JSON, and its status."""
        without_output = Raw(_encode(_members(response) | {"output": Raw(b"[]")}))
        envelope = msgspec.structs.replace(self._manner, response=without_output)
        return replace(row, body=_encode(envelope), status=known(response).status)
