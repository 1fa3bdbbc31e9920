"""Reading bodies: limits, compression, time."""

import asyncio
import gzip
import zlib

import pytest

from web.direct import HELLO, call
from web.wired import Wired

RAW_DEFLATE = zlib.compressobj(wbits=-15)
RAW = RAW_DEFLATE.compress(HELLO) + RAW_DEFLATE.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(HELLO)),
        ("GZIP", gzip.compress(HELLO)),
        ("x-gzip", gzip.compress(HELLO)),
        ("gzip", gzip.compress(HELLO[:20]) + gzip.compress(HELLO[20:])),
        ("gzip", gzip.compress(HELLO) + b"\0\0\0"),
        ("deflate", zlib.compress(HELLO)),
        ("deflate", RAW),
        ("identity", HELLO),
    ],
    ids=["gzip", "upper case", "x-gzip", "two members", "padding", "zlib", "raw deflate", "identity"],
)
async def test_compressed_bodies_are_read(encoding: str, body: bytes) -> None:
    wired = Wired()
    assert (await call(wired.app(), body=body, headers={"content-encoding": encoding})).status == 200
    assert wired.chat.requests[0].model == "custom-claude-4-opus"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "nonsense"])
async def test_other_encodings_are_refused_naming_those_that_are_read(encoding: str) -> None:
    answer = await call(Wired().app(), body=HELLO, headers={"content-encoding": encoding})
    assert (answer.status, answer.error.code) == (415, "unsupported_content_encoding")
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    "body",
    [HELLO, gzip.compress(HELLO)[:-9], gzip.compress(HELLO)[:5], b"", gzip.compress(HELLO) + b"junk"],
    ids=["not compressed", "cut", "cut in the head", "empty", "junk behind"],
)
async def test_broken_compressed_bodies_are_a_400(body: bytes) -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    answer = await call(Wired().app(), body=body, headers=headers)
    assert (answer.status, answer.error.type) == (400, "invalid_request_error")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_stops_at_the_limit(encoding: str) -> None:
    zeros = bytes(50_000_000)
    bomb = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    answer = await call(Wired(body_limit=1_000_000).app(), body=bomb, headers={"content-encoding": encoding})
    assert (answer.status, answer.error.code) == (413, "request_too_large")


async def test_a_bomb_of_many_members_stops_too() -> None:
    bomb = gzip.compress(bytes(10_000)) * 200
    answer = await call(Wired(body_limit=1_000_000).app(), body=bomb, headers={"content-encoding": "gzip"})
    assert answer.status == 413


@pytest.mark.parametrize("length", ["1000001", "9" * 30])
async def test_a_length_over_the_limit_is_refused_unread(length: str) -> None:
    answer = await call(Wired().app(), body=HELLO, headers={"content-length": length})
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert "0.953674 MiB" in answer.error.message


async def test_pieces_are_counted_and_put_together() -> None:
    wired = Wired(body_limit=len(HELLO))
    assert (await call(wired.app(), body=[HELLO[:10], HELLO[10:30], b"", HELLO[30:]])).status == 200
    assert (await call(wired.app(), body=[HELLO, b" "])).status == 413


async def test_a_client_that_leaves_while_it_sends_is_no_error() -> None:
    wired = Wired()
    gone = asyncio.Event()
    gone.set()
    await call(wired.app(), body=[], headers={"content-type": "application/json"}, leaves=gone)
    assert wired.keeper.records[0].status == 499
