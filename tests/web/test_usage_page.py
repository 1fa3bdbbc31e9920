"""The usage page without a browser: who gets in, what it weighs, and that nothing of a request acts in it."""

import logging
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from browser.usage_month import OPERATOR, PLAN, filled, needs_keys
from claude_openai_proxy.service.usage_sessions import LINK_SECONDS, SESSION_SECONDS
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.web.application import Application
from claude_openai_proxy.web.pages.usage_words import CHINESE, ENGLISH
from storage.ledger_rows import ROW
from web.direct import Answer, call
from web.wired import NOW, Wired

HTML = {"accept": "text/html"}
MOST_BYTES = 60_000
EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


async def page(app: Application, query: str = "", **headers: str) -> Answer:
    return await call(app, "GET", f"/usage{query}", headers=HTML | headers)


async def code_from(app: Application) -> str:
    answer = await call(app, "POST", "/usage/link", headers={"authorization": f"Bearer {OPERATOR}"})
    found = re.search(rb'"code":"([0-9a-f]{32})","expires_in":60', answer.body)
    assert answer.status == 200
    assert found
    return found[1].decode()


async def cookie_from(app: Application) -> str:
    answer = await call(app, "POST", "/usage/session", headers={"x-usage-code": await code_from(app)})
    assert answer.status == 204
    return answer.headers["set-cookie"].partition(";")[0]


