"""Hosts, origins, keys, content types."""

from collections.abc import Callable

import pytest

from claude_openai_proxy.records import LOCAL
from claude_openai_proxy.web.visitor import TrustedProxies
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
    for path in ("/v1/models", "/", "/health?deep=1", "/nowhere"):
        answer = await call(Wired().app(), "GET", path, headers={"host": host})
        assert (answer.status, answer.error.code) == (403, "host_not_allowed")
        assert "ALLOWED_HOSTS=" + (host.removesuffix(":3000") or "the name in use") in answer.error.message


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_a_probe_by_address_gets_one_word(path: str) -> None:
    answer = await call(Wired().app(), "GET", path, headers={"host": "10.0.0.7:3000"})
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


async def test_whoever_shows_a_key_may_use_any_name() -> None:
    app = Wired(keys=TWO_KEYS).app()
    headers = {"host": "proxy.example", "x-api-key": "sk-two"}
    assert (await call(app, body=HELLO, headers=headers)).status == 200
    wrong = await call(app, body=HELLO, headers=headers | {"x-api-key": "sk-three"})
    assert (wrong.status, "or send one of this proxy's keys" in wrong.error.message) == (403, True)
    assert (await call(app, body=HELLO, headers=headers | {"origin": "https://evil.example"})).status == 403


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
    assert answer.headers["access-control-allow-methods"] == "POST, GET, HEAD, OPTIONS"
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
        {"authorization": "sk-two"},
        {"authorization": "Bearer dummy", "x-api-key": "sk-two"},
        {"authorization": "Bearer dummy", "x-api-key": "dummy", "api-key": " sk-two"},
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
        {"authorization": "Basic sk-two"},
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


async def test_without_keys_this_machine_may_see_everything() -> None:
    app = Wired().app()
    assert (await call(app, "GET", "/")).status == 200
    assert b'"login"' in (await call(app, "GET", "/health?deep=1")).body


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("path", ["/", "/health?deep=1", "/health?x", "/v1/models", "/nowhere", CHAT])
async def test_with_keys_everything_needs_one_whatever_is_listened_on(path: str, public: bool) -> None:
    app = Wired(keys=TWO_KEYS, public=public).app()
    status = (await call(app, "GET", path)).status
    assert status == (200 if path == "/health?x" else 401)
    with_key = (await call(app, "GET", path, headers={"x-api-key": "sk-one"})).status
    assert with_key == 403 if path == "/health?deep=1" else with_key in (200, 404, 405)


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_with_keys_a_bare_look_at_health_says_one_word(method: str, public: bool) -> None:
    app = Wired(keys=TWO_KEYS, public=public).app()
    answer = await call(app, method, "/health")
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}' if method == "GET" else b"")
    with_key = (await call(app, "GET", "/health", headers={"x-api-key": "sk-one"})).body
    assert with_key == b'{"status":"ok","version":"1.2.3","models":{"custom-claude-4-opus":"claude-test-1"}}'


IMAGE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/health?deep=1", IMAGE, 403),
        ("/health?deep=1", IMAGE | {"sec-fetch-site": "same-site"}, 403),
        ("/health?deep=1", IMAGE | {"sec-fetch-site": "same-origin"}, 200),
        ("/health?deep=1", LINK, 403),
        ("/health?deep=1", LINK | {"sec-fetch-site": "none"}, 200),
        ("/v1/models", IMAGE, 403),
        ("/ready", IMAGE, 403),
        ("/health", LINK, 200),
    ],
)
async def test_a_page_of_another_site_sets_nothing_off(path: str, headers: dict[str, str], status: int) -> None:
    wired = Wired()
    assert (await call(wired.app(), "GET", path, headers=headers)).status == status
    assert status == 200 or not wired.health.asked_deep


FORWARDED = {"x-forwarded-host": "claude.example", "x-forwarded-proto": "https", "x-forwarded-for": "6.6.6.6, 9.9.9.9"}


async def test_what_strangers_say_of_the_way_they_came_does_not_count() -> None:
    page = await call(Wired().app(), "GET", "/", headers=FORWARDED)
    assert page.status == 200
    assert b"http://localhost:3000/v1" in page.body
    assert b"claude.example" not in page.body


async def test_the_name_and_scheme_that_a_trusted_proxy_tells_are_those_of_the_page() -> None:
    wired = Wired(trusted_proxies=("127.0.0.0/8", "::1"), allowed_hosts=("claude.example",))
    for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        page = await call(wired.app(), "GET", "/", headers=FORWARDED, peer=peer)
        assert b"https://claude.example/v1" in page.body
    assert b"claude.example" not in (await call(wired.app(), "GET", "/", headers=FORWARDED, peer="10.0.0.1")).body
    own = {"origin": "https://claude.example"}
    assert (await call(wired.app(), body=HELLO, headers=FORWARDED | own)).status == 200


async def test_a_forwarded_name_is_looked_at_like_any_other() -> None:
    app = Wired(trusted_proxies=("127.0.0.1",)).app()
    assert (await call(app, "GET", "/", headers=FORWARDED)).error.code == "host_not_allowed"
    hidden = {"host": "evil.example", "x-forwarded-host": "localhost"}
    assert (await call(app, "GET", "/", headers=hidden)).error.code == "host_not_allowed"


def headers(forwarded_for: str) -> Callable[[bytes], str]:
    return lambda name: forwarded_for if name == b"x-forwarded-for" else ""


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("9.9.9.9", "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9, 10.1.2.3", "9.9.9.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("9.9.9.9:1234", "9.9.9.9"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("fe80::1%\x1b[31m", "fe80::1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_one_that_no_trusted_proxy_is(said: str, address: str) -> None:
    trusted = TrustedProxies(["127.0.0.1", "10.0.0.0/8"])
    assert trusted.visitor("127.0.0.1", headers(said)).address == address
    assert trusted.visitor("8.8.8.8", headers(said)).address == "8.8.8.8"


async def test_a_public_bind_without_keys_lets_nobody_in() -> None:
    assert (await call(Wired(public=True).app(), body=HELLO)).status == 401


async def test_what_belongs_to_a_key_is_kept_under_an_id() -> None:
    wired = Wired(keys=TWO_KEYS, principal_id=lambda name: f"id of {name}")
    await call(wired.app(), body=HELLO, headers={"x-api-key": "sk-one"})
    principal = wired.keeper.records[-1].principal
    assert principal.id == f"id of {principal.name}"


async def test_without_keys_everything_belongs_to_one() -> None:
    wired = Wired()
    await call(wired.app(), body=HELLO)
    assert wired.keeper.records[-1].principal == LOCAL
