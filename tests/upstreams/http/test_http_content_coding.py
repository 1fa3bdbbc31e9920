"""Bodies that come compressed: each coding, each split of the bytes, and what cannot be read."""

import gzip
import importlib
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamError, UpstreamProtocolError
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from claude_openai_proxy.upstreams.http.content_coding import PIECE_BYTES, BodyDecoder
from upstreams.wild_server import always, chunk, ok, once, wild_server

TEXT = b"".join(b"line %d of a text that is compressed\n" % number for number in range(500))


def raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


def with_library(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return pytest.skip(f"the Python package {names[-1]!r} is not installed")


def brotli(data: bytes) -> bytes:
    compressed: bytes = with_library("brotli").compress(data)
    return compressed


def zstd(data: bytes) -> bytes:
    compressed: bytes = with_library("compression.zstd", "backports.zstd").compress(data)
    return compressed


CODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip in capitals": ("X-GZIP", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    "a member and padding": ("gzip", lambda data: gzip.compress(data) + bytes(512)),
    "deflate": ("deflate", zlib.compress),
    "deflate without its wrapper": ("deflate", raw_deflate),
    "twice": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    "br": ("br", brotli),
    "zstd": ("zstd", zstd),
    "two frames": ("zstd", lambda data: zstd(data[:100]) + zstd(data[100:])),
}


@pytest.fixture(params=list(CODERS.values()), ids=list(CODERS))
def coder(request: pytest.FixtureRequest) -> tuple[str, Callable[[bytes], bytes]]:
    coded: tuple[str, Callable[[bytes], bytes]] = request.param
    return coded


@pytest.fixture
async def client() -> AsyncIterator[HTTPClient]:
    client = HTTPClient()
    yield client
    await client.aclose()


def decoded(codings: str, data: bytes, step: int) -> tuple[bytes, bool]:
    decoder, text = BodyDecoder(codings), b""
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
        while piece := decoder.take():
            text += piece
    return text, decoder.whole


@pytest.mark.parametrize("step", [1, 7, 10_000_000])
def test_every_split_decodes_to_the_same(coder: tuple[str, Callable[[bytes], bytes]], step: int) -> None:
    name, compress = coder
    assert decoded(name, compress(TEXT), step) == (TEXT, True)


def test_what_is_cut_is_not_whole(coder: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, compress = coder
    assert decoded(name, compress(TEXT)[: len(compress(TEXT)) // 3], 50)[1] is False


def test_nothing_is_a_whole_body() -> None:
    assert BodyDecoder("gzip").whole
    assert BodyDecoder("gzip").take() == b""


def test_a_small_body_unfolds_in_pieces(coder: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, compress = coder
    data, sizes = compress(bytes(20 * PIECE_BYTES)), []
    decoder = BodyDecoder(name)
    decoder.feed(data)
    while piece := decoder.take():
        sizes.append(len(piece))
    assert sum(sizes) == 20 * PIECE_BYTES
    assert max(sizes) <= 2 * PIECE_BYTES


def test_many_empty_members_are_no_work_for_each_byte_behind_them() -> None:
    data = gzip.compress(b"") * 20_000 + gzip.compress(b"end")
    assert decoded("gzip", data, len(data)) == (b"end", True)


@pytest.mark.parametrize("coding", ["compress", "br2", "gzip, gzip, gzip, gzip"])
def test_a_coding_that_is_not_known_is_named(coding: str) -> None:
    with pytest.raises(ValueError, match="compressed"):
        BodyDecoder(coding)


async def fetch(client: HTTPClient, url: str) -> bytes:
    with await client.send(Request("GET", URL.parse(url)), Patience(silence=10)) as response:
        return await response.read_all()


async def test_a_compressed_body_keeps_its_connection(
    client: HTTPClient, coder: tuple[str, Callable[[bytes], bytes]]
) -> None:
    name, compress = coder
    async with wild_server(always(ok(compress(TEXT), b"content-encoding: " + name.encode()))) as server:
        assert [await fetch(client, server.url) for _ in range(3)] == [TEXT] * 3
        assert server.visits == 1


async def test_identity_is_asked_for(client: HTTPClient) -> None:
    async with wild_server(always(ok())) as server:
        await fetch(client, server.url)
        assert b"\r\naccept-encoding: identity\r\n" in server.requests[0]


async def test_a_coding_of_the_transfer_is_decoded_too(client: HTTPClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
    async with wild_server(always(head + chunk(gzip.compress(TEXT)) + b"0\r\n\r\n")) as server:
        assert await fetch(client, server.url) == TEXT


@pytest.mark.parametrize(
    ("coding", "body", "match"),
    [
        (b"gzip", b"no gzip", "that says it is gzip and is not"),
        (b"gzip", gzip.compress(TEXT)[:-9], "ends in the middle of what is compressed"),
        (b"compress", b"\x1f\x9d", "'compress', which is not read here"),
        (b"gzip", gzip.compress(bytes(20_000_000)), "a document of more than"),
    ],
    ids=["not gzip", "cut", "unknown", "too much"],
)
async def test_what_cannot_be_read_is_told(client: HTTPClient, coding: bytes, body: bytes, match: str) -> None:
    async with wild_server(always(ok(body, b"content-encoding: " + coding))) as server:
        with pytest.raises(UpstreamProtocolError, match=match):
            await fetch(client, server.url)


async def test_a_body_cut_by_the_connection_is_a_cut(client: HTTPClient) -> None:
    answer = ok(gzip.compress(TEXT), b"content-encoding: gzip")
    async with wild_server(once(answer[:-20])) as server:
        with pytest.raises(UpstreamError) as caught:
            await fetch(client, server.url)
        assert type(caught.value) is UpstreamConnectionError
