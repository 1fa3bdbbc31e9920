"""The database is away: what needs nothing of it goes on, what needs it is told to come back, and all of it heals."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest

from claude_openai_proxy.app import wire
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.storage.ledger import Choice
from tcp_relay import Way, relay_to
from web.direct import HELLO, STREAM, call

FIRST = b'{"model": "claude-opus-5-5", "input": "hello"}'


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - another thread makes it so
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["refusing", "swallowing"])
async def test_a_proxy_goes_on_without_its_database_and_heals(
    tmp_path: Path,
    simulator: Simulator,  # noqa: ARG001 - it answers
    simulator_url: str,
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
) -> None:
    monkeypatch.setattr("claude_openai_proxy.storage.postgresql.UNANSWERED_SECONDS", 1.0)
    place = urlsplit(postgresql_url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as relay:
        environment = {
            "HOME": str(tmp_path),
            "ANTHROPIC_API_KEY": "sk-ant-made-up",
            "ANTHROPIC_BASE_URL": simulator_url,
            "DATABASE_URL": urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")),
            "STORAGE_KEY": "the-same-for-all-of-them",
        }
        wiring = wire(load_settings(Flags(), environment, tmp_path))
        async with wiring.running():
            application = wiring.application
            first = msgspec.json.decode((await call(application, "POST", "/v1/responses", FIRST)).body)
            after = msgspec.json.encode({**msgspec.json.decode(FIRST), "previous_response_id": first["id"]})
            assert msgspec.json.decode((await call(application, "GET", "/ready")).body) == {"status": "ok"}

            relay.go(way)
            needs_it = await call(application, "POST", "/v1/responses", after)
            need_nothing = [await call(application, "POST", "/v1/chat/completions", body) for body in (HELLO, STREAM)]
            await until(lambda: bool(wiring.stores.state.trouble))
            ready = await call(application, "GET", "/ready")

            relay.go("open")
            await until(lambda: not wiring.stores.state.trouble)
            again = await call(application, "POST", "/v1/responses", after)
            assert msgspec.json.decode((await call(application, "GET", "/ready")).body) == {"status": "ok"}

    assert (needs_it.status, msgspec.json.decode(needs_it.body)["error"]["code"]) == (503, "storage_unavailable")
    assert float(needs_it.headers["retry-after"]) > 0
    assert [answer.status for answer in need_nothing] == [200, 200]
    assert (ready.status, msgspec.json.decode(ready.body)) == (200, {"status": "ok", "storage": "unavailable"})
    assert again.status == 200

    reading = wire(load_settings(Flags(), {**environment, "DATABASE_URL": postgresql_url}, tmp_path))
    async with reading.running():
        rows = await reading.stores.ledger.latest(Choice(0), 100)
    assert [row.status for row in rows if row.route == "/v1/chat/completions"] == [200, 200]
