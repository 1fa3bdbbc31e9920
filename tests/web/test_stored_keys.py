"""Stored keys at the door: who sees what, which models, and what is answered while nobody can read them."""

from dataclasses import replace

import msgspec
import pytest

from claude_openai_proxy.records import KeyLimits
from claude_openai_proxy.service.allowances import Amount
from claude_openai_proxy.storage.client_keys import KeyRing, MemoryClientKeys, StoredKey, new_secret
from claude_openai_proxy.storage.interface import StorageUnavailableError
from web.direct import HELLO, call
from web.wired import NOW, Wired

ANN = StoredKey("key_1", "ann", models=("sonnet",), created=NOW - 10, expires=NOW + 10)
OPS = StoredKey("key_2", "ops", operator=True, created=NOW - 10)


class Unreadable(MemoryClientKeys):
    """A ring that was closed, and then the disk failed."""

    closed = True
    broken = False

    async def ring(self) -> KeyRing:
        if self.broken:
            raise StorageUnavailableError("The disk is gone.")
        return KeyRing(required=self.closed)


async def wired() -> tuple[Wired, dict[str, str], dict[str, str]]:
    """With a client's key and an operator's, and the headers that show them."""
    made = Wired()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(ANN, client)
    await made.stored_keys.add(OPS, operator)
    return made, {"authorization": f"Bearer {client}"}, {"x-api-key": operator}


async def test_once_a_key_is_stored_nobody_comes_in_without_one() -> None:
    made, client, _ = await wired()
    app = made.app()
    refused = await call(app, body=HELLO)
    assert (refused.status, refused.error.code) == (401, "invalid_api_key")
    assert (await call(app, body=HELLO, headers=client)).status == 200
    assert made.keeper.records[-1].principal.id == "key_1"


async def test_the_health_in_full_is_the_operator_s() -> None:
    made, client, operator = await wired()
    app = made.app()
    assert b'"login"' not in (await call(app, "GET", "/health", headers=client)).body
    assert b'"login"' in (await call(app, "GET", "/health", headers=operator)).body
    refused = await call(app, "GET", "/health?deep=1", headers=client)
    assert (refused.status, refused.error.code) == (403, "operator_only")
    assert (await call(app, "GET", "/health?deep=1", headers=operator)).status == 200


async def test_the_page_tells_a_client_what_it_can_use_and_not_whose_login_it_is() -> None:
    made, client, operator = await wired()
    app = made.app()
    page = {"accept": "text/html"}
    told = (await call(app, "GET", "/", headers=client | page)).body
    assert b"custom-claude-4-opus" in told
    assert b"ANTHROPIC_API_KEY" not in told
    assert b"ANTHROPIC_API_KEY" in (await call(app, "GET", "/", headers=operator | page)).body


async def test_a_key_is_told_to_its_holder_and_any_to_an_operator() -> None:
    made, client, operator = await wired()
    app = made.app()
    own = msgspec.json.decode((await call(app, "GET", "/v1/key", headers=client)).body)
    assert own == {
        "name": "ann", "stored": True, "operator": False, "models": ["sonnet"],
        "created": NOW - 10, "expires": NOW + 10, "object": "key",
    }  # fmt: skip
    assert msgspec.json.decode((await call(app, "GET", "/v1/key?name=ann", headers=operator)).body) == own
    assert (await call(app, "GET", "/v1/key?name=ops", headers=client)).error.code == "operator_only"
    assert (await call(app, "GET", "/v1/key?name=nobody", headers=operator)).status == 404


async def test_a_key_s_limits_are_shown_with_what_is_left_of_them() -> None:
    made = Wired()
    secret = new_secret()
    bound = replace(ANN, id="key_3", name="bound", limits=KeyLimits(10, 20_000, 5.0))
    await made.stored_keys.add(bound, secret)
    await made.allowances.reserve(bound.principal, Amount(3, 1_000, 0.25))
    told = msgspec.json.decode((await call(made.app(), "GET", "/v1/key", headers={"x-api-key": secret})).body)
    assert told["limits"] == {
        "requests_per_minute": {"limit": 10, "remaining": 7, "reset_seconds": 60},
        "tokens_per_minute": {"limit": 20_000, "remaining": 19_000, "reset_seconds": 60},
        "dollars_per_day": {"limit": 5.0, "spent": 0.0, "reserved": 0.25, "reset_seconds": 16 * 3600},
    }


async def test_without_keys_whoever_reaches_the_proxy_is_local() -> None:
    told = msgspec.json.decode((await call(Wired().app(), "GET", "/v1/key")).body)
    assert (told["name"], told["stored"], told["operator"]) == ("local", False, True)


async def test_while_the_keys_cannot_be_read_the_answer_is_503_and_a_probe_still_gets_its_word() -> None:
    store = Unreadable()
    made = Wired(stored_keys=store, keys={"sk-bob": "bob"})
    app = made.app()
    assert (await call(app, body=HELLO)).status == 401
    store.broken = True
    made.clock.now += 10

    refused = await call(app, body=HELLO, headers={"x-api-key": new_secret()})
    assert (refused.status, refused.error.code, refused.headers["retry-after"]) == (503, "storage_unavailable", "2")
    assert (await call(app, "GET", "/health")).body == b'{"status":"ok"}'
    assert (await call(app, body=HELLO, headers={"x-api-key": "sk-bob"})).status == 200


@pytest.mark.parametrize("path", ["/v1/models", "/v1/key", "/"])
async def test_zero_valid_keys_refuse_everybody(path: str) -> None:
    app = Wired(stored_keys=Unreadable()).app()
    assert (await call(app, "GET", path)).status == 401
