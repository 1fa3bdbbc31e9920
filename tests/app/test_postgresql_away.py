"""The database is away: what needs nothing of it goes on, what needs it is told to come back, and all of it heals."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest

from claude_openai_proxy.app.wiring import Wiring, wire
from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Script, Simulator
from claude_openai_proxy.storage.ledger import Choice
from tcp_relay import Relay, Way, relay_to
from web.direct import HELLO, STREAM, call

BODY = {"model": "claude-opus-5-5", "input": "hello"}


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - another thread makes it so
            await asyncio.sleep(0.01)


@pytest.fixture
def relay(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """Before the database, which is soon taken for silent."""
    monkeypatch.setattr("claude_openai_proxy.storage.postgresql.UNANSWERED_SECONDS", 1.0)
    place = urlsplit(postgresql_url)
    with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as made:
        yield made


Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path, simulator_url: str, postgresql_url: str, relay: Relay) -> Environment:
    place = urlsplit(postgresql_url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    return {
        "HOME": str(tmp_path),
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": simulator_url,
        "DATABASE_URL": urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")),
        "STORAGE_KEY": "the-same-for-all-of-them",
    }


@dataclass
class Records(RecordReader):
    """What is known of requests, of those that go on, too."""

    begun: list[RequestRecord] = field(default_factory=list)

    def started(self, record: RequestRecord) -> None:
        self.begun.append(record)


@asynccontextmanager
async def running(environment: Environment) -> AsyncIterator[tuple[Wiring, Records]]:
    """A proxy, and the records of what it is asked."""
    wiring, records = wire(load_settings(Flags(), environment, Path(environment["HOME"]))), Records()
    wiring.application.read_by(records)
    async with wiring.running():
        yield wiring, records


async def asked(wiring: Wiring, path: str, body: object = None) -> Any:
    """The body of an answer with 200."""
    method = "GET" if body is None else "POST"
    answer = await call(wiring.application, method, path, msgspec.json.encode(body) if body else b"")
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body)


@pytest.mark.parametrize("way", ["refusing", "swallowing"])
async def test_a_proxy_goes_on_without_its_database_and_heals(
    simulator: Simulator,  # noqa: ARG001 - it answers
    environment: Environment,
    postgresql_url: str,
    relay: Relay,
    way: Way,
) -> None:
    async with running(environment) as (wiring, _):
        application = wiring.application
        first = await asked(wiring, "/v1/responses", BODY)
        after = msgspec.json.encode({**BODY, "previous_response_id": first["id"]})
        assert await asked(wiring, "/ready") == {"status": "ok"}

        relay.go(way)
        needs_it = await call(application, "POST", "/v1/responses", after)
        need_nothing = [await call(application, "POST", "/v1/chat/completions", body) for body in (HELLO, STREAM)]
        await until(lambda: bool(wiring.stores.state.trouble))
        ready = await call(application, "GET", "/ready")

        relay.go("open")
        await until(lambda: not wiring.stores.state.trouble)
        again = await call(application, "POST", "/v1/responses", after)
        assert await asked(wiring, "/ready") == {"status": "ok"}

    assert (needs_it.status, msgspec.json.decode(needs_it.body)["error"]["code"]) == (503, "storage_unavailable")
    assert float(needs_it.headers["retry-after"]) > 0
    assert [answer.status for answer in need_nothing] == [200, 200]
    assert (ready.status, msgspec.json.decode(ready.body)) == (200, {"status": "ok", "storage": "unavailable"})
    assert again.status == 200

    async with running({**environment, "DATABASE_URL": postgresql_url}) as (reading, _):
        rows = await reading.stores.ledger.latest(Choice(0), 100)
    assert [row.status for row in rows if row.route == "/v1/chat/completions"] == [200, 200]


def in_pieces(text: str, pieces: int) -> tuple[Script, asyncio.Event]:
    """An answer that waits after its first piece, and what it waits for."""
    gate = asyncio.Event()
    begin, block, first, *rest = Script.text(text, pieces=pieces).steps
    return Script.events([begin, block, first, Gate(gate), *rest]), gate


async def ended(records: Records) -> None:
    """Return once a response has come to its end, whatever is kept of it."""
    await until(lambda: any(record.finish_reason == "completed" for record in records.begun))


@pytest.mark.parametrize("way", ["refusing", "swallowing"])
@pytest.mark.parametrize("talks", [False, True], ids=["alone", "in a conversation"])
async def test_a_response_in_the_background_that_ends_while_its_database_is_away_has_its_end_afterwards(
    simulator: Simulator, environment: Environment, relay: Relay, way: Way, *, talks: bool
) -> None:
    script, gate = in_pieces("Hello, world.", 2)
    simulator.play(script)
    async with running(environment) as (wiring, records):
        body: dict[str, object] = {**BODY, "background": True}
        if talks:
            body["conversation"] = (await asked(wiring, "/v1/conversations", {"metadata": {}}))["id"]
        id_ = (await asked(wiring, "/v1/responses", body))["id"]
        while (await asked(wiring, f"/v1/responses/{id_}"))["status"] != "in_progress":
            pass
        relay.go(way)
        gate.set()
        await ended(records)
        away = await call(wiring.application, "GET", f"/v1/responses/{id_}")
        await until(lambda: bool(wiring.stores.state.trouble))
        relay.go("open")
        await until(lambda: not wiring.stores.state.trouble)
        async with asyncio.timeout(60):  # its end may come behind the write that finds the database well
            while (found := await asked(wiring, f"/v1/responses/{id_}"))["status"] == "in_progress":
                pass
        items = await asked(wiring, f"/v1/conversations/{body['conversation']}/items") if talks else {"data": []}
    assert (away.status, "retry-after" in away.headers) == (503, True)
    assert (found["status"], found["output"][0]["content"][0]["text"]) == ("completed", "Hello, world.")
    assert [item["role"] for item in items["data"]] == ["assistant", "user"] * talks


@pytest.mark.parametrize("way", ["refusing", "swallowing"])
async def test_its_events_are_all_there_afterwards_with_one_end(
    simulator: Simulator, environment: Environment, relay: Relay, way: Way
) -> None:
    script, gate = in_pieces("one two three", 3)
    simulator.play(script)
    body = msgspec.json.encode({**BODY, "background": True, "stream": True})
    async with running(environment) as (wiring, records):
        creating = asyncio.create_task(call(wiring.application, "POST", "/v1/responses", body))
        await until(lambda: any(request.is_message for request in simulator.requests))
        relay.go(way)
        gate.set()
        await ended(records)
        await until(lambda: bool(wiring.stores.state.trouble))
        relay.go("open")
        await until(lambda: not wiring.stores.state.trouble)
        id_ = events_of((await creating).body)[0]["response"]["id"]
        events = events_of((await call(wiring.application, "GET", f"/v1/responses/{id_}?stream=true")).body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "".join(event["delta"] for event in events if event["type"].endswith("text.delta")) == "one two three"
    assert [event["type"] for event in events if "complete" in event["type"]] == ["response.completed"]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "one two three"


def events_of(body: bytes) -> list[Any]:
    lines = (line for line in body.split(b"\n") if line.startswith(b"data: {"))
    return [msgspec.json.decode(line.removeprefix(b"data: ")) for line in lines]
