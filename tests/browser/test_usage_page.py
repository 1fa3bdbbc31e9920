"""The usage page in a real browser: with and without script, in both schemes and widths, and by its link."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from browser.chromium import chromium, desk, phone, program
from browser.usage_month import OPERATOR, filled, needs_keys
from claude_openai_proxy.service.usage_sessions import SESSION_SECONDS
from claude_openai_proxy.web.pages.usage_words import CHINESE, ENGLISH
from storage.ledger_rows import ROW
from web.direct import call
from web.serving import served
from web.test_usage_page import code_from
from web.wired import NOW

if TYPE_CHECKING:  # There are machines for which it has no wheel.
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.skipif(not program(), reason="chromium or playwright is not installed")

BLOCKS = ["plan", "days", "keys", "latest", "cache"]
AXE = Path(os.environ.get("NODE_PATH", "")) / "axe-core" / "axe.min.js"


@pytest.fixture
async def browser() -> AsyncIterator["Browser"]:
    async with chromium() as made:
        yield made


async def opened(page: "Page", url: str) -> list[str]:
    """The page at `url`, and what its browser complains of or asks others for."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(url) else told.append(request.url))
    await page.goto(f"{url}/usage")
    return told


async def sections(page: "Page") -> list[str]:
    ids: list[str] = await page.eval_on_selector_all("section", "found => found.map(one => one.id)")
    return ids


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("small", [False, True], ids=["desk", "phone"])
async def test_it_fits_and_asks_nobody_else(browser: "Browser", small: bool, dark: bool) -> None:
    context = await (phone if small else desk)(browser, dark=dark)
    page = await context.new_page()
    async with served((await filled()).app()) as url:
        assert await opened(page, url) == []
        assert await sections(page) == BLOCKS
        width = await page.evaluate("document.documentElement.scrollWidth")
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await context.close()
    assert width == (390 if small else 1_200)
    assert ground == ("rgb(28, 27, 25)" if dark else "rgb(250, 249, 246)")


async def test_bars_and_columns_are_drawn_under_its_policy(browser: "Browser") -> None:
    page = await (await desk(browser, dark=False)).new_page()
    async with served((await filled()).app()) as url:
        await opened(page, url)
        part = await page.eval_on_selector("#plan .part", "bar => bar.getBoundingClientRect().width")
        whole = await page.eval_on_selector("#plan .whole", "bar => bar.getBoundingClientRect().width")
        colours = await page.eval_on_selector_all(
            "#days .chart path.s0, #days .chart path.s1", "found => found.map(one => getComputedStyle(one).fill)"
        )
        await page.context.close()
    assert part / whole == pytest.approx(0.42, abs=0.01)
    assert colours == ["rgb(168, 72, 43)", "rgb(47, 102, 144)"] * 2


async def test_it_works_without_script(browser: "Browser") -> None:
    page = await (await desk(browser, dark=False, script=False)).new_page()
    rows = [replace(ROW, id=str(number), at=NOW - number, status=529 if number == 3 else 200) for number in range(5)]
    async with served((await filled(rows)).app()) as url:
        await opened(page, url)
        assert await page.locator("section").count() == 5
        assert await page.locator("#latest tbody tr").count() == 5
        await page.select_option("select[name=status]", "failed")
        await page.click("#latest button")
        assert await page.locator("#latest tbody tr").count() == 1
        assert await page.locator("#latest select[name=status]").input_value() == "failed"
        await page.click("summary")
        assert await page.locator("#days tbody tr").count() == 1
        await page.context.close()


async def test_it_speaks_the_browsers_language(browser: "Browser") -> None:
    page = await (await phone(browser, dark=False, language="zh-CN")).new_page()
    async with served((await filled()).app()) as url:
        await opened(page, url)
        assert await page.title() == "用量 · Claude OpenAI Proxy"
        headings = await page.locator("h2").all_text_contents()
        await page.context.close()
    assert headings == [CHINESE[word] for word in ("plan", "by_day", "by_key", "latest", "cache")]


