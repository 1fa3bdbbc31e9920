"""Reading bodies: limits, compression, time."""

import asyncio
import gzip
import threading
import zlib
from typing import Any

import pytest

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.web.body import BODIES_TOGETHER, LARGE_BODY, Bodies, Room
from claude_openai_proxy.web.decompression import MOST_MEMBERS, WINDOW, decompress
from web.direct import HELLO, call
from web.fake_service import FakeChat, Script
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


# ---- hostile compression --------------------------------------------------------------------------------------------


async def test_gzip_of_very_many_members_is_refused() -> None:
    body = gzip.compress(b"") * (MOST_MEMBERS + 1)
    answer = await call(Wired().app(), body=body, headers={"content-encoding": "gzip"})
    assert (answer.status, answer.error.type) == (400, "invalid_request_error")
    assert "members" in answer.error.message


async def test_many_members_of_a_program_that_cuts_what_it_compresses_are_read() -> None:
    letters = HELLO.ljust(MOST_MEMBERS // 2)
    body = b"".join(gzip.compress(letters[index : index + 1]) for index in range(len(letters)))
    assert (await call(Wired().app(), body=body, headers={"content-encoding": "gzip"})).status == 200


def test_each_byte_of_a_compressed_body_is_handed_over_a_bounded_number_of_times() -> None:
    body = Counted(gzip.compress(b"") * (MOST_MEMBERS - 1) + gzip.compress(bytes(1_000_000)))
    assert decompress(body, "gzip", limit=2_000_000, abandoned=threading.Event()) == bytes(1_000_000)
    assert body.handed_over <= (MOST_MEMBERS + 2) * 2 * WINDOW


class Counted(bytes):
    """Counts the bytes that are cut from it."""

    handed_over = 0

    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        if isinstance(piece, bytes):
            self.handed_over += len(piece)
        return piece


def test_decompression_ends_when_nobody_waits_for_it() -> None:
    abandoned = threading.Event()
    abandoned.set()
    body = Counted(gzip.compress(b"a" * 5_000_000))
    with pytest.raises(InvalidRequestError):
        decompress(body, "gzip", limit=10_000_000, abandoned=abandoned)
    assert body.handed_over == 0


# ---- room for all bodies together -----------------------------------------------------------------------------------


async def test_bodies_wait_in_line_for_room() -> None:
    room = Room(10)
    await room.take(6)
    second, third = (asyncio.create_task(room.take(size)) for size in (5, 1))
    await asyncio.sleep(0)
    assert (second.done(), third.done()) == (False, False)
    room.give(6)
    await asyncio.gather(second, third)
    room.give(5)
    room.give(1)


async def test_who_does_not_wait_any_longer_keeps_nobody_waiting() -> None:
    room = Room(10)
    await room.take(6)
    gives_up, next_ = (asyncio.create_task(room.take(size)) for size in (10, 4))
    await asyncio.sleep(0)
    gives_up.cancel()
    await next_
    room.give(4)
    room.give(6)
    await room.take(10)


async def test_what_is_larger_than_the_room_takes_all_of_it() -> None:
    room = Room(10)
    await room.take(1_000)
    room.give(1_000)
    await room.take(10)


async def test_a_body_that_finds_no_room_is_told_to_come_again() -> None:
    bodies = Bodies(limit=2_000_000, idle_seconds=0.01)
    large = HELLO.ljust(1_900_000)
    wired = Wired(chat=FakeChat(Script(before=[asyncio.Event()])), bodies=bodies)
    app = wired.app()
    headers = {"content-length": str(len(large))}
    waiting = []
    for _ in range(BODIES_TOGETHER):
        wired.chat.entered.clear()
        waiting.append(asyncio.create_task(call(app, body=large, headers=headers)))
        await wired.chat.entered.wait()
    answer = await call(app, body=large, headers=headers)
    assert (answer.status, answer.error.code, answer.headers["retry-after"]) == (503, "overloaded", "5")
    for request in waiting:
        request.cancel()
    await asyncio.gather(*waiting)
    assert (await call(Wired(bodies=bodies).app(), body=large, headers=headers)).status == 200


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_body_is_released_when_its_answer_begins(encoding: str) -> None:
    goes_on = asyncio.Event()
    wired = Wired(chat=FakeChat(Script(steps=["one", goes_on])), bodies=Bodies(limit=2_000_000))
    large = HELLO.ljust(1_900_000)
    body = large if encoding == "identity" else gzip.compress(large)
    headers = {"content-encoding": encoding, "content-length": str(len(body))}
    app = wired.app()
    more_than_there_is_room_for = []
    for _ in range(3 * BODIES_TOGETHER):
        wired.chat.answering.clear()
        more_than_there_is_room_for.append(asyncio.create_task(call(app, body=body, headers=headers)))
        await wired.chat.answering.wait()
    goes_on.set()
    assert {answer.status for answer in await asyncio.gather(*more_than_there_is_room_for)} == {200}


async def test_what_takes_long_to_translate_is_told_so() -> None:
    wired = Wired()
    for size in (LARGE_BODY - 1, LARGE_BODY):
        assert (await call(wired.app(), body=HELLO.ljust(size))).status == 200
    assert wired.chat.large == [False, True]
