"""`/v1/files` from outside: forms, lists, contents, doors; and requests that name a file."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import pytest

from claude_openai_proxy.protocols.openai_chat_request import FilePart, UserMessage
from claude_openai_proxy.service.files import LARGEST_BYTES, safe_name
from claude_openai_proxy.web.application import Application
from web.direct import Answer, call
from web.wired import NOW, Wired

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
