"""`/v1/batches` from outside: what is wrong with a request, lists, and whose batch it is."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from claude_openai_proxy.storage.files import StoredFile
from claude_openai_proxy.storage.files_memory import MemoryFiles
from claude_openai_proxy.web.application import Application
from web.direct import Answer, call
from web.wired import NOW, Wired

BATCHES = "/v1/batches"
GOOD = {"input_file_id": "file-in", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
ANN = {"authorization": "Bearer key-of-ann"}
BOB = {"authorization": "Bearer key-of-bob"}


async def wired(principal: str = "local", **files: str) -> Wired:
    """With files of these purposes."""
    made = Wired(keys={"key-of-ann": "ann", "key-of-bob": "bob"} if principal != "local" else {}, files=MemoryFiles())
    for id_, purpose in ({"in": "batch"} | files).items():
        await made.files.keep(StoredFile(f"file-{id_}", principal, "a.jsonl", purpose, 2, NOW), b"{}", room=10_000)
    return made


async def create(app: Application, body: object = GOOD, headers: Mapping[str, str] | None = None) -> Answer:
    return await call(app, "POST", BATCHES, json.dumps(body).encode(), headers=dict(headers or {}))


async def test_a_new_batch_is_told_at_once() -> None:
    app = (await wired()).app()
    answer = await create(app, GOOD | {"metadata": {"a": "b"}})
    assert answer.status == 200
    assert answer.headers["x-batch-mode"] == "native"
    told = msgspec.json.decode(answer.body)
    assert told["id"].startswith("batch_")
    assert told["expires_at"] == told["created_at"] + 86_400
    assert {name: value for name, value in told.items() if value not in (None, {}, told["id"])} == {
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-in",
        "completion_window": "24h",
        "status": "validating",
        "created_at": int(NOW),
        "expires_at": int(NOW) + 86_400,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        },
        "metadata": {"a": "b"},
    }
    assert msgspec.json.decode((await call(app, "GET", f"{BATCHES}/{told['id']}")).body) == told


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"input_file_id": None}, "input_file_id", "missing_required_parameter"),
        ({"endpoint": None}, "endpoint", "missing_required_parameter"),
        ({"completion_window": None}, "completion_window", "missing_required_parameter"),
        ({"endpoint": "/v1/embeddings"}, "endpoint", "invalid_value"),
        ({"completion_window": "1h"}, "completion_window", "invalid_value"),
        ({"metadata": {"tags": ["a"]}}, "metadata.tags", "invalid_type"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": 5}, "metadata", None),
        ({"input_file_id": 5}, "input_file_id", None),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 5}}, "output_expires_after.seconds", None),
        ({"output_expires_after": {"anchor": "now", "seconds": 3600}}, "output_expires_after.anchor", None),
        ({"input_file_id": "file-image"}, "input_file_id", None),
    ],
)
async def test_a_wrong_request_names_its_member(change: dict[str, object], param: str, code: str | None) -> None:
    app = (await wired(image="vision")).app()
    refused = await create(app, {name: value for name, value in (GOOD | change).items() if value is not None})
    assert (refused.status, refused.error.param, refused.error.code) == (400, param, code)
    assert msgspec.json.decode((await call(app, "GET", BATCHES)).body)["data"] == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"[" * 100_000, b'{"endpoint": "\xff"}'])
async def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert (await call((await wired()).app(), "POST", BATCHES, body, headers=headers)).status == 400


async def test_an_unknown_file_makes_a_batch_that_has_failed() -> None:
    app = (await wired()).app()
    told = msgspec.json.decode((await create(app, GOOD | {"input_file_id": "file-x"})).body)
    assert (told["status"], told["failed_at"]) == ("failed", int(NOW))
    assert told["errors"]["data"] == [
        {
            "code": "invalid_request",
            "message": "Cannot find file file-x, or organization does not have access to it.",
            "param": "file_id",
            "line": None,
        }
    ]


async def test_what_would_find_no_room_fails_before_anything_is_asked() -> None:
    made = await wired()
    made.files_room = 5
    told = msgspec.json.decode((await create(made.app())).body)
    assert told["status"] == "failed"
    assert "FILES_MB" in told["errors"]["data"][0]["message"]


async def test_the_same_idempotency_key_makes_one_batch() -> None:
    app = (await wired("ann")).app()
    first = await create(app, headers=ANN | {"idempotency-key": "once"})
    again = await create(app, headers=ANN | {"idempotency-key": "once"})
    other = await create(app, headers=ANN | {"idempotency-key": "twice"})
    bobs = await create(app, headers=BOB | {"idempotency-key": "once"})
    assert first.body == again.body
    assert len({msgspec.json.decode(answer.body)["id"] for answer in (first, other, bobs)}) == 3


async def test_another_principals_batch_is_not_found_anywhere() -> None:
    app = (await wired("ann")).app()
    id_ = msgspec.json.decode((await create(app, headers=ANN)).body)["id"]
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert (await call(app, method, f"{BATCHES}/{id_}{path}", headers=BOB)).status == 404
    assert id_.encode() not in (await call(app, "GET", BATCHES, headers=BOB)).body
    failed = msgspec.json.decode((await create(app, headers=BOB)).body)
    assert (failed["status"], failed["errors"]["data"][0]["param"]) == ("failed", "file_id")
    assert (await call(app, "GET", f"{BATCHES}/{id_}", headers=ANN)).status == 200


async def test_lists_have_pages_and_begin_with_the_newest() -> None:
    app = (await wired()).app()
    ids = {msgspec.json.decode((await create(app)).body)["id"] for _ in range(3)}
    first = msgspec.json.decode((await call(app, "GET", f"{BATCHES}?limit=2")).body)
    rest = msgspec.json.decode((await call(app, "GET", f"{BATCHES}?limit=2&after={first['last_id']}")).body)
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert {batch["id"] for batch in (*first["data"], *rest["data"])} == ids


@pytest.mark.parametrize(
    ("query", "param"), [("limit=0", "limit"), ("limit=101", "limit"), ("after=x", "after"), ("order=asc", "order")]
)
async def test_a_wrong_query_names_its_member(query: str, param: str) -> None:
    refused = await call((await wired()).app(), "GET", f"{BATCHES}?{query}")
    assert (refused.status, refused.error.param) == (400, param)


async def test_one_that_is_to_be_cancelled_says_so_at_once_however_often_it_is_asked() -> None:
    app = (await wired()).app()
    id_ = msgspec.json.decode((await create(app)).body)["id"]
    for _ in range(2):
        told = msgspec.json.decode((await call(app, "POST", f"{BATCHES}/{id_}/cancel")).body)
        assert (told["status"], told["cancelling_at"]) == ("cancelling", int(NOW))


async def test_one_that_has_ended_cannot_be_cancelled_and_is_not_worth_another_try() -> None:
    app = (await wired()).app()
    id_ = msgspec.json.decode((await create(app, GOOD | {"input_file_id": "file-x"})).body)["id"]
    refused = await call(app, "POST", f"{BATCHES}/{id_}/cancel")
    assert (refused.status, refused.error.message) == (409, "Cannot cancel a batch with status 'failed'.")
    assert (refused.error.param, refused.error.code) == (None, None)
    assert refused.headers["x-should-retry"] == "false"


async def test_an_unknown_batch_is_not_found() -> None:
    app = (await wired()).app()
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert (await call(app, method, f"{BATCHES}/batch_x{path}")).status == 404
