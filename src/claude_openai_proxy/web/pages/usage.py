"""`GET /usage`: what the requests used and cost, as a page for people, as JSON or as CSV; and the door to the page.

| who comes | the page | JSON and CSV |
|---|---|---|
| an operator, or anybody where no keys are set | is shown | are given |
| a browser with a session | is shown | are given |
| another client key | 403 | 403 |
| a browser without any | is told how to get in | 401 |
"""

from collections.abc import Mapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from string import Template
from typing import Final
from urllib.parse import parse_qs

import msgspec

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.records import LOCAL
from claude_openai_proxy.service.client_keys import OPERATOR
from claude_openai_proxy.service.usage import (
    DEFAULT_SPAN,
    SPAN_WORDS,
    Usage,
    UsageReport,
    read_dimension,
    read_span,
    to_csv,
)
from claude_openai_proxy.service.usage_overview import Filter, UsageOverview
from claude_openai_proxy.service.usage_sessions import LINK_SECONDS, SESSION_SECONDS, UsageSessions
from claude_openai_proxy.storage.ledger import DIMENSIONS
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import ANONYMOUS, JSON, Exchange
from claude_openai_proxy.web.pages.page import page_headers
from claude_openai_proxy.web.pages.usage_blocks import blocks, links, moment
from claude_openai_proxy.web.pages.usage_words import USAGE_WORDS
from claude_openai_proxy.web.pages.words import TAGS, language

