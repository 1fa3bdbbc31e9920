"""`GET /readme`: the README that was installed with the program, for whoever has the page and not the sources."""

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange

_TEXT: Final = b"text/plain; charset=utf-8"
_PACKAGE: Final = "claude-openai-proxy"


@cache
def installed_readme() -> str:
    """Its text, or "" where the program was not installed as a package."""
    try:
        return str(metadata(_PACKAGE).json.get("description") or "")
    except PackageNotFoundError:
        return ""


def readme_access(_: Exchange) -> Access:
    """It is the same everywhere, and tells nothing of this machine."""
    return "open"


async def readme(exchange: Exchange) -> None:
    """As text. Raises `ClientRefusedError` (404) where there is none."""
    text = installed_readme()
    if not text:
        raise ClientRefusedError("The README was not installed with the program.", status=404, code="unknown_url")
    await exchange.answer(200, text.encode(), content_type=_TEXT)
