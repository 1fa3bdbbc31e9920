"""Files that clients upload, and requests that name them. Nobody sees another principal's."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, File
from claude_openai_proxy.records import Principal
from claude_openai_proxy.storage.files import PIECE_BYTES, FilesFullError, FileStore, StoredFile
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.translate.chat.files import named_files, with_files
from claude_openai_proxy.translate.responses.files import named_files as named_in_items
from claude_openai_proxy.translate.responses.files import with_files as items_with_files

LARGEST_BATCH: Final = 200 * 1_048_576
"""Bytes of an input file of a batch."""
LARGEST_BYTES: Final = 32 * 1_048_576
"""Of one file, and of all that one request names: Claude takes no request that is larger."""
PURPOSES: Final = ("user_data", "vision", "assistants", "batch")
SHORTEST_LIFE: Final = 3600
LONGEST_LIFE: Final = 30 * 86_400
"""Seconds that `expires_after` may ask for (https://platform.openai.com/docs/api-reference/files/create)."""
LONGEST_NAME: Final = 255
SWEEP_SECONDS: Final = 600.0
"""An expired file is seen by nobody, and gone after so long at the latest."""

Hold = Callable[[int], Awaitable[None]]
"""Waits for room for so many bytes more of a request."""

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in; `seconds` until it expires, None: never."""

    name: str
    content: bytes
    purpose: str
    seconds: int | None = None


class Files:
    """`room`: bytes that all files of the installation together may have. `wall_clock` in seconds since 1970.

    Between `start` and `aclose` expired files are deleted, each time after `pause` has waited so many seconds.
    """

    def __init__(
        self,
        *,
        store: FileStore,
        room: int,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._room = room
        self._new_id = new_id
        self._wall_clock = wall_clock
        self._pause = pause
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Delete what has expired, now and from now on."""
        self._sweeping = asyncio.create_task(self._sweep())

    async def aclose(self) -> None:
        """No more."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])

    async def _sweep(self) -> None:
        while True:
            try:
                await self._store.drop_expired(self._wall_clock())
            except StorageUnavailableError as error:
                log.debug("Expired files stay a while longer: %s", error.message)  # The store's state tells why.
            await self._pause(SWEEP_SECONDS)

    async def upload(self, upload: Upload, principal: Principal) -> StoredFile:
        """Keep it. Raises `InvalidRequestError`, `ClientRefusedError` (413), `StorageUnavailableError`."""
        check(upload, len(upload.content))
        now = self._wall_clock()
        file = StoredFile(
            id=self._new_id(),
            principal=principal.id,
            name=safe_name(upload.name),
            purpose=upload.purpose,
            size=len(upload.content),
            created=now,
            expires=expires(upload, now),
        )
        try:
            await self._store.keep(file, upload.content, room=self._room)
        except FilesFullError as error:
            raise ClientRefusedError(error.message, status=413, code="files_full") from error
        return file

    async def begin(self, principal: Principal) -> "IncomingFile":
        """A large one that comes piece by piece. Raises `StorageUnavailableError`."""
        now = self._wall_clock()
        file = StoredFile(self._new_id(), principal.id, "", "", 0, now, now + SHORTEST_LIFE)
        await self._store.begin(file)
        return IncomingFile(self._store, file, room=self._room)

    async def pieces(self, id_: str, principal: Principal) -> tuple[StoredFile, AsyncGenerator[bytes]]:
        """A file and its bytes, read as they are wanted. Raises `ClientRefusedError` (404)."""
        file = await self.one(id_, principal)
        first = await self._store.piece(file, 0)
        if first is None and file.size:
            raise _no_file(id_)
        return file, self._rest(file, first or b"")

    async def _rest(self, file: StoredFile, first: bytes) -> AsyncGenerator[bytes]:
        yield first
        for number in range(1, -(-file.size // PIECE_BYTES)):
            piece = await self._store.piece(file, number)
            if piece is None:
                raise StorageUnavailableError("A part of the file is gone.")
            yield piece

    async def all(self, principal: Principal) -> Sequence[StoredFile]:
        """The principal's, oldest first."""
        return await self._store.all(principal.id, self._wall_clock())

    async def one(self, id_: str, principal: Principal) -> StoredFile:
        """Raises `ClientRefusedError` (404)."""
        file = await self._store.one(principal.id, id_, self._wall_clock())
        if file is None:
            raise _no_file(id_)
        return file

    async def delete(self, id_: str, principal: Principal) -> None:
        """Raises `ClientRefusedError` (404)."""
        if not await self._store.delete(principal.id, id_, self._wall_clock()):
            raise _no_file(id_)

    async def inlined(self, request: ChatCompletionRequest, principal: Principal, hold: Hold) -> ChatCompletionRequest:
        """The request with the files that it names by id in it.

        Raises `InvalidRequestError` at an id that is none of the principal's, or where they are too much together.
        """
        named = named_files(request)
        if not named:
            return request
        kept = await self._contents([(id_, place, False) for id_, place in named], principal, hold)
        files = {id_: File(file_data=content, filename=name) for id_, (content, name) in kept.items()}
        return with_files(request, files)

    async def inlined_items(self, items: list[Raw], principal: Principal, hold: Hold) -> list[Raw]:
        """Items of a Responses request with the files that they name by id in them; the same list where none is named.

        Raises as `inlined`, but not for what a tool returned: a client sends that again with every turn.
        """
        named = named_in_items(items)
        if not named:
            return items
        return items_with_files(items, await self._contents(named, principal, hold))

    async def _contents(
        self, named: Sequence[tuple[str, str, bool]], principal: Principal, hold: Hold
    ) -> dict[str, tuple[str, str]]:
        """Base64 and name by id, of ids with their places; what is `returned` by a tool may be missing."""
        files: dict[str, StoredFile] = {}
        size = 0
        for id_, place, returned in named:
            if id_ not in files and (file := await self._store.one(principal.id, id_, self._wall_clock())) is not None:
                files[id_] = file
            if id_ in files:
                size += files[id_].size
            elif not returned:
                raise _unknown(id_, place)
            if size > LARGEST_BYTES:
                raise _too_much(place)
        await hold(size * 4 // 3)
        kept: dict[str, tuple[str, str]] = {}
        for id_, place, returned in named:
            if id_ not in files or id_ in kept:
                continue
            content = await self._store.content(files[id_])
            if content is not None:
                kept[id_] = b64encode(content).decode("ascii"), files[id_].name
            elif not returned:
                raise _unknown(id_, place)
        return kept


class IncomingFile:
    """A file on its way in, of which a piece at most is in memory. Give it up where it does not finish."""

    def __init__(self, store: FileStore, file: StoredFile, *, room: int) -> None:
        self._store = store
        self._file = file
        self._room = room
        self._rest = bytearray()
        self._head = b""
        self._number = 0
        self.size = 0

    async def add(self, data: bytes) -> None:
        """More of it. Raises `ClientRefusedError` (413), `StorageUnavailableError`."""
        self.size += len(data)
        if self.size > LARGEST_BATCH:
            raise _too_large(LARGEST_BATCH)
        self._rest += data
        while len(self._rest) >= PIECE_BYTES:
            await self._put(bytes(self._rest[:PIECE_BYTES]))
            del self._rest[:PIECE_BYTES]

    async def finish(self, upload: Upload) -> StoredFile:
        """It is whole; `upload` says what it is, without its content. Raises as `Files.upload`."""
        if self._rest:
            await self._put(bytes(self._rest))
        check(replace(upload, content=self._head), self.size)
        file = replace(
            self._file,
            name=safe_name(upload.name),
            purpose=upload.purpose,
            size=self.size,
            expires=expires(upload, self._file.created),
        )
        await self._store.complete(file)
        return file

    async def give_up(self) -> None:
        """It does not come any more."""
        await self._store.give_up(self._file)

    async def _put(self, piece: bytes) -> None:
        self._head = self._head or piece
        try:
            await self._store.add(self._file, self._number, piece, room=self._room)
        except FilesFullError as error:
            raise ClientRefusedError(error.message, status=413, code="files_full") from error
        self._number += 1


def safe_name(name: str) -> str:
    """The name alone, as it can be shown anywhere; it is a text here, and never a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip()
    return shown[:LONGEST_NAME] if shown.strip(".") else "file"


def check(upload: Upload, size: int) -> None:
    """Of `size` bytes, whose beginning is the content. Raises `InvalidRequestError`, `ClientRefusedError`."""
    if upload.purpose not in PURPOSES:
        raise InvalidRequestError(
            f"Files are kept here for the purposes {', '.join(PURPOSES)}, not for {upload.purpose[:50]!r}.",
            param="purpose",
        )
    if not upload.content:
        raise InvalidRequestError("The file is empty.", param="file")
    if size > (most := LARGEST_BATCH if upload.purpose == "batch" else LARGEST_BYTES):
        raise _too_large(most)
    if upload.purpose == "batch" and not (upload.name.endswith(".jsonl") and _begins_with_json(upload.content)):
        raise InvalidRequestError("Invalid file format for Batch API. Must be .jsonl")
    if upload.seconds is not None and not SHORTEST_LIFE <= upload.seconds <= LONGEST_LIFE:
        raise InvalidRequestError(
            f"A file expires after {SHORTEST_LIFE} to {LONGEST_LIFE} seconds.", param="expires_after.seconds"
        )


def expires(upload: Upload, now: float) -> float | None:
    """Those of batches after 30 days, unless told otherwise."""
    seconds = LONGEST_LIFE if upload.seconds is None and upload.purpose == "batch" else upload.seconds
    return None if seconds is None else now + seconds


def _begins_with_json(content: bytes) -> bool:
    """As the published API looks at it: the first line alone."""
    line, end, _ = content.partition(b"\n")
    if not end and len(content) >= PIECE_BYTES:
        return True  # Its end is not here.
    try:
        msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"), type=Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _too_large(most: int) -> ClientRefusedError:
    return ClientRefusedError(f"A file may have {most // 1_048_576} MiB at most.", status=413, code="file_too_large")


def _no_file(id_: str) -> ClientRefusedError:
    return ClientRefusedError(f"There is no file {id_[:100]!r} here.", status=404, code="file_not_found")


def _too_much(place: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The files of this request are larger than {LARGEST_BYTES // 1_048_576} MiB together.", param=place
    )


def _unknown(id_: str, place: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"There is no uploaded file {id_[:100]!r} here. Upload it with POST /v1/files, or send it in file_data.",
        param=place,
        code="file_not_found",
    )
