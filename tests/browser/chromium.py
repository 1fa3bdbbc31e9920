"""Debian's Chromium, headless; also writes the pictures of docs/usage.md:

PYTHONPATH=tests python -m browser.chromium
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from browser.usage_month import filled
from web.serving import served

if TYPE_CHECKING:  # There are machines for which it has no wheel.
    from playwright.async_api import Browser, BrowserContext

CHROMIUM = (Path("/usr/bin/chromium"), Path("/usr/bin/chromium-browser"))
"""Debian's, and Ubuntu's."""
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def program() -> str:
    """Where it is; "" where it, or what drives it, is not installed."""
    return next((str(path) for path in CHROMIUM if path.exists() and find_spec("playwright")), "")


@asynccontextmanager
async def chromium() -> AsyncIterator["Browser"]:
    """Headless; it reaches nothing but this machine."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - see above

    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        browser = await playwright.chromium.launch(executable_path=program(), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def phone(browser: "Browser", *, dark: bool, language: str = "en") -> "BrowserContext":
    """390 pixels wide."""
    return await browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if dark else "light", locale=language
    )


async def desk(browser: "Browser", *, dark: bool, language: str = "en", script: bool = True) -> "BrowserContext":
    """1200 pixels wide."""
    return await browser.new_context(
        viewport={"width": 1_200, "height": 900},
        color_scheme="dark" if dark else "light",
        locale=language,
        java_script_enabled=script,
    )


async def main() -> None:
    """Both pictures."""
    PICTURES.mkdir(exist_ok=True)
    async with served((await filled()).app()) as url, chromium() as browser:
        for context, name, height in (
            (await desk(browser, dark=False), "usage.png", 1_500),
            (await phone(browser, dark=True), "usage-phone-dark.png", 1_700),
        ):
            page = await context.new_page()
            await page.goto(f"{url}/usage")
            width = page.viewport_size["width"] if page.viewport_size else 0
            clip = {"x": 0.0, "y": 0.0, "width": float(width), "height": float(height)}
            await page.screenshot(path=PICTURES / name, full_page=True, clip=clip)  # type: ignore[arg-type]
            await context.close()


if __name__ == "__main__":
    asyncio.run(main())
