"""`/v1/files` from outside: forms, lists, contents, doors; and requests that name a file."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import pytest

from claude_openai_proxy.protocols.openai_chat_request import FilePart, UserMessage
from claude_openai_proxy.records import LOCAL
from claude_openai_proxy.service.files import LARGEST_BYTES, SWEEP_SECONDS, Files, Upload, safe_name
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.storage.interface import StorageUnavailableError
from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.body import BODIES_TOGETHER, Bodies
from web.direct import Answer, call
from web.fake_service import FakeChat, Script
from web.wired import NOW, Clock, Wired

FILES = "/v1/files"
NO_FIELDS: Final[Mapping[str, str]] = MappingProxyType({})
FORM = {"content-type": "multipart/form-data; boundary=frontier"}
ANN = {"authorization": "Bearer key-of-ann"}
BOB = {"authorization": "Bearer key-of-bob"}


def form(
    content: bytes = b"hello",
    name: str = "notes.txt",
    purpose: str | None = "user_data",
    fields: Mapping[str, str] = NO_FIELDS,
) -> bytes:
    """The body of an upload; `fields` stand before the file."""
    fields = ({"purpose": purpose} if purpose is not None else {}) | dict(fields)
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    parts.append(head.encode() + content)
    return b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"


async def upload(app: Application, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    return await call(app, "POST", FILES, form() if body is None else body, headers=FORM | (headers or {}))


def with_keys() -> Wired:
    return Wired(keys={"key-of-ann": "ann", "key-of-bob": "bob"})


async def test_an_upload_is_told_listed_read_and_deleted() -> None:
    app = Wired().app()
    told = msgspec.json.decode((await upload(app)).body)
    assert told == {
        "id": "file-1",
        "object": "file",
        "bytes": 5,
        "created_at": int(NOW),
        "filename": "notes.txt",
        "purpose": "user_data",
        "status": "processed",
    }
    assert msgspec.json.decode((await call(app, "GET", f"{FILES}/file-1")).body) == told
    assert msgspec.json.decode((await call(app, "GET", FILES)).body) == {
        "object": "list", "data": [told], "first_id": "file-1", "last_id": "file-1", "has_more": False,
    }  # fmt: skip
    assert (await call(app, "GET", f"{FILES}/file-1/content")).body == b"hello"
    deleted = await call(app, "DELETE", f"{FILES}/file-1")
    assert msgspec.json.decode(deleted.body) == {"id": "file-1", "object": "file", "deleted": True}
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        gone = await call(app, method, f"{FILES}/file-1{path}")
        assert (gone.status, gone.error.code) == (404, "file_not_found")


async def test_content_is_for_saving_only_whatever_it_is() -> None:
    app = Wired().app()
    await upload(app, form(b"<script>1</script>", 'ä "x".html'.replace('"', "%22")))
    answer = await call(app, "GET", f"{FILES}/file-1/content")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%C3%A4")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_another_principals_file_is_not_found_anywhere() -> None:
    made = with_keys()
    app = made.app()
    await upload(app, headers=ANN)
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert (await call(app, method, f"{FILES}/file-1{path}", headers=BOB)).status == 404
    assert b"file-1" not in (await call(app, "GET", FILES, headers=BOB)).body
    refused = await call(app, body=naming("file-1"), headers=BOB)
    assert (refused.status, refused.error.param) == (400, "messages[0].content[1].file.file_id")
    assert made.chat.requests == []
    assert (await call(app, "GET", f"{FILES}/file-1", headers=ANN)).status == 200


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["file-4", "file-3", "file-2", "file-1"]),
        ("?order=asc", ["file-1", "file-2", "file-3", "file-4"]),
        ("?limit=2", ["file-4", "file-3"]),
        ("?limit=2&after=file-3", ["file-2", "file-1"]),
        ("?order=asc&after=file-3", ["file-4"]),
        ("?purpose=vision", ["file-4"]),
        ("?purpose=batch", []),
    ],
)
async def test_lists_have_pages(query: str, ids: list[str]) -> None:
    app = Wired().app()
    for purpose in ("user_data", "user_data", "assistants", "vision"):
        await upload(app, form(purpose=purpose))
    page = msgspec.json.decode((await call(app, "GET", FILES + query)).body)
    assert [file["id"] for file in page["data"]] == ids
    assert page["has_more"] == (query == "?limit=2")


@pytest.mark.parametrize(("query", "param"), [("limit=0", "limit"), ("order=up", "order"), ("after=x", "after")])
async def test_a_wrong_query_names_its_member(query: str, param: str) -> None:
    refused = await call(Wired().app(), "GET", f"{FILES}?{query}")
    assert (refused.status, refused.error.param) == (400, param)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (form(purpose=None), "purpose"),
        (form(purpose="fine-tune"), "purpose"),
        (form(purpose="evals"), "purpose"),
        (form(content=b""), "file"),
        (form().replace(b'name="file"', b'name="document"'), "file"),
        (form().replace(b'; filename="notes.txt"', b""), "file"),
        (form().replace(b"--frontier--\r\n", b"") + form(), "file"),
        (form(fields={"expires_after[anchor]": "created_at", "expires_after[seconds]": "60"}), "expires_after.seconds"),
        (form(fields={"expires_after[anchor]": "created_at", "expires_after[seconds]": "x"}), "expires_after.seconds"),
        (form(fields={"expires_after[anchor]": "created_at"}), "expires_after.seconds"),
        (form(fields={"expires_after[anchor]": "tomorrow", "expires_after[seconds]": "9999"}), "expires_after.anchor"),
        (form(fields={"note": "x" * 1001}), "note"),
        (form(fields={f"field{number}": "x" for number in range(30)}), None),
        (form()[:-20], None),
        (b"no form", None),
        (b"", None),
        (b"--frontier\r\n" + b"a: b\r\n" * 50 + b"\r\nx\r\n--frontier--\r\n", None),
    ],
)
async def test_a_wrong_form_names_its_field(body: bytes, param: str | None) -> None:
    made = Wired()
    app = made.app()
    refused = await upload(app, body)
    assert (refused.status, refused.error.param) == (400, param)
    assert b"file-1" not in (await call(app, "GET", FILES)).body


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/mixed; boundary=a", "multipart/form-data", ""]
)
async def test_another_type_is_refused(content_type: str) -> None:
    refused = await call(Wired().app(), "POST", FILES, form(), headers={"content-type": content_type})
    assert (refused.status, refused.error.code) == (415, "unsupported_media_type")


async def test_a_form_is_taken_nowhere_else() -> None:
    app = Wired().app()
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/messages"):
        assert (await call(app, "POST", path, form(), headers=FORM)).status == 415


@pytest.mark.parametrize(
    "page",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},
        {"host": "evil.example"},
    ],
)
async def test_a_page_of_another_site_can_upload_nothing(page: dict[str, str]) -> None:
    app = Wired().app()
    assert (await upload(app, headers=page)).status == 403
    assert b"file-1" not in (await call(app, "GET", FILES)).body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("GET", ""), ("GET", "/file-1"), ("GET", "/file-1/content"), ("DELETE", "/file-1")],
)
async def test_anthropics_files_have_the_same_paths_and_are_not_served(method: str, path: str) -> None:
    app = Wired().app()
    await upload(app)
    body = form() if method == "POST" else b""
    refused = await call(app, method, FILES + path, body, headers=FORM | {"anthropic-version": "2023-06-01"})
    told = msgspec.json.decode(refused.body)
    assert (refused.status, told["type"], told["error"]["type"]) == (404, "error", "not_found_error")
    assert (await call(app, "GET", f"{FILES}/file-1")).status == 200


async def test_a_file_expires_when_it_was_asked_to() -> None:
    app = Wired().app()
    told = await upload(app, form(fields={"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}))
    assert msgspec.json.decode(told.body)["expires_at"] == int(NOW) + 3600


async def test_sizes_are_bounded_one_by_one_and_together() -> None:
    app = Wired(files_room=8, body_limit=LARGEST_BYTES + 10_000).app()
    too_large = await upload(app, form(bytes(LARGEST_BYTES + 1)))
    assert (too_large.status, too_large.error.code) == (413, "file_too_large")
    assert (await upload(app)).status == 200
    full = await upload(app)
    assert (full.status, full.error.code) == (413, "files_full")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\notes.txt", "notes.txt"),
        ("a\0b\r\nc.txt", "abc.txt"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_no_path(name: str, safe: str) -> None:
    assert safe_name(name) == safe


async def test_other_methods_are_told_what_there_is() -> None:
    app = Wired().app()
    for path, allow in ((FILES, "GET, HEAD, POST, OPTIONS"), (f"{FILES}/file-1", "GET, HEAD, DELETE, OPTIONS")):
        refused = await call(app, "PUT", path)
        assert (refused.status, refused.headers["allow"]) == (405, allow)


# ---- requests that name a file ---------------------------------------------------------------------------------------


def naming(*ids: str) -> bytes:
    parts = [{"type": "text", "text": "Read it."}, *({"type": "file", "file": {"file_id": id_}} for id_ in ids)]
    return msgspec.json.encode({"messages": [{"role": "user", "content": parts}]})


async def test_a_named_file_is_in_the_request_that_is_asked() -> None:
    made = Wired()
    app = made.app()
    await upload(app)
    assert (await call(app, body=naming("file-1", "file-1"))).status == 200
    (message,) = made.chat.requests[0].messages
    assert isinstance(message, UserMessage)
    assert isinstance(message.content, list)
    files = [part.file for part in message.content if isinstance(part, FilePart)]
    assert [(file.file_data, file.filename, file.file_id) for file in files] == [("aGVsbG8=", "notes.txt", None)] * 2


async def test_a_url_in_file_id_is_none_of_ours() -> None:
    made = Wired()
    assert (await call(made.app(), body=naming("https://example.com/a.pdf"))).status == 200
    assert len(made.chat.requests) == 1


async def test_named_files_are_bounded_together() -> None:
    app = Wired(files_room=LARGEST_BYTES, body_limit=LARGEST_BYTES).app()
    await upload(app, form(b"x" * (LARGEST_BYTES // 2)))
    refused = await call(app, body=naming("file-1", "file-1", "file-1"))
    assert (refused.status, refused.error.param) == (400, "messages[0].content[3].file.file_id")


def returning(content: object, *, role: str = "tool") -> bytes:
    """A request whose tool returned this: in a message of its own, or as Claude's part."""
    call_ = {"id": "call_1", "type": "function", "function": {"name": "fetch", "arguments": "{}"}}
    said = {"role": "assistant", "tool_calls": [call_]}
    results = {
        "tool": {"role": "tool", "tool_call_id": "call_1", "content": content},
        "function": {"role": "function", "name": "fetch", "content": content},
        "user": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": content}]},
    }
    return msgspec.json.encode({"messages": [{"role": "user", "content": "Fetch it."}, said, results[role]]})


