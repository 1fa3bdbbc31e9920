"""What clients ask of batches: to make one, see it, list them, cancel it. Claude's side is not asked for it."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Raw

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.protocols.openai_batches import Batch, BatchError, BatchList, BatchRequest
from claude_openai_proxy.records import Principal
from claude_openai_proxy.service.batches.dialects import LineDialect
from claude_openai_proxy.service.batches.document import Document, document_of, encode_document, shown, totals_of
from claude_openai_proxy.storage.batches import BatchStore, StoredBatch, Totals
from claude_openai_proxy.storage.files import FileStore, StoredFile
from claude_openai_proxy.translate.wishes.metadata import check_metadata

SHORTEST_LIFE: Final = 3600
LONGEST_LIFE: Final = 30 * 86_400
WINDOW: Final = "24h"
RESERVED: Final = 2
"""Times the input that the results may become."""
_NO_RETRY: Final = (("x-should-retry", "false"),)


@dataclass(frozen=True, slots=True)
class ChosenWay:
    """`native` or `emulated`, and the kind of the upstream that is meant."""

    mode: str
    kind: str


class Batches:
    """`way` says how a new batch would be answered; it raises `NotOfferedError` where it cannot be.

    `room`: bytes that all files may have. `wake` is told of a batch that has changed here.
    """

    def __init__(
        self,
        *,
        store: BatchStore,
        files: FileStore,
        room: int,
        dialects: Mapping[str, LineDialect],
        way: Callable[[], Awaitable[ChosenWay]],
        wake: Callable[[str], None],
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._files = files
        self._room = room
        self._dialects = dialects
        self._way = way
        self._wake = wake
        self._wall_clock = wall_clock

    async def create(self, request: BatchRequest, principal: Principal, *, key: str = "") -> tuple[Batch, str]:
        """A new one, and its mode; the one that was made with the same `key` before, where there is one.

        Raises `InvalidRequestError`, `NotOfferedError`, `StorageUnavailableError`.
        """
        metadata = self._checked(request)
        now = self._wall_clock()
        id_ = "batch_" + (_digest(principal, key) if key else os.urandom(16).hex())
        if key and (known := await self._store.one(principal.id, id_)) is not None:
            return await self._shown(known), document_of(known).mode
        file = await self._file(request.input_file_id or "", principal, now)
        document = await self._document(request, principal, metadata)
        document.input_bytes = file.size if file else 0
        trouble = await self._trouble(file, request.input_file_id or "")
        batch = StoredBatch(
            id=id_,
            principal=principal.id,
            created=now,
            input_file=request.input_file_id or "",
            status="failed" if trouble else "validating",
            document=encode_document(msgspec.structs.replace(document, errors=trouble)),
            ended=now if trouble else None,
        )
        if file is not None and not trouble:
            await self._files.pin([file.id])
        await self._store.create(batch)
        self._wake(id_)
        return await self._shown(batch), document.mode

    async def _file(self, id_: str, principal: Principal, now: float) -> StoredFile | None:
        file = await self._files.one(principal.id, id_, now)
        if file is not None and file.purpose != "batch":
            raise InvalidRequestError(
                f"The file {id_[:100]!r} has the purpose {file.purpose!r}: a batch needs one of the purpose 'batch'.",
                param="input_file_id",
            )
        return file

    async def _document(self, request: BatchRequest, principal: Principal, metadata: dict[str, str] | None) -> Document:
        way, life = await self._way(), request.output_expires_after
        return Document(
            endpoint=request.endpoint or "",
            mode=way.mode,
            kind=way.kind,
            letters=os.urandom(6).hex(),
            output_file=f"file-{os.urandom(12).hex()}",
            error_file=f"file-{os.urandom(12).hex()}",
            principal_name=principal.name,
            principal_models=principal.models,
            daily_budget=principal.limits.dollars_a_day if principal.limits else None,
            metadata=metadata,
            output_seconds=LONGEST_LIFE if life is None else life.seconds,
        )

    async def _trouble(self, file: StoredFile | None, id_: str) -> list[BatchError]:
        """Why nothing can come of it."""
        if file is None:
            message = f"Cannot find file {id_[:100]}, or organization does not have access to it."
            return [BatchError("invalid_request", message, "file_id")]
        if await self._files.total() + RESERVED * file.size > self._room:
            message = "There is no room for the results of this file: delete some files, or raise FILES_MB."
            return [BatchError("invalid_request", message)]
        return []

    async def one(self, id_: str, principal: Principal) -> tuple[Batch, str]:
        """And its mode. Raises `ClientRefusedError` (404)."""
        batch = await self._found(id_, principal)
        return await self._shown(batch), document_of(batch).mode

    async def cost(self, id_: str, principal: Principal) -> float:
        """US dollars by list price, at half of it where that is what it costs, as far as lines have ended."""
        batch = await self._found(id_, principal)
        totals = totals_of(document_of(batch)) if batch.ended is not None else await self._store.totals(id_)
        return totals.counts.dollars

    async def page(self, principal: Principal, *, after: str, limit: int) -> BatchList:
        """The newest first. Raises `InvalidRequestError` for an `after` that is none of the principal's."""
        found = await self._store.page(principal.id, after=after, limit=limit + 1)
        if found is None:
            raise InvalidRequestError("after must be the id of a batch in this list.", param="after")
        rows = [await self._shown(batch) for batch in found[:limit]]
        return BatchList(
            data=rows,
            first_id=rows[0].id if rows else None,
            last_id=rows[-1].id if rows else None,
            has_more=len(found) > limit,
        )

    async def cancel(self, id_: str, principal: Principal) -> tuple[Batch, str]:
        """It is to end soon. Raises `ClientRefusedError` (404; 409 where it has ended)."""
        batch = await self._store.ask_cancel(principal.id, id_, self._wall_clock())
        if batch is None:
            raise _no_batch(id_)
        if batch.ended is not None and batch.status != "cancelled":
            raise ClientRefusedError(
                f"Cannot cancel a batch with status '{batch.status}'.", status=409, headers=_NO_RETRY
            )
        self._wake(id_)
        return await self._shown(batch), document_of(batch).mode

    async def _found(self, id_: str, principal: Principal) -> StoredBatch:
        batch = await self._store.one(principal.id, id_)
        if batch is None:
            raise _no_batch(id_)
        return batch

    async def _shown(self, batch: StoredBatch) -> Batch:
        if batch.ended is not None:
            return shown(batch, totals_of(document_of(batch)))
        validating = batch.status == "validating"
        return shown(batch, Totals() if validating else await self._store.totals(batch.id))

    # ---- what is wrong with a request -------------------------------------------------------------------------------

    def _checked(self, request: BatchRequest) -> dict[str, str] | None:
        for name in ("input_file_id", "endpoint", "completion_window"):
            if getattr(request, name) is None:
                raise InvalidRequestError(
                    f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
                )
        if request.endpoint not in self._dialects:
            supported = ", ".join(f"'{endpoint}'" for endpoint in self._dialects)
            raise InvalidRequestError(
                f"Invalid value: '{request.endpoint[:100] if request.endpoint else ''}'. Supported values are: "
                f"{supported}.",
                param="endpoint",
                code="invalid_value",
            )
        if request.completion_window != WINDOW:
            raise InvalidRequestError(
                f"Invalid value for completion_window: only '{WINDOW}' is supported.",
                param="completion_window",
                code="invalid_value",
            )
        _check_life(request)
        return _metadata(request.metadata)


