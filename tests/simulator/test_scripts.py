"""A script goes out on the wire as it says, to the byte."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from claude_openai_proxy.simulator import Close, Cut, Gate, Hang, Script, Simulator, error_event
from claude_openai_proxy.simulator.message_events import message_start
from claude_openai_proxy.simulator.wire import Cutter
from simulator.wire_client import Caller, message_request, sent

DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "好"}}


async def test_a_text_comes_as_well_formed_events(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("Hello", pieces=["Hel", "lo"]))
    answer = await sent(simulator_url, message_request())
    assert answer.head.startswith("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream")
    events = [part.split("\n") for part in answer.body.decode().removesuffix("\n\n").split("\n\n")]
    kinds = [json.loads(data.removeprefix("data: "))["type"] for _, data in events]
    assert [name.removeprefix("event: ") for name, _ in events] == kinds
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


async def test_every_answer_names_its_request(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("a"), Script.error(529))
    for _ in range(2):
        answer = await sent(simulator_url, message_request())
        assert f"request-id: {simulator.requests[-1].id}" in answer.head


async def test_the_same_script_answers_without_a_stream(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.tool_calls([("lookup", {"word": "好"})], text="One moment."))
    message = json.loads((await sent(simulator_url, message_request(stream=False))).body)
    assert message["content"] == [
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "id": "toolu_sim_1", "name": "lookup", "input": {"word": "好"}},
    ]
    assert (message["model"], message["stop_reason"]) == ("claude-opus-4-8", "tool_use")


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_has_its_status_type_and_headers(simulator: Simulator, simulator_url: str, stream: bool) -> None:
    simulator.play(Script.error(429, "Slow down", retry_after=7, headers=(("anthropic-ratelimit-x", "1"),)))
    answer = await sent(simulator_url, message_request(stream=stream))
    assert answer.head.startswith("HTTP/1.1 429 Too Many Requests")
    assert "retry-after: 7" in answer.head
    assert "anthropic-ratelimit-x: 1" in answer.head
    assert json.loads(answer.body)["error"] == {"type": "rate_limit_error", "message": "Slow down"}


async def test_split_makes_each_piece_a_chunk_and_a_write_of_its_own(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.events([DELTA], split=1), Script.events([DELTA], split=(3, 9)))
    bytewise = await sent(simulator_url, message_request())
    assert {len(chunk) for chunk in bytewise.chunks} == {1}
    assert len(bytewise.reads) > len(bytewise.body)
    placed = await sent(simulator_url, message_request())
    assert [len(chunk) for chunk in placed.chunks] == [3, 6, len(placed.body) - 9]
    assert placed.body == bytewise.body


async def test_wire_split_cuts_head_and_chunk_frames_too(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("Hello", wire_split=1))
    answer = await sent(simulator_url, message_request())
    assert {len(read) for read in answer.reads} == {1}
    assert answer.body.endswith(b'data: {"type":"message_stop"}\n\n')


async def test_together_sends_all_in_one_write(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("Hello", together=True))
    assert len((await sent(simulator_url, message_request())).reads) == 1


async def test_padding_pings_and_line_ends_are_as_asked(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.events([DELTA], padding=3, pings=True, line_end="\r\n"))
    body = (await sent(simulator_url, message_request())).body
    assert b"   }\r\n\r\n" in body
    assert body.endswith(b'event: ping\r\ndata: {"type":"ping"   }\r\n\r\n')


async def test_an_answer_may_have_a_length_instead_of_chunks(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("Hello", chunked=False))
    answer = await sent(simulator_url, message_request())
    assert f"content-length: {len(answer.body)}" in answer.head
    assert answer.body.endswith(b'data: {"type":"message_stop"}\n\n')


async def test_a_cut_resets_and_a_close_ends_politely(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.events([message_start(), Cut()]), Script.events([message_start(), Close()]))
    cut = await sent(simulator_url, message_request())
    assert cut.reset
    assert not cut.raw.endswith(b"0\r\n\r\n")
    closed = await sent(simulator_url, message_request())
    assert not closed.reset
    assert closed.raw.endswith(b"0\r\n\r\n")


async def test_an_error_event_is_the_last_one_or_the_status(simulator: Simulator, simulator_url: str) -> None:
    script = Script.events([message_start(), error_event("overloaded_error")])
    simulator.play(script, script)
    assert b"event: error" in (await sent(simulator_url, message_request())).body
    assert (await sent(simulator_url, message_request(stream=False))).head.startswith("HTTP/1.1 529 Overloaded")


async def test_garbage_html_and_nothing_are_possible_answers(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.events([b"data: {nonsense\n\n"]), Script.html("<p>"), Script.empty())
    assert (await sent(simulator_url, message_request())).body == b"data: {nonsense\n\n"
    page = await sent(simulator_url, message_request())
    assert "content-type: text/html" in page.head
    assert page.body == b"<p>"
    empty = await sent(simulator_url, message_request())
    assert "content-type: text/event-stream" in empty.head
    assert empty.body == b""


async def test_a_gate_holds_the_answer_until_it_opens(simulator: Simulator, simulator_url: str) -> None:
    opened = asyncio.Event()
    simulator.play(Script.events([message_start(), Gate(opened), DELTA]))
    answering = asyncio.ensure_future(sent(simulator_url, message_request()))
    [request] = await simulator.received(1)
    assert not request.answered.is_set()
    opened.set()
    assert (await answering).body.count(b"event: ") == 2
    assert request.answered.is_set()


@pytest.mark.parametrize("script", [Script.hang(), Script.events([message_start(), Hang()])])
async def test_a_caller_that_leaves_is_noticed(simulator: Simulator, simulator_url: str, script: Script) -> None:
    simulator.play(script)
    place = urlsplit(simulator_url)
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(message_request())
    [request] = await simulator.received(1)
    assert not request.gone.is_set()
    writer.close()
    await request.gone.wait()
    assert not request.answered.is_set()


async def test_a_caller_that_stays_to_the_end_is_not_gone(simulator: Simulator, simulator_url: str) -> None:
    await sent(simulator_url, message_request())
    [request] = await simulator.received(1)
    assert request.answered.is_set()
    assert not request.gone.is_set()


async def test_requests_of_one_connection_are_answered_in_order(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("first"), Script.text("second"))
    kept = message_request().replace(b"connection: close", b"connection: keep-alive")
    answer = await sent(simulator_url, kept + message_request())
    assert answer.raw.index(b"fi") < answer.raw.index(b"sec")
    assert answer.raw.count(b"HTTP/1.1 200 OK") == 2


async def test_a_route_is_taken_by_its_predicate_and_the_queue_stays(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("queued"))
    simulator.play_when(lambda request: request.json.get("max_tokens") == 7, Script.text("routed"))
    routed = await sent(simulator_url, message_request(stream=False, max_tokens=7))
    queued = await sent(simulator_url, message_request(stream=False))
    assert b"routed" in routed.body
    assert b"queued" in queued.body


async def test_a_refused_request_leaves_the_script_in_the_queue(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("queued"))
    refused = await sent(simulator_url, message_request(seed=1))
    assert refused.head.startswith("HTTP/1.1 400")
    assert simulator.requests[-1].broken_rule == "unknown field"
    assert b"queued" in (await sent(simulator_url, message_request(stream=False))).body


async def test_a_script_may_be_played_against_the_rules(simulator: Simulator, simulator_url: str) -> None:
    simulator.play(Script.text("anyway", skip_rules=True))
    assert b"anyway" in (await sent(simulator_url, message_request(stream=False, seed=1))).body


async def test_what_was_sent_is_remembered(simulator: Simulator, simulator_url: str) -> None:
    await sent(simulator_url, message_request(top_k=3, model="claude-opus-4-6"))
    [request] = await simulator.received(1)
    assert (request.method, request.path, request.headers["x-api-key"]) == ("POST", "/v1/messages", "k")
    assert request.json["top_k"] == 3


async def test_only_the_newest_requests_are_kept() -> None:
    simulator = Simulator(keep=2)
    async with simulator.serve() as url:
        for number in range(3):
            await sent(url, message_request(max_tokens=number + 1))
    assert [request.json["max_tokens"] for request in simulator.requests] == [2, 3]


async def test_a_caller_in_the_same_process_needs_no_port(simulator: Simulator) -> None:
    caller = Caller()
    transport, protocol = await simulator.dial(lambda: caller)
    assert protocol is caller
    transport.write(message_request(stream=False))
    await caller.ended
    assert b"This is claude-opus-4-8, simulated." in b"".join(caller.reads)
    await simulator.aclose()


@pytest.mark.parametrize(
    ("cuts", "pieces"),
    [
        (None, [b"abc", b"de"]),
        (2, [b"ab", b"c", b"d", b"e"]),
        ((1, 3, 9), [b"a", b"bc", b"de"]),
        ((4,), [b"abc", b"d", b"e"]),
    ],
)
def test_cuts_are_counted_over_the_whole_body(cuts: int | tuple[int, ...] | None, pieces: list[bytes]) -> None:
    cutter = Cutter(cuts)
    assert [*cutter.pieces(b"abc"), *cutter.pieces(b"de")] == pieces
