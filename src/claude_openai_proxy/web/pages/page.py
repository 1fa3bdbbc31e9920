"""The page at `/` for people: what runs here, and how to point a client at it."""

import hashlib
from base64 import b64encode
from html import escape
from importlib import resources
from string import Template
from typing import Final

from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import Exchange
from claude_openai_proxy.web.interface import HealthReport, HealthService

_CONTENT_TYPE: Final = b"text/html; charset=utf-8"
_ONE_OF_OURS: Final = "The API key is one of those in <code>PROXY_API_KEYS</code>."
_STATES: Final = {
    "ok": "Ready",
    "checking": "Looking up the login",
    "no_login": "No Claude login found",
    "unreachable": "Claude cannot be reached",
}


class Page:
    """`needs_key` says that clients must send one of the proxy's own keys."""

    def __init__(self, service: HealthService, *, needs_key: bool = False) -> None:
        self._service = service
        self._key = "YOUR-KEY" if needs_key else "any-key"
        self._advice = _ONE_OF_OURS if needs_key else "Any API key will do."
        html = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        self._template = Template(html)
        self._headers = _headers(html)

    @staticmethod
    def access(_: Exchange) -> Access:
        """It tells the login."""
        return "key"

    async def __call__(self, exchange: Exchange) -> None:
        """The page; it loads nothing and runs no script."""
        async with ClientWatch(exchange):
            report = await self._service.health(deep=False)
            html = self._render(report, base_url=f"{exchange.visitor.origin}/v1")
            await exchange.answer(200, html.encode(), content_type=_CONTENT_TYPE, headers=self._headers)

    def _render(self, report: HealthReport, *, base_url: str) -> str:
        return self._template.substitute(
            status=escape(report.status),
            state=escape(_STATES.get(report.status, report.status)),
            detail=f'<p class="quiet">{escape(report.detail)}</p>' if report.detail else "",
            base_url=escape(base_url),
            key=self._advice,
            example=escape(_example(base_url, next(iter(report.models), "custom-claude-4-opus"), key=self._key)),
            models="\n".join(_model_row(alias, id_) for alias, id_ in report.models.items()),
            version=escape(report.version),
            uptime=_span(report.uptime_seconds),
            upstream=escape(report.upstream),
            login=escape(report.login),
            billed=f"<dt>Billed</dt><dd>{escape(report.billed)}</dd>" if report.billed else "",
        )


def _headers(html: str) -> tuple[Header, ...]:
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return (
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    )


def _example(base_url: str, model: str, *, key: str) -> str:
    return (
        f"curl {base_url}/chat/completions \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -H 'Authorization: Bearer {key}' \\\n"
        "  -d '{\n"
        f'    "model": "{model}",\n'
        '    "messages": [{"role": "user", "content": "Hello"}]\n'
        "  }'"
    )


def _model_row(alias: str, id_: str) -> str:
    return f"<tr><td><code>{escape(alias)}</code></td><td><code>{escape(id_)}</code></td></tr>"


def _span(seconds: int) -> str:
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, length = next(((unit, length) for unit, length in units if seconds >= length), units[-1])
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"
