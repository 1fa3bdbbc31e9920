"""Bodies that were compressed on their way (RFC 9110 8.4), decoded as they come, though none was asked to be.

gzip and deflate are always read; br and zstd where Python or an installed package (`brotli`, `backports.zstd`) can.
What comes out is taken in pieces of bounded size, so that a small body cannot fill the memory at once.
"""

import importlib
import zlib
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Final, Protocol

PIECE_BYTES: Final = 256 * 1024
"""Decoded at a time, about."""
MOST_CODINGS: Final = 3
"""One upon the other."""
_SLICE_BYTES: Final = 16 * 1024
"""Compressed bytes are looked at in slices: what follows a member's end is copied, and there may be many members."""
_GZIP, _ZLIB, _RAW = 31, 15, -15
_GZIP_MAGIC: Final = 0x1F
_ZLIB_METHOD: Final = 8


class _Coding(Protocol):
    """One coding: fed again only after `take` had nothing more. What it cannot read raises an error of its own kind."""

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where a body may end."""
        ...

    def feed(self, data: bytes) -> None: ...

    def take(self) -> bytes: ...


class _Deflated:
    """gzip, member after member, and deflate, which some wrap (zlib) and some do not."""

    def __init__(self, *, gzip: bool) -> None:
        self.whole = True
        self._gzip = gzip
        self._data = memoryview(b"")
        self._inflate: Any = None
        self._pending = False
        """Whether more may come out without more going in."""
        self._members = 0

    def feed(self, data: bytes) -> None:
        self._data = memoryview(data)

    def take(self) -> bytes:
        piece = b""
        while not piece and (self._data or self._pending):
            if self._inflate is None and not self._begin(self._data[0]):
                self._data = memoryview(b"")
                break
            piece = self._step()
        return piece

    def _begin(self, first: int) -> bool:
        """Whether a member begins with that byte; padding behind the last one is nothing."""
        if self._members and not (self._gzip and first == _GZIP_MAGIC):
            return False
        unwrapped = _ZLIB if first & 0x0F == _ZLIB_METHOD else _RAW
        self._inflate = zlib.decompressobj(_GZIP if self._gzip else unwrapped)
        self._members += 1
        self.whole = False
        return True

    def _step(self) -> bytes:
        part = self._data[:_SLICE_BYTES]
        piece: bytes = self._inflate.decompress(part, PIECE_BYTES)
        left = len(self._inflate.unconsumed_tail) + len(self._inflate.unused_data)
        self._data = self._data[len(part) - left :]
        self.whole = self._inflate.eof
        self._pending = len(piece) >= PIECE_BYTES and not self.whole
        if self.whole:
            self._inflate = None
        return piece


class _Zstandard:
    """zstd, frame after frame."""

    def __init__(self, library: ModuleType) -> None:
        self.whole = True
        self._new: Callable[[], Any] = library.ZstdDecompressor
        self._frame: Any = None
        self._data = b""

    def feed(self, data: bytes) -> None:
        self._data = data

    def take(self) -> bytes:
        piece = b""
        while not piece and (self._data or (self._frame and not self._frame.needs_input)):
            if self._frame is None:
                self._frame = self._new()
            data, self._data = self._data, b""
            piece = self._frame.decompress(data, PIECE_BYTES)
            self.whole = self._frame.eof
            if self.whole:
                self._data, self._frame = self._frame.unused_data, None
        return piece


class _Brotli:
    """br."""

    def __init__(self, library: ModuleType) -> None:
        self._stream: Any = library.Decompressor()
        self._data = b""
        self._begun = False

    @property
    def whole(self) -> bool:
        return not self._begun or bool(self._stream.is_finished())

    def feed(self, data: bytes) -> None:
        self._begun = True
        self._data = data

    def take(self) -> bytes:
        if self._stream.is_finished():
            return b""
        data, self._data = self._data, b""
        piece: bytes = self._stream.process(data, output_buffer_limit=PIECE_BYTES)
        return piece


class BodyDecoder:
    """Undoes all codings of a body. Raises `ValueError` with half a sentence for one that cannot be read."""

    def __init__(self, codings: str) -> None:
        """`codings`: the header's value, in the order in which they were applied."""
        names = [name for part in codings.lower().split(",") if (name := part.strip()) not in ("", "identity")]
        if len(names) > MOST_CODINGS:
            raise ValueError(f"compressed {len(names)} times over")
        self._names = ", ".join(names)
        self._codings = [_coding(name) for name in reversed(names)]

    @property
    def whole(self) -> bool:
        """Whether the body may end here."""
        return all(coding.whole for coding in self._codings)

    def feed(self, data: bytes) -> None:
        """Take bytes of the body; only after `take` had nothing more."""
        self._codings[0].feed(data)

    def take(self) -> bytes:
        """A piece of the decoded body; b"" when more bytes are needed."""
        try:
            return self._take(len(self._codings) - 1)
        except _errors() as error:
            raise ValueError(f"that says it is {self._names} and is not ({error})") from error

    def _take(self, stage: int) -> bytes:
        while not (piece := self._codings[stage].take()):
            if stage == 0 or not (coded := self._take(stage - 1)):
                return b""
            self._codings[stage].feed(coded)
        return piece


def _coding(name: str) -> _Coding:
    if name in ("gzip", "x-gzip", "deflate"):
        return _Deflated(gzip=name != "deflate")
    if name == "br" and (brotli := _brotli()):
        return _Brotli(brotli)
    if name == "zstd" and (zstandard := _zstandard()):
        return _Zstandard(zstandard)
    raise ValueError(f"compressed as {name!r}, which is not read here{_REMEDIES.get(name, '')}")


_REMEDIES: Final = {
    "br": " (the Python package brotli would read it)",
    "zstd": " (the Python package backports.zstd would read it)",
}


@cache
def _brotli() -> ModuleType | None:
    library = _imported("brotli")
    # Before 1.2 nothing bounded what came out at once.
    return library if library and hasattr(library.Decompressor, "can_accept_more_data") else None


@cache
def _zstandard() -> ModuleType | None:
    return _imported("compression.zstd") or _imported("backports.zstd")


def _imported(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@cache
def _errors() -> tuple[type[Exception], ...]:
    brotli, zstandard = _brotli(), _zstandard()
    return (
        zlib.error,
        *((brotli.error,) if brotli else ()),
        *((zstandard.ZstdError,) if zstandard else ()),
    )
