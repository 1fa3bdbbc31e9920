"""Message Batches of the API: made once, looked at, and their results read line by line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from claude_openai_proxy.errors import UpstreamProtocolError
from claude_openai_proxy.protocols.anthropic_batches import (
    MessageBatch,
    MessageBatchIndividualResponse,
    MessageBatchList,
)
from claude_openai_proxy.upstreams.api.access import WHOLE_ANSWER_SECONDS, APIAccess
from claude_openai_proxy.upstreams.http import Response
from claude_openai_proxy.upstreams.interface import AnswerFacts

PATH: Final = "v1/messages/batches"
LONGEST_LINE: Final = 64 * 1024 * 1024
"""Bytes of one result: a message is far smaller, a line without an end is not read for ever."""

_Document = TypeVar("_Document", bound=Struct)
_decode_line: Final = msgspec.json.Decoder(MessageBatchIndividualResponse).decode


class MessageBatches:
    """Those of the workspace of the login in use. Every call raises `NoLoginError`, `UpstreamError` and its kinds."""

    def __init__(self, access: APIAccess) -> None:
        self._access = access

    async def create(self, requests: bytes) -> MessageBatch:
        """Make one of `requests`, the JSON of a request's body.

        It is sent once: after a failure nobody knows whether there is a batch now, and another one would be paid for.
        """
        response = await self._access.open(
            "POST", PATH, requests, AnswerFacts(), silence=WHOLE_ANSWER_SECONDS, once=True
        )
        return await _document(response, MessageBatch)

    async def retrieve(self, batch_id: str) -> MessageBatch:
        """As it is now."""
        return await self._fetch("GET", f"{PATH}/{quote(batch_id, safe='')}", MessageBatch)

    async def list(self, *, limit: int = 20, after_id: str = "") -> MessageBatchList:
        """A page, behind the batch `after_id`."""
        after = f"&after_id={quote(after_id, safe='')}" if after_id else ""
        return await self._fetch("GET", f"{PATH}?limit={limit}{after}", MessageBatchList)

    async def cancel(self, batch_id: str) -> MessageBatch:
        """Ask for its end; requests that run may still finish, and are billed then."""
        return await self._fetch("POST", f"{PATH}/{quote(batch_id, safe='')}/cancel", MessageBatch)

    async def delete(self, batch_id: str) -> None:
        """Erase one that has ended, with its results."""
        response = await self._access.open("DELETE", f"{PATH}/{quote(batch_id, safe='')}", b"", AnswerFacts())
        response.close(whole=True)

    @asynccontextmanager
    async def results(self, batch_id: str) -> AsyncIterator[AsyncIterator[MessageBatchIndividualResponse]]:
        """The results of one that has ended, as they come over the wire: never all of them at once.

        They are asked for at the login's own address, whatever `results_url` says: the key goes nowhere else.
        """
        path = f"{PATH}/{quote(batch_id, safe='')}/results"
        with await self._access.open("GET", path, b"", AnswerFacts()) as response:
            yield _lines(response)

    async def _fetch(self, method: str, path: str, document: type[_Document]) -> _Document:
        return await _document(await self._access.open(method, path, b"", AnswerFacts()), document)


async def _document(response: Response, document: type[_Document]) -> _Document:
    with response:
        data = await response.read_all()
    try:
        return msgspec.json.decode(data, type=document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamProtocolError(f"Claude's side answered with something else than a batch: {error}") from error


async def _lines(response: Response) -> AsyncIterator[MessageBatchIndividualResponse]:
    """Raises `UpstreamProtocolError` for a line that is none, the unfinished last one of a cut answer too."""
    rest = bytearray()
    while data := await response.read():
        rest += data
        if b"\n" in data:
            *lines, rest = rest.split(b"\n")
            for line in filter(bytes.strip, map(bytes, lines)):
                yield _decoded(line)
        if len(rest) > LONGEST_LINE:
            raise UpstreamProtocolError(f"Claude's side sent a result of more than {LONGEST_LINE} bytes")
    if rest.strip():
        yield _decoded(bytes(rest))


def _decoded(line: bytes) -> MessageBatchIndividualResponse:
    try:
        return _decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamProtocolError(f"Claude's side sent a result that cannot be read: {error}") from error
