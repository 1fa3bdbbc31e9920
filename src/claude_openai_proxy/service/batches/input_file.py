"""The input file of a batch, read line by line and never as a whole."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from claude_openai_proxy.storage.files import PIECE_BYTES, FileStore, StoredFile
from claude_openai_proxy.storage.interface import StorageUnavailableError

PIECES_KEPT: Final = 8
"""In memory: results come in any order, mostly in one near the file's."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class InputLine:
    """`number` counts from 1; `start` and `length` are the file's bytes, of which a line too long has none here."""

    number: int
    start: int
    length: int
    data: bytes | None = field(repr=False)


class InputFile:
    """Raises `StorageUnavailableError` where a piece is gone."""

    def __init__(self, store: FileStore, file: StoredFile) -> None:
        self._store = store
        self._file = file
        self._pieces: OrderedDict[int, bytes] = OrderedDict()

    async def lines(self, longest: int) -> AsyncIterator[InputLine]:
        """Those that are not blank; a byte order mark and carriage returns belong to none. Only `\\n` ends a line."""
        number, start, length, kept = 1, 0, 0, bytearray()
        for piece_number in range(-(-self._file.size // PIECE_BYTES)):
            *whole, last = (await self._piece(piece_number)).split(b"\n")
            for part in whole:
                kept += part[: longest + 1 - len(kept)]
                length += len(part)
                if line := _line(number, start, length, bytes(kept), longest):
                    yield line
                number, start, length, kept = number + 1, start + length + 1, 0, bytearray()
            kept += last[: longest + 1 - len(kept)]
            length += len(last)
        if line := _line(number, start, length, bytes(kept), longest):
            yield line

    async def read(self, start: int, length: int) -> bytes:
        """These bytes of it."""
        first, last = start // PIECE_BYTES, (start + length - 1) // PIECE_BYTES
        data = b"".join([await self._piece(number) for number in range(first, last + 1)])
        return data[start - first * PIECE_BYTES :][:length]

    async def _piece(self, number: int) -> bytes:
        if (piece := self._pieces.get(number)) is not None:
            self._pieces.move_to_end(number)
            return piece
        piece = await self._store.piece(self._file, number)
        if piece is None:
            raise StorageUnavailableError("A part of the batch's input file is not to be had.")
        self._pieces[number] = piece
        if len(self._pieces) > PIECES_KEPT:
            self._pieces.popitem(last=False)
        return piece


def _line(number: int, start: int, length: int, data: bytes, longest: int) -> InputLine | None:
    """None for a blank one."""
    if length > longest:
        return InputLine(number, start, length, None)
    bare = data.removeprefix(_BYTE_ORDER_MARK) if number == 1 else data
    start += len(data) - len(bare)
    bare = bare.removesuffix(b"\r")
    return InputLine(number, start, len(bare), bare) if bare.strip() else None