@pytest.mark.parametrize("role", ["tool", "function", "user"])
async def test_a_file_that_a_tool_returned_is_in_the_request_that_is_asked(role: str) -> None:
    made = Wired()
    app = made.app()
    await upload(app)
    content = ["Here it is:", {"type": "file", "file": {"file_id": "file-1"}, "cache_control": {"type": "ephemeral"}}]
    assert (await call(app, body=returning(content, role=role))).status == 200
    message = msgspec.to_builtins(made.chat.requests[0].messages[2])
    result = message["content"][0]["content"] if role == "user" else message["content"]
    assert result == [
        "Here it is:",
        {
            "type": "file",
            "file": {"file_data": "aGVsbG8=", "filename": "notes.txt"},
            "cache_control": {"type": "ephemeral"},
        },
    ]


@pytest.mark.parametrize(
    ("role", "param"),
    [
        ("tool", "messages[2].content[0].file.file_id"),
        ("function", "messages[2].content[0].file.file_id"),
        ("user", "messages[2].content[0].content[0].file.file_id"),
    ],
)
async def test_a_tool_s_file_that_is_not_here_is_named_with_its_place(role: str, param: str) -> None:
    content = [{"type": "file", "file": {"file_id": "file-1"}}]
    refused = await call(Wired().app(), body=returning(content, role=role))
    assert (refused.status, refused.error.param, refused.error.code) == (400, param, "file_not_found")


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "file", "file": {"file_id": "file-1"}}, {"type": "of the tool's own"}],
        [{"type": "file", "file": {"file_id": "https://example.com/a.pdf"}}],
        [{"type": "file", "file": {"file_id": "file-1", "file_data": "aGVsbG8="}}],
        [{"type": "file", "file": "file-1"}],
        {"type": "file", "file": {"file_id": "file-1"}},
        [{"type": "text", "text": "file-1"}],
        "file-1",
    ],
)
async def test_what_a_tool_returned_otherwise_stays_as_it_is(content: object) -> None:
    made = Wired()
    app = made.app()
    await upload(app)
    assert (await call(app, body=returning(content))).status == 200
    assert msgspec.to_builtins(made.chat.requests[0].messages[2])["content"] == content