_encode: Final = msgspec.json.Encoder().encode
_HTML: Final = b"text/html; charset=utf-8"
_CSV: Final = b"text/csv; charset=utf-8"
_FORMATS: Final = ("html", "json", "csv")
_HEADERS: Final = ((b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"), (b"vary", b"accept, cookie"))
_COOKIE: Final = "claude_openai_proxy_usage"
_COMMAND: Final = "claude-openai-proxy usage --open"


class UsagePage:
    """Figures of everybody's requests."""

    def __init__(self, usage: Usage, overview: UsageOverview, sessions: UsageSessions) -> None:
        self._usage = usage
        self._overview = overview
        self._sessions = sessions
        shell = resources.files(__package__).joinpath("usage.html").read_text(encoding="utf-8")
        self._shell = Template(shell)
        self._headers = page_headers(shell, forms="'self'")

    def access(self, exchange: Exchange) -> Access:
        """Who used what is not every client's business; a browser without a session is told how to get one."""
        return "page" if self._has_session(exchange) or _wants_page(exchange, _query(exchange)) else "operator"

    @staticmethod
    def link_access(_: Exchange) -> Access:
        """Only by the credential of the proxy's own machine."""
        return "operator"

    @staticmethod
    def session_access(_: Exchange) -> Access:
        """Whoever has a code has no key to show."""
        return "page"

    async def __call__(self, exchange: Exchange) -> None:
        """`by`, `since` and `format` in the query; of the page, `status`, `key` and `client`.

        Raises `InvalidRequestError`, `StorageUnavailableError`, `ClientRefusedError`.
        """
        query, who = _query(exchange), exchange.record.principal
        async with ClientWatch(exchange):
            if not (who.operator or self._has_session(exchange)):
                if who is not ANONYMOUS:
                    raise ClientRefusedError("Only an operator sees this.", status=403, code="operator_only")
                await self._answer_page(exchange, 401, locked=True)
            elif _wants_page(exchange, query):
                await self._answer_page(exchange, 200, query)
            elif _format(exchange, query) == "csv":
                csv = to_csv(await self._report(query)).encode()
                await exchange.answer(200, csv, content_type=_CSV, headers=_HEADERS)
            else:
                await exchange.answer(200, _encode(await self._report(query)), content_type=JSON, headers=_HEADERS)

    async def link(self, exchange: Exchange) -> None:
        """A new code for a link, "" where the page is open to everybody.

        Raises `ClientRefusedError`, `StorageUnavailableError`.
        """
        async with ClientWatch(exchange):
            if exchange.record.principal not in (OPERATOR, LOCAL):
                raise ClientRefusedError(
                    f"A link is made on the proxy's own machine, by {_COMMAND}.", status=403, code="operator_only"
                )
            code = "" if exchange.record.principal is LOCAL else await self._sessions.link()
            told = {"code": code, "expires_in": LINK_SECONDS}
            await exchange.answer(200, _encode(told), headers=_HEADERS)

    async def session(self, exchange: Exchange) -> None:
        """The code of a link, once, for a cookie. Raises `ClientRefusedError`, `StorageUnavailableError`."""
        async with ClientWatch(exchange):
            session = await self._sessions.session(exchange.header(b"x-usage-code"))
            if not session:
                raise ClientRefusedError(
                    f"The link was used before, or is older than {LINK_SECONDS} seconds: {_COMMAND}",
                    status=401,
                    code="link_expired",
                )
            secure = "; Secure" if exchange.visitor.scheme == "https" else ""
            cookie = f"{_COOKIE}={session}; Path=/usage; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Strict{secure}"
            await exchange.answer(204, headers=[*_HEADERS, (b"set-cookie", cookie.encode())])

    def _has_session(self, exchange: Exchange) -> bool:
        try:
            cookies = SimpleCookie(exchange.header(b"cookie"))
        except CookieError:
            return False
        return _COOKIE in cookies and self._sessions.admits(cookies[_COOKIE].value)

    async def _answer_page(
        self, exchange: Exchange, status: int, query: dict[str, str] | None = None, *, locked: bool = False
    ) -> None:
        spoken = language(exchange.header(b"accept-language"))
        words = USAGE_WORDS[spoken]
        if locked:
            exchange.record.code, main = "invalid_api_key", _locked(words)
        else:
            asked = Filter(**{name: (query or {}).get(name, "") for name in ("status", "key", "client")})
            overview = await self._overview.of(asked)
            told = words["span"].format(now=moment(overview.now))
            main = (
                f'<main><h1>{escape(words["title"])}</h1><p class="quiet" id="span">{escape(told)}</p>'
                f"{blocks(overview, words)}{links(words)}</main>"
            )
        html = self._shell.substitute(lang=TAGS[spoken], title=escape(words["title"]), main=main)
        await exchange.answer(status, html.encode(), content_type=_HTML, headers=self._headers)

    async def _report(self, query: dict[str, str]) -> UsageReport:
        try:
            by = read_dimension(query.get("by", "day"))
        except ValueError:
            raise InvalidRequestError(f"by must be one of {', '.join(DIMENSIONS)}.", param="by") from None
        try:
            seconds = read_span(query.get("since", DEFAULT_SPAN))
        except ValueError:
            raise InvalidRequestError(f"since must be {SPAN_WORDS}.", param="since") from None
        return await self._usage.report(by, seconds)


def _locked(words: Mapping[str, str]) -> str:
    return (
        f'<main><h1>{escape(words["title"])}</h1><section aria-labelledby="locked"><h2 id="locked">'
        f'{escape(words["locked"])}</h2><p>{escape(words["locked_how"])}</p><pre tabindex="0">{_COMMAND}</pre>'
        f'<p class="bad" id="wrong" role="alert" hidden>{escape(words["locked_wrong"])}</p>'
        f'<noscript><p class="quiet">{escape(words["locked_script"])}</p></noscript></section></main>'
    )


def _query(exchange: Exchange) -> dict[str, str]:
    """The last value of each."""
    return {name: values[-1] for name, values in parse_qs(exchange.query.decode("latin-1")).items()}


def _wants_page(exchange: Exchange, query: dict[str, str]) -> bool:
    """A browser, unless another form is asked for by name."""
    if "format" in query:
        return query["format"] == "html"
    return "text/html" in exchange.header(b"accept").lower()


def _format(exchange: Exchange, query: dict[str, str]) -> str:
    asked = query.get("format", "")
    if asked and asked not in _FORMATS:
        raise InvalidRequestError(f"format must be one of {', '.join(_FORMATS)}.", param="format")
    return asked or ("csv" if "text/csv" in exchange.header(b"accept").lower() else "json")