def _check_life(request: BatchRequest) -> None:
    life = request.output_expires_after
    if life is None:
        return
    if life.anchor != "created_at":
        raise InvalidRequestError("Only created_at can be the anchor.", param="output_expires_after.anchor")
    if not SHORTEST_LIFE <= life.seconds <= LONGEST_LIFE:
        raise InvalidRequestError(
            f"A file expires after {SHORTEST_LIFE} to {LONGEST_LIFE} seconds.", param="output_expires_after.seconds"
        )


def _metadata(given: Mapping[str, Raw] | None) -> dict[str, str] | None:
    if given is None:
        return None
    metadata: dict[str, str] = {}
    for name, raw in given.items():
        if not bytes(raw).startswith(b'"'):
            raise InvalidRequestError(
                f"Invalid type for 'metadata.{name[:100]}': expected a string.",
                param=f"metadata.{name[:100]}",
                code="invalid_type",
            )
        metadata[name] = msgspec.json.decode(raw, type=str)
    check_metadata(metadata)
    return metadata


def _digest(principal: Principal, key: str) -> str:
    return sha256(f"{principal.id}\n{key}".encode()).hexdigest()[:32]


def _no_batch(id_: str) -> ClientRefusedError:
    return ClientRefusedError(f"No batch found with id '{id_[:100]}'.", status=404, code="batch_not_found")