async def test_the_files_of_a_request_take_room_like_its_body_until_it_is_translated() -> None:
    room = 1_900_000 * BODIES_TOGETHER
    bodies = Bodies(limit=1_900_000, idle_seconds=0.01)
    goes_on = asyncio.Event()
    wired = Wired(chat=FakeChat(Script(before=[goes_on])), bodies=bodies, files_room=room)
    app = wired.app()
    await upload(app, form(bytes(1_400_000)))  # 1,866,666 bytes in base64
    waiting = []
    for _ in range(BODIES_TOGETHER):
        wired.chat.entered.clear()
        waiting.append(asyncio.create_task(call(app, body=naming("file-1"))))
        await wired.chat.entered.wait()
    for body in (naming("file-1"), returning([{"type": "file", "file": {"file_id": "file-1"}}])):
        answer = await call(app, body=body)
        assert (answer.status, answer.error.code, answer.headers["retry-after"]) == (503, "overloaded", "5")
    assert (await call(Wired().app(), body=naming())).status == 200
    goes_on.set()
    assert [answer.status for answer in await asyncio.gather(*waiting)] == [200] * BODIES_TOGETHER
    assert (await call(app, body=naming("file-1"))).status == 200


async def test_who_has_room_for_its_body_waits_for_no_more() -> None:
    """Else those who hold some could all wait for each other."""
    bodies = Bodies(limit=2_000_000)
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])), bodies=bodies, files_room=2_000_000)
    app = wired.app()
    await upload(app, form(bytes(1_400_000)))
    waiting = []
    for body in (naming("file-1"), naming("file-1"), naming("file-1"), naming().ljust(1_500_000)):
        wired.chat.entered.clear()
        waiting.append(asyncio.create_task(call(app, body=body)))
        await wired.chat.entered.wait()
    large = naming("file-1").ljust(1_100_000)
    told = await call(app, body=large, headers={"content-length": str(len(large))})
    assert (told.status, told.error.code) == (503, "overloaded")
    for request in waiting:
        request.cancel()
    await asyncio.gather(*waiting)
    assert (await call(Wired(bodies=bodies, files=wired.files).app(), body=large)).status == 200


# ---- what has expired ------------------------------------------------------------------------------------------------


class Pauses:
    """A pause ends when it is told to."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self.over.acquire()


class Troubled(MemoryFiles):
    """Can be told to fail once."""

    trouble = False

    async def drop_expired(self, now: float) -> None:
        if self.trouble:
            self.trouble = False
            raise StorageUnavailableError("The disk is full.")
        await super().drop_expired(now)


async def test_what_has_expired_is_deleted_though_nobody_asks_for_it() -> None:
    store, pauses, clock = Troubled(), Pauses(), Clock(now=1_000.0)
    files = Files(store=store, room=100, new_id=lambda: "file-1", wall_clock=clock, pause=pauses)
    file = await files.upload(Upload("notes.txt", b"hello", "user_data", seconds=3_600), LOCAL)
    store.trouble = True
    await files.start()
    assert await pauses.asked.get() == SWEEP_SECONDS
    pauses.over.release()
    await pauses.asked.get()
    assert await store.content(file) == b"hello"
    clock.now += 3_600.0
    pauses.over.release()
    await pauses.asked.get()
    assert await store.content(file) is None
    await files.aclose()