async def test_it_looks_again_by_itself(browser: "Browser") -> None:
    made = await filled([replace(ROW, at=NOW - 60)])
    page = await (await desk(browser, dark=False)).new_page()
    await page.clock.install()
    async with served(made.app()) as url:
        await opened(page, url)
        assert await page.locator("#latest tbody tr").count() == 1
        await made.ledger.keep([replace(ROW, id="2", at=NOW - 30)], oldest=0)
        await page.clock.run_for(31_000)
        await page.locator("#latest tbody tr:nth-child(2)").wait_for()
        await page.context.close()


async def test_what_somebody_looks_at_stays(browser: "Browser") -> None:
    made = await filled([replace(ROW, at=NOW - 60)])
    page = await (await desk(browser, dark=False)).new_page()
    await page.clock.install()
    async with served(made.app()) as url:
        await opened(page, url)
        await page.focus("select[name=status]")
        await page.click("summary")
        await page.focus("select[name=status]")
        await made.ledger.keep([replace(ROW, id="2", at=NOW - 30, client="another")], oldest=0)
        await page.clock.run_for(31_000)
        await page.locator("#keys tbody tr:nth-child(2)").wait_for()
        assert await page.locator("#latest tbody tr").count() == 1
        assert await page.locator("details[open]").count() == 1
        await page.context.close()


async def test_a_session_that_has_ended_shows_the_door(browser: "Browser") -> None:
    made = await needs_keys(await filled())
    app = made.app()
    page = await (await desk(browser, dark=False)).new_page()
    await page.clock.install()
    async with served(app) as url:
        await page.goto(f"{url}/usage#{await code_from(app)}")
        await page.locator("#plan").wait_for()
        made.wall_clock += SESSION_SECONDS
        await page.clock.run_for(31_000)
        await page.locator("#locked").wait_for()
        await page.context.close()


async def test_a_link_opens_it_once_and_leaves_no_trace(browser: "Browser") -> None:
    app = (await needs_keys(await filled())).app()
    context = await desk(browser, dark=False)
    page = await context.new_page()
    async with served(app) as url:
        code = await code_from(app)
        await page.goto(f"{url}/usage#{code}")
        await page.locator("#plan").wait_for()
        assert page.url == f"{url}/usage"
        assert await page.evaluate("document.cookie") == ""
        (cookie,) = await context.cookies(f"{url}/usage")
        assert (cookie["name"], cookie["path"], cookie["httpOnly"]) == ("claude_openai_proxy_usage", "/usage", True)
        assert cookie["sameSite"] == "Strict"
        assert await context.cookies(f"{url}/") == []

        other = await (await desk(browser, dark=False)).new_page()
        await other.goto(f"{url}/usage#{code}")
        await other.locator("#wrong:not([hidden])").wait_for()
        assert await other.locator("#wrong").text_content() == ENGLISH["locked_wrong"]
        assert other.url == f"{url}/usage"
        await other.context.close()
        await context.close()


@pytest.mark.skipif(not AXE.is_file(), reason="the Node package 'axe-core' is not installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("small", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("locked", [False, True], ids=["open", "locked"])
async def test_axe_finds_nothing_serious(browser: "Browser", small: bool, dark: bool, locked: bool) -> None:
    made = await filled()
    if locked:
        await needs_keys(made)
    page = await (await (phone if small else desk)(browser, dark=dark)).new_page()
    async with served(made.app()) as url:
        await page.goto(f"{url}/usage")
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await page.evaluate(
            "axe.run().then(found => found.violations.map(one => [one.impact, one.id, one.nodes[0].html]))"
        )
        await page.context.close()
    assert found == []


async def test_the_operators_credential_is_needed_for_a_link() -> None:
    app = (await needs_keys(await filled())).app()
    wrong = OPERATOR.replace("0", "1")
    assert (await call(app, "POST", "/usage/link", headers={"authorization": f"Bearer {wrong}"})).status == 401
