"""Hosts, origins, keys, content types."""

import pytest

from web.direct import CHAT, HELLO, call
from web.wired import Wired

PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
TWO_KEYS = {"sk-one": "one", "sk-two": "two"}


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:3000", "127.8.9.1", "[::1]", "[::1]:3000"],
)
async def test_every_name_of_this_machine_is_let_in(host: str) -> None:
    assert (await call(Wired().app(), "GET", "/health", headers={"host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:3000",
        "192.168.1.5",
        "::1x",
    ],
)
async def test_any_other_host_is_refused_with_the_setting_that_lets_it_in(host: str) -> None:
    answer = await call(Wired().app(), "GET", "/health", headers={"host": host})
    assert (answer.status, answer.error.code) == (403, "host_not_allowed")
    assert "ALLOWED_HOSTS=" + (host.removesuffix(":3000") or "the name in use") in answer.error.message


@pytest.mark.parametrize("allowed", ["proxy.example", "proxy.example:3000", "PROXY.example", "*"])
async def test_an_allowed_host_is_let_in(allowed: str) -> None:
    app = Wired(allowed_hosts=(allowed,)).app()
    assert (await call(app, "GET", "/health", headers={"host": "Proxy.Example:3000"})).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:5173", "http://localhost"])
async def test_a_foreign_origin_is_refused_with_the_setting_that_lets_it_in(origin: str) -> None:
    answer = await call(Wired().app(), body=HELLO, headers={"origin": origin})
    assert (answer.status, answer.error.code) == (403, "origin_not_allowed")
    assert f"ALLOWED_ORIGINS={origin}" in answer.error.message
    assert "access-control-allow-origin" not in answer.headers


async def test_the_servers_own_page_is_not_foreign() -> None:
    answer = await call(Wired().app(), body=HELLO, headers={"origin": "http://localhost:3000"})
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_an_allowed_origin_may_read_answers_and_their_headers() -> None:
    app = Wired(allowed_origins=("https://app.example/",)).app()
    answer = await call(app, body=HELLO, headers={"origin": "https://app.example"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "origin"


async def test_an_allowed_origin_may_read_errors_too() -> None:
    app = Wired(allowed_origins=("https://app.example",)).app()
    answer = await call(app, body=b"{", headers={"origin": "https://app.example"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (400, "https://app.example")


async def test_a_preflight_of_an_allowed_origin_is_answered_without_a_key() -> None:
    app = Wired(allowed_origins=("https://app.example",), keys=TWO_KEYS).app()
    answer = await call(app, "OPTIONS", CHAT, headers={"origin": "https://app.example", **PREFLIGHT})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"


async def test_a_preflight_for_the_private_network_is_answered() -> None:
    headers = {"origin": "https://app.example", "access-control-request-private-network": "true", **PREFLIGHT}
    answer = await call(Wired(allowed_origins=("*",)).app(), "OPTIONS", CHAT, headers=headers)
    assert answer.headers["access-control-allow-private-network"] == "true"


async def test_a_preflight_of_another_origin_is_refused() -> None:
    answer = await call(Wired().app(), "OPTIONS", CHAT, headers={"origin": "https://evil.example", **PREFLIGHT})
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("type_", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken(type_: str) -> None:
    assert (await call(Wired().app(), body=HELLO, headers={"content-type": type_})).status == 200


@pytest.mark.parametrize(
    "type_", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
async def test_what_a_page_may_send_anywhere_is_not(type_: str) -> None:
    answer = await call(Wired().app(), body=HELLO, headers={"content-type": type_})
    assert (answer.status, answer.error.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer whatever"}, {"x-api-key": "x"}])
async def test_without_keys_of_our_own_any_key_or_none_will_do(headers: dict[str, str]) -> None:
    wired = Wired()
    assert (await call(wired.app(), body=HELLO, headers=headers)).status == 200
    assert wired.keeper.records[0].principal.name == "local"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer sk-two"},
        {"authorization": "bearer  sk-two "},
        {"x-api-key": "sk-two"},
        {"api-key": "sk-two"},
        {"authorization": "Basic abc", "api-key": "sk-two"},
    ],
)
async def test_a_key_of_ours_opens_under_its_name(headers: dict[str, str]) -> None:
    wired = Wired(keys=TWO_KEYS)
    assert (await call(wired.app(), body=HELLO, headers=headers)).status == 200
    assert wired.keeper.records[0].principal.name == "two"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer sk-three"},
        {"authorization": "Bearer sk-tw"},
        {"authorization": "sk-two"},
        {"authorization": "Bearer ÿ"},
        {"x-api-key": "SK-TWO"},
    ],
)
async def test_any_other_key_is_a_401(headers: dict[str, str]) -> None:
    wired = Wired(keys=TWO_KEYS)
    answer = await call(wired.app(), body=HELLO, headers=headers)
    assert (answer.status, answer.error.code) == (401, "invalid_api_key")
    assert "PROXY_API_KEYS" in answer.error.message
    assert "sk-" not in answer.error.message
    assert wired.chat.requests == []


async def test_on_loopback_the_page_and_health_need_no_key() -> None:
    app = Wired(keys=TWO_KEYS).app()
    assert (await call(app, "GET", "/")).status == 200
    assert b'"login"' in (await call(app, "GET", "/health?deep=1")).body


@pytest.mark.parametrize("path", ["/", "/health?deep=1", "/health?", "/v1/models", "/nowhere", CHAT])
async def test_on_a_public_bind_everything_needs_a_key(path: str) -> None:
    app = Wired(keys=TWO_KEYS, public=True).app()
    status = (await call(app, "GET", path)).status
    assert status == (200 if path == "/health?" else 401)
    assert (await call(app, "GET", path, headers={"x-api-key": "sk-one"})).status in (200, 404, 405)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_on_a_public_bind_a_bare_look_at_health_says_one_word(method: str) -> None:
    app = Wired(keys=TWO_KEYS, public=True).app()
    answer = await call(app, method, "/health")
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}' if method == "GET" else b"")
    assert b'"login"' in (await call(app, "GET", "/health", headers={"x-api-key": "sk-one"})).body


async def test_a_public_bind_without_keys_lets_nobody_in() -> None:
    assert (await call(Wired(public=True).app(), body=HELLO)).status == 401
