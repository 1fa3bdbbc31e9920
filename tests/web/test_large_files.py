"""Uploads that are too large to be held: the same words for the same faults, and nothing left of what fails."""

import msgspec
import pytest

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.records import LOCAL
from claude_openai_proxy.service.files import LARGEST_BATCH, LARGEST_BYTES, Files, Upload
from claude_openai_proxy.storage.files import PIECE_BYTES, StoredFile
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.web.application import Application
from web.direct import Answer, call
from web.test_files import FILES, FORM, form
from web.wired import NOW, Wired

LINE = b'{"custom_id": "a"}\n'
LARGE = LINE * (5 * PIECE_BYTES // len(LINE)) + b'{"the": "end"}'


def wired(room: int = 10**9) -> Wired:
    return Wired(files=MemoryFiles(), files_room=room)


async def upload(app: Application, body: bytes) -> Answer:
    return await call(app, "POST", FILES, body, headers=FORM | {"content-length": str(len(body))})


async def test_a_large_file_comes_back_as_it_was() -> None:
    app = wired().app()
    told = msgspec.json.decode((await upload(app, form(LARGE, "input.jsonl", "batch"))).body)
    assert (told["bytes"], told["filename"], told["purpose"]) == (len(LARGE), "input.jsonl", "batch")
    assert told["expires_at"] == int(NOW) + 30 * 86_400
    answer = await call(app, "GET", f"{FILES}/{told['id']}/content")
    assert answer.headers["content-length"] == str(len(LARGE))
    assert answer.body == LARGE


async def test_the_purpose_may_stand_behind_the_file() -> None:
    behind = b'--frontier\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--frontier--\r\n'
    body = form(LARGE, "input.jsonl", None).removesuffix(b"--frontier--\r\n") + behind
    told = await upload(wired().app(), body)
    assert msgspec.json.decode(told.body)["purpose"] == "batch"


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        (form(LARGE, "input.txt", "batch"), 400, None, None),
        (form(b"hello\n" + LARGE, "input.jsonl", "batch"), 400, None, None),
        (form(LARGE, "input.jsonl", "fine-tune"), 400, "purpose", None),
        (form(LARGE, "input.jsonl", None), 400, "purpose", None),
        (form(LARGE, "input.jsonl", "batch", {"expires_after[seconds]": "5"}), 400, "expires_after.seconds", None),
        (form(LARGE, "input.jsonl", "batch")[:-20], 400, None, None),
        (form(LARGE, "input.jsonl", "batch").replace(b"--frontier\r\n", b"--border\r\n"), 400, None, None),
        (form(bytes(LARGEST_BYTES + 1), "a.txt", "user_data"), 413, None, "file_too_large"),
    ],
)
async def test_what_is_wrong_with_it_is_told_and_nothing_stays(
    body: bytes, status: int, param: str | None, code: str | None
) -> None:
    made = wired()
    refused = await upload(made.app(), body)
    assert (refused.status, refused.error.param, refused.error.code) == (status, param, code)
    assert await made.files.total() == 0


async def test_there_must_be_room_for_it() -> None:
    made = wired(room=PIECE_BYTES)
    refused = await upload(made.app(), form(LARGE, "input.jsonl", "batch"))
    assert (refused.status, refused.error.code) == (413, "files_full")
    assert await made.files.total() == 0


class _Forgetful(MemoryFiles):
    """Keeps nothing."""

    async def add(self, file: StoredFile, number: int, piece: bytes, *, room: int | None) -> None:
        pass


async def test_a_file_of_a_batch_has_200_megabytes_at_most() -> None:
    files = Files(store=_Forgetful(), room=10**12, new_id=lambda: "file-1", wall_clock=lambda: NOW)
    piece = (LINE * PIECE_BYTES)[:PIECE_BYTES]
    incoming = await files.begin(LOCAL)
    for _ in range(LARGEST_BATCH // PIECE_BYTES):
        await incoming.add(piece)
    file = await incoming.finish(Upload("input.jsonl", b"", "batch"))
    assert file.size == LARGEST_BATCH
    with pytest.raises(ClientRefusedError, match="200 MiB"):
        await incoming.add(b"x")
