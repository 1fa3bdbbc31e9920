"""`/v1/files`, `/v1/files/{id}` and `/v1/files/{id}/content` (https://platform.openai.com/docs/api-reference/files)."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final
from urllib.parse import parse_qs, quote

import msgspec
from msgspec import UNSET

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.protocols.openai_files import FileDeleted, FileList, FileObject
from claude_openai_proxy.service.files import LARGEST_BATCH, Files
from claude_openai_proxy.storage.files import StoredFile
from claude_openai_proxy.web.body import Bodies, decode_body
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.files.form import boundary_of, read_upload
from claude_openai_proxy.web.files.streamed_form import read_streamed
from claude_openai_proxy.web.messages.dialect import speaks_messages
from claude_openai_proxy.web.response_headers import NO_STORE

MOST_FILES: Final = 10_000
LARGE_UPLOAD: Final = 4 * 1_048_576
"""Bytes of a form from which on it is not held."""
MOST_BYTES: Final = LARGEST_BATCH + 65_536
"""Of a form: the largest file and what stands around it."""

_encode: Final = msgspec.json.Encoder().encode


class FilePages:
    """The only route that takes a form: pages of other origins can send one without asking, and no door lets them."""

    def __init__(self, files: Files, *, bodies: Bodies) -> None:
        self._files = files
        self._bodies = bodies

    async def upload(self, exchange: Exchange) -> None:
        """`POST`: keep a file."""
        _check_whose(exchange)
        boundary = boundary_of(exchange.header(b"content-type"))
        if _is_large(exchange):
            await self._stream(exchange, boundary)
            return
        async with self._bodies.read(exchange) as body:
            upload = await decode_body(partial(read_upload, boundary=boundary), body.take())
            async with ClientWatch(exchange):
                file = await self._files.upload(upload, exchange.record.principal)
                await exchange.answer(200, _encode(_shown(file)))

    async def _stream(self, exchange: Exchange, boundary: bytes) -> None:
        """A large one: never as a whole in memory."""
        incoming, file = await self._files.begin(exchange.record.principal), None
        try:
            async with aclosing(self._bodies.pieces(exchange, MOST_BYTES)) as body:
                file = await incoming.finish(await read_streamed(body, boundary, incoming))
        finally:
            if file is None:
                await incoming.give_up()
        async with ClientWatch(exchange):
            await exchange.answer(200, _encode(_shown(file)))

    async def all(self, exchange: Exchange) -> None:
        """`GET`: a page of the principal's files."""
        _check_whose(exchange)
        async with ClientWatch(exchange):
            asked = {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}
            page = _page(await self._files.all(exchange.record.principal), asked)
            await exchange.answer(200, _encode(page), headers=(NO_STORE,))

    async def one(self, exchange: Exchange) -> None:
        """`GET`: one file, without its content."""
        _check_whose(exchange)
        async with ClientWatch(exchange):
            file = await self._files.one(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(_shown(file)), headers=(NO_STORE,))

    async def content(self, exchange: Exchange) -> None:
        """`GET`: its bytes, for saving; no browser shows or runs them."""
        _check_whose(exchange)
        async with ClientWatch(exchange):
            file, pieces = await self._files.pieces(exchange.rest, exchange.record.principal)
            saved = b"attachment; filename*=UTF-8''" + quote(file.name, safe="").encode()
            length = (b"content-length", b"%d" % file.size)
            headers = (length, (b"content-disposition", saved), NO_STORE)
            await exchange.start(200, b"application/octet-stream", headers)
            if exchange.method != "HEAD":
                async with aclosing(pieces):
                    async for piece in pieces:
                        await exchange.write(piece)
            await exchange.write(b"", more=False)

    async def delete(self, exchange: Exchange) -> None:
        """`DELETE`: it is gone."""
        _check_whose(exchange)
        async with ClientWatch(exchange):
            await self._files.delete(exchange.rest, exchange.record.principal)
            await exchange.answer(200, _encode(FileDeleted(id=exchange.rest)))


def _is_large(exchange: Exchange) -> bool:
    """Told by its length; one that is compressed or does not tell it is read as any other body."""
    length = exchange.header(b"content-length")
    return (
        length.isdigit()
        and len(length) < 16
        and int(length) > LARGE_UPLOAD
        and not exchange.header(b"content-encoding")
    )


def _check_whose(exchange: Exchange) -> None:
    """Anthropic's files have the same paths and are others. Raises `ClientRefusedError` (404)."""
    if speaks_messages(exchange):
        raise ClientRefusedError(
            "The Files API of Anthropic is not served: send the file itself in the message.",
            status=404,
            code="unknown_url",
        )


def _shown(file: StoredFile) -> FileObject:
    return FileObject(
        id=file.id,
        bytes=file.size,
        created_at=int(file.created),
        filename=file.name,
        purpose=file.purpose,
        expires_at=UNSET if file.expires is None else int(file.expires),
    )


def _page(files: Sequence[StoredFile], asked: Mapping[str, str]) -> FileList:
    """The part of `files`, oldest first, that the query asks for. Raises `InvalidRequestError` naming its member."""
    limit, order = asked.get("limit", str(MOST_FILES)), asked.get("order", "desc")
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 5 and 1 <= int(limit) <= MOST_FILES):
        raise InvalidRequestError(f"limit must be a number from 1 to {MOST_FILES}.", param="limit")
    if order not in ("asc", "desc"):
        raise InvalidRequestError("order must be asc or desc.", param="order")
    rows = [file for file in files if file.purpose == asked.get("purpose", file.purpose)]
    if order == "desc":
        rows.reverse()
    if (after := asked.get("after")) is not None:
        ids = [file.id for file in rows]
        if after not in ids:
            raise InvalidRequestError("after must be the id of a file in this list.", param="after")
        rows = rows[ids.index(after) + 1 :]
    page = [_shown(file) for file in rows[: int(limit)]]
    return FileList(
        data=page,
        first_id=page[0].id if page else None,
        last_id=page[-1].id if page else None,
        has_more=len(rows) > len(page),
    )
