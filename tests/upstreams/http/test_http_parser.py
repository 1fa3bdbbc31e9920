"""One response out of bytes, however they are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.errors import UpstreamConnectionError, UpstreamProtocolError
from claude_openai_proxy.upstreams.http.parser import ResponseParser


def parse(*parts: bytes, limit: int = 65536) -> ResponseParser:
    parser = ResponseParser(peer="api.test:443", max_head_bytes=limit)
    for part in parts:
        if parser.failure is None:
            parser.feed(part)
    return parser


CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nX-A: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nx-trailer: t\r\n\r\n"
)


@given(cuts=st.lists(st.integers(0, len(CHUNKED))))
def test_any_split_of_the_bytes_gives_the_same_response(cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(CHUNKED)]
    parser = parse(*(CHUNKED[start:end] for start, end in itertools.pairwise(borders) if end > start))
    assert (parser.status, parser.header("request-id"), parser.header("link")) == (200, "req_1", None)
    assert (parser.take(), parser.complete, parser.keep_alive) == (b"hello world", True, True)


@pytest.mark.parametrize(
    ("head", "complete", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2", True, True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close", True, False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2", True, False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive", True, True),
        (b"HTTP/1.1 200 OK", False, False),
    ],
)
def test_the_end_of_a_body_is_known_from_its_headers(head: bytes, complete: bool, keep_alive: bool) -> None:
    parser = parse(head + b"\r\n\r\nhi")
    assert (parser.take(), parser.complete, parser.keep_alive) == (b"hi", complete, keep_alive)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    parser.feed_eof()
    assert (parser.take(), parser.complete, parser.failure) == (b"all of it", True, None)


def test_a_body_without_a_length_is_cut_by_a_reset() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
    parser.feed_eof("Connection reset by peer")
    assert isinstance(parser.failure, UpstreamConnectionError)
    assert "in the middle of its answer (Connection reset by peer)" in parser.failure.message


@pytest.mark.parametrize(
    ("part", "when"),
    [
        (b"", "before it answered"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "in the middle of its headers"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", "in the middle of its answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "in the middle of its headers"),
    ],
)
def test_a_connection_that_ends_too_early_is_told_with_its_moment(part: bytes, when: str) -> None:
    parser = parse(part) if part else parse()
    parser.feed_eof()
    assert isinstance(parser.failure, UpstreamConnectionError)
    assert parser.failure.message == f"api.test:443 closed the connection {when}"


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>hello</html>",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname with space: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhi\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhiXX",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nxx",
    ],
)
def test_what_is_not_http_is_a_protocol_error(garbage: bytes) -> None:
    assert isinstance(parse(garbage).failure, UpstreamProtocolError)


def test_a_bad_chunk_leaves_the_body_before_it_readable() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nnonsense\r\n")
    assert parser.take() == b"hi"
    assert isinstance(parser.failure, UpstreamProtocolError)


@pytest.mark.parametrize("surplus", [b"GARBAGE", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyou", b"\0"])
def test_bytes_behind_the_end_spoil_the_connection_but_not_the_response(surplus: bytes) -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi" + surplus)
    assert (parser.take(), parser.complete, parser.keep_alive, parser.failure) == (b"hi", True, False, None)


def test_a_head_that_never_ends_is_not_read_for_ever() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\n", *[b"x-filler: 0123456789\r\n"] * 100, limit=1000)
    assert isinstance(parser.failure, UpstreamProtocolError)
    assert "more than 1000 bytes of headers" in parser.failure.message


def test_one_endless_header_is_not_read_for_ever() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\nx-filler: ", *[b"0123456789"] * 200, limit=1000)
    assert isinstance(parser.failure, UpstreamProtocolError)


def test_a_huge_head_in_one_read_is_refused_too() -> None:
    parser = parse(b"HTTP/1.1 200 OK\r\nx-filler: " + b"0" * 2000 + b"\r\ncontent-length: 0\r\n\r\n", limit=1000)
    assert isinstance(parser.failure, UpstreamProtocolError)


def test_endless_interim_answers_are_not_read_for_ever() -> None:
    parser = parse(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100, limit=1000)
    assert isinstance(parser.failure, UpstreamProtocolError)


def test_a_response_without_a_body_is_complete_at_once() -> None:
    assert parse(b"HTTP/1.1 204 No Content\r\n\r\n").complete


@pytest.mark.parametrize(
    "start",
    [b"0\r\nx-trailer: ", b"0\r\n", b"5;an=", b"5\r\nabcde\r\n0\r\nx: y\r\n"],
    ids=["one", "many", "size", "after"],
)
def test_what_goes_on_for_ever_behind_the_head_is_not_read_for_ever(start: bytes) -> None:
    response = ResponseParser(peer="api.test:443")
    response.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + start)
    filler = b"a: b\r\n" * 1000 if start == b"0\r\n" else b"a" * 6000
    for _ in range(100):
        if response.failure is None:
            response.feed(filler)
    assert isinstance(response.failure, UpstreamProtocolError)


def test_many_small_pieces_of_a_body_are_no_endless_header() -> None:
    response = ResponseParser(peer="api.test:443")
    response.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(30_000):
        response.feed(b"1\r\na\r\n")
    assert (response.failure, response.buffered) == (None, 30_000)


def test_large_reads_of_many_chunks_are_no_endless_header() -> None:
    response = ResponseParser(peer="api.test:443")
    response.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(3):
        response.feed(b"4000\r\n" + b"a" * 0x4000 + b"\r\n" + b"1\r\na\r\n" * 20_000)
    assert (response.failure, response.buffered) == (None, 3 * (0x4000 + 20_000))