class Tags(HTMLParser):
    """Collects elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# ---- what it is -----------------------------------------------------------------------------------------------------


async def test_five_blocks_in_their_order() -> None:
    answer = await page((await filled()).app())
    ids = [attributes["id"] for tag, attributes in Tags(answer.body.decode()).found if tag == "section"]
    assert (answer.status, ids) == (200, ["plan", "days", "keys", "latest", "cache"])
    assert "42 % used" in answer.body.decode()
    assert "of the input was read from the cache. By list price that saved $" in answer.body.decode()


async def test_its_policy_allows_nothing_unsafe_and_nobody_else() -> None:
    answer = await page((await filled()).app())
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; connect-src 'self'; base-uri 'none'; "
        r"form-action 'self'; frame-ancestors 'none'",
        policy,
    )
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    loads = {"src", "href", "srcset", "action", "style"}
    loaded = [
        (tag, name, value)
        for tag, attributes in Tags(answer.body.decode()).found
        for name, value in attributes.items()
        if name in loads or name.startswith("on")
    ]
    assert {value for _, _, value in loaded} == {
        "/",
        "/usage",
        "/usage?format=csv&by=day&since=30d",
        "/usage?format=json&by=day&since=30d",
    }


async def test_its_script_is_small() -> None:
    body = (await page((await filled()).app())).body
    assert len(body.partition(b"<script>")[2].partition(b"</script>")[0]) < 2_048


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_it_is_small_whatever_is_in_it(language: str) -> None:
    assert len((await page((await filled()).app(), **{"accept-language": language})).body) < MOST_BYTES
    evil = ["<" * 120, "&" * 120, "🦜" * 120]
    worst = [
        replace(
            ROW,
            id=str(number),
            at=NOW - number * 3_600 * 2,
            status=500,
            error=evil[number % 3],
            principal=f"key_{number % 60}",
            key=evil[number % 3],
            client=f"{number:03}{evil[number % 3]}",
            model_used=f"{number % 30:03}{evil[number % 3]}",
        )
        for number in range(360)
    ]
    answer = await page((await filled(worst)).app(), **{"accept-language": language})
    assert answer.status == 200
    assert len(answer.body) < MOST_BYTES


async def test_nothing_of_a_request_acts_in_it() -> None:
    row = replace(ROW, at=NOW - 60, client=EVIL, key=EVIL, principal=EVIL, model_used=EVIL, error=EVIL, status=500)
    made = await filled([row])
    made.meter.note(EVIL, "a", PLAN)
    text = (await page(made.app(), "?key=%22%3E%3Cimg%3E&client=%3Cscript%3E&status=%22%3E")).body.decode()
    tags = Tags(text).found
    assert [tag for tag, _ in tags if tag == "script"] == ["script"]
    assert not any(tag == "img" for tag, _ in tags)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_the_languages_have_the_same_words_and_blanks() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
    assert {name: set(re.findall(r"{\w+}", word)) for name, word in ENGLISH.items()} == {
        name: set(re.findall(r"{\w+}", word)) for name, word in CHINESE.items()
    }
    text = (await page((await filled()).app(), **{"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"})).body.decode()
    assert '<html lang="zh-CN">' in text
    assert "<h1>用量</h1>" in text


async def test_the_last_requests_can_be_chosen() -> None:
    failed = replace(ROW, id="2", at=NOW - 60, status=529, error="UpstreamStatusError overloaded_error")
    made = await filled([replace(ROW, at=NOW - 120), failed])

    async def shown(query: str) -> int:
        text = (await page(made.app(), query)).body.decode()
        return text.partition('id="latest"')[2].count("<tr><td>")

    assert [await shown(query) for query in ("", "?status=failed", "?status=200", "?status=404")] == [2, 1, 1, 0]
    assert [await shown(query) for query in ("?key=key_1", "?key=no", "?client=OpenAI/Python", "?client=curl")] == [
        2,
        0,
        2,
        0,
    ]
    assert await shown("?status=nonsense") == 2


async def test_without_requests_it_says_so() -> None:
    text = (await page(Wired().app())).body.decode()
    assert text.count(ENGLISH["nothing"]) == 2
    assert ENGLISH["no_plan"].replace("'", "&#x27;") in text


# ---- who gets in ----------------------------------------------------------------------------------------------------


async def test_without_keys_it_is_open_as_all_the_rest_is() -> None:
    app = (await filled()).app()
    assert (await page(app)).status == 200
    link = await call(app, "POST", "/usage/link")
    assert link.body == b'{"code":"","expires_in":60}'


async def test_a_browser_without_a_session_learns_how_to_get_one_and_nothing_else() -> None:
    answer = await page((await needs_keys(await filled())).app())
    text = answer.body.decode()
    assert answer.status == 401
    assert "claude-openai-proxy usage --open" in text
    assert not any(word in text for word in ("laptop", "opencode", "claude-opus-5-5", "42 %"))


async def test_a_link_opens_it_once() -> None:
    app = (await needs_keys(await filled())).app()
    code = await code_from(app)

    first = await call(app, "POST", "/usage/session", headers={"x-usage-code": code})
    second = await call(app, "POST", "/usage/session", headers={"x-usage-code": code})

    assert first.status == 204
    assert re.fullmatch(
        r"claude_openai_proxy_usage=\d+\.[0-9a-f]{32}\.[0-9a-f]{64}; Path=/usage; Max-Age=43200; HttpOnly; "
        r"SameSite=Strict",
        first.headers["set-cookie"],
    )
    assert (second.status, second.error.code) == (401, "link_expired")
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert (await page(app, cookie=cookie)).status == 200
    csv = await call(app, "GET", "/usage?format=csv", headers={"cookie": cookie})
    assert (csv.status, csv.headers["content-type"]) == (200, "text/csv; charset=utf-8")


async def test_a_session_reads_the_usage_and_nothing_else() -> None:
    app = (await needs_keys(await filled())).app()
    cookie = await cookie_from(app)
    for method, path in (
        ("GET", "/usage/plan"),
        ("GET", "/v1/models"),
        ("GET", "/health?deep=1"),
        ("POST", "/usage/link"),
        ("POST", "/v1/chat/completions"),
    ):
        assert (await call(app, method, path, headers={"cookie": cookie})).status == 401, path


async def test_a_link_is_good_for_a_minute_and_a_session_for_twelve_hours() -> None:
    made = await needs_keys(await filled())
    app = made.app()
    code, cookie = await code_from(app), await cookie_from(app)
    made.wall_clock += LINK_SECONDS
    assert (await call(app, "POST", "/usage/session", headers={"x-usage-code": code})).status == 401
    made.wall_clock = NOW + SESSION_SECONDS - 1
    assert (await page(app, cookie=cookie)).status == 200
    made.wall_clock += 1
    assert (await page(app, cookie=cookie)).status == 401


async def test_a_session_dies_with_the_credential() -> None:
    made = await needs_keys(await filled())
    app = made.app()
    cookie = await cookie_from(app)
    made.credential = OPERATOR.replace("0", "f")
    assert (await page(app, cookie=cookie)).status == 401
    made.credential = ""
    assert (await page(app, cookie=cookie)).status == 401


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "..",
        "9999999999",
        "9999999999..",
        "9999999999.0.0",
        "999999999999999999999999999999.a.b",
        "-1.a.b",
        "١٢٣.a.b",
        '"\\',
    ],
)
async def test_what_is_no_session_opens_nothing(forged: str) -> None:
    app = (await needs_keys(await filled())).app()
    header = f"claude_openai_proxy_usage={forged}".encode().decode("latin-1")
    assert (await page(app, cookie=header)).status == 401


async def test_an_altered_session_opens_nothing() -> None:
    app = (await needs_keys(await filled())).app()
    name, _, value = (await cookie_from(app)).partition("=")
    expires, nonce, seal = value.split(".")
    later = f"{name}={int(expires) + 1}.{nonce}.{seal}"
    assert (await page(app, cookie=later)).status == 401


async def test_another_clients_key_sees_nothing_and_makes_no_link() -> None:
    made = await filled()
    client, operator = new_secret(), new_secret()
    await made.stored_keys.add(StoredKey("key_1", "ann", created=NOW), client)
    await made.stored_keys.add(StoredKey("key_2", "ops", operator=True, created=NOW), operator)
    app = made.app()
    assert (await page(app, **{"x-api-key": client})).status == 403
    assert (await page(app, **{"x-api-key": operator})).status == 200
    for key in (client, operator):
        assert (await call(app, "POST", "/usage/link", headers={"x-api-key": key})).status == 403


async def test_a_page_of_another_site_gets_neither_link_nor_session() -> None:
    app = (await needs_keys(await filled())).app()
    code = await code_from(app)
    foreign = {"origin": "https://evil.example", "x-usage-code": code, "authorization": f"Bearer {OPERATOR}"}
    for path in ("/usage/link", "/usage/session"):
        assert (await call(app, "POST", path, headers=foreign)).status == 403


async def test_a_link_of_one_worker_opens_the_page_of_another() -> None:
    made, other = await needs_keys(await filled()), await needs_keys(await filled())
    other.usage_links = made.usage_links
    code = await code_from(made.app())
    app = other.app()
    answer = await call(app, "POST", "/usage/session", headers={"x-usage-code": code})
    assert answer.status == 204
    assert (await page(app, cookie=answer.headers["set-cookie"].partition(";")[0])).status == 200


async def test_behind_tls_the_cookie_is_for_tls_alone() -> None:
    made = await needs_keys(await filled())
    made.trusted_proxies = ("127.0.0.1",)
    app = made.app()
    headers = {"x-usage-code": await code_from(app), "x-forwarded-proto": "https"}
    assert (await call(app, "POST", "/usage/session", headers=headers)).headers["set-cookie"].endswith("; Secure")


async def test_neither_code_nor_session_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = (await needs_keys(await filled())).app()
    code = await code_from(app)
    answer = await call(app, "POST", "/usage/session", headers={"x-usage-code": code})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    await page(app, cookie=cookie)
    assert code not in caplog.text
    assert cookie.rpartition(".")[2] not in caplog.text
