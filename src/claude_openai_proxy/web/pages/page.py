"""The page at `/` for people: what runs here, how to point a client at it, and a first message.

It comes with its facts in it, so that it says all without a script. The script sends a message, copies, and looks again
while there is no login. Whoever has shown no key where keys are set gets a page to enter one, and not a single fact.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Final

from claude_openai_proxy.service.codex_profile import KEY_VARIABLE, NAME, profile
from claude_openai_proxy.service.health import HealthReport, HealthService
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.client_watch import ClientWatch
from claude_openai_proxy.web.doors import Access
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange
from claude_openai_proxy.web.pages.readme import installed_readme
from claude_openai_proxy.web.pages.words import TAGS, WORDS, Language, language

_CONTENT_TYPE: Final = b"text/html; charset=utf-8"
_DEMO: Final = "demo"


class Page:
    """`needs_key` says whether clients must send one of the proxy's own keys; `remains`, where something is kept."""

    def __init__(self, service: HealthService, *, needs_key: Callable[[], bool] = bool, remains: str = "") -> None:
        self._service = service
        self._remains = remains
        self._needs_key = needs_key
        shell = _read("shell.html")
        self._shell, self._main, self._locked = (
            Template(shell),
            Template(_read("main.html")),
            Template(_read("locked.html")),
        )
        self._headers = page_headers(shell)

    @staticmethod
    def access(exchange: Exchange) -> Access:
        """A browser without a key is shown where to enter it; a program is told so."""
        return "page" if "text/html" in exchange.header(b"accept").lower() else "key"

    async def __call__(self, exchange: Exchange) -> None:
        """The page in the browser's language; it loads nothing."""
        spoken = language(exchange.header(b"accept-language"))
        async with ClientWatch(exchange):
            if exchange.record.principal is ANONYMOUS:
                exchange.record.code = "invalid_api_key"
                status, main = 401, self._locked.substitute(_words(spoken))
            else:
                report = await self._service.health(deep=False)
                base_url, operator = f"{exchange.visitor.origin}/v1", exchange.record.principal.operator
                status, main = 200, self._render(report, base_url=base_url, spoken=spoken, operator=operator)
            html = self._shell.substitute(lang=TAGS[spoken], main=main)
            await exchange.answer(status, html.encode(), content_type=_CONTENT_TYPE, headers=self._headers)

    def _render(self, report: HealthReport, *, base_url: str, spoken: Language, operator: bool) -> str:
        """A client is told what it can use, an operator whose login it is, too."""
        words = WORDS[spoken]
        key, advice = ("YOUR-KEY", "own_key") if self._needs_key() else ("any-key", "any_key")
        model = next(iter(report.models), "custom-claude-4-opus")
        return self._main.substitute(
            _words(spoken),
            waits=" data-waits" if report.status in ("no_login", "checking") else "",
            demo=f'<p class="demo">{escape(words["demo"])}</p>' if report.upstream == _DEMO else "",
            status=escape(report.status),
            state=escape(words.get(report.status, report.status)),
            detail=_detail(report) if operator else "",
            base_url=escape(base_url),
            advice=escape(words[advice]),
            options="".join(f"<option>{escape(alias)}</option>" for alias in report.models),
            example=escape(_example(base_url, model, words["hello"], key=key)),
            codex=escape("\n".join(profile(base_url, model, with_key=self._needs_key()))),
            codex_file=f"<code>~/.codex/{NAME}.config.toml</code>",
            codex_run=f"<code>{f'{KEY_VARIABLE}={key} ' if self._needs_key() else ''}codex -p {NAME}</code>",
            models="\n".join(_model_row(alias, id_) for alias, id_ in report.models.items()),
            version=escape(report.version),
            uptime=f"{words['up_for']} {_span(report.uptime_seconds, words)}",
            way=_way(report, words, self._remains) if operator else "",
            readme='<a href="/readme">README</a>' if installed_readme() else "",
        )


def _way(report: HealthReport, words: Mapping[str, str], remains: str) -> str:
    rows = [
        (words["way"], report.upstream),
        (words["login"], report.login),
        (words["billed"], report.billed or ""),
        (words["kept"], words["sealed"].format(where=remains) if remains else ""),
    ]
    return "\n".join(f"<dt>{escape(word)}</dt><dd>{escape(told)}</dd>" for word, told in rows if told)


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _words(spoken: Language) -> Mapping[str, str]:
    return {f"w_{name}": escape(word) for name, word in WORDS[spoken].items()}


def page_headers(html: str, *, forms: str = "'none'") -> tuple[Header, ...]:
    """For a page whose one style and one script are those in `html`; `forms`: where its forms may be sent."""
    policy = (
        f"default-src 'none'; style-src '{_digest(html, 'style')}'; script-src '{_digest(html, 'script')}'; "
        f"connect-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
    return (
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, accept-language"),
    )


def _digest(html: str, element: str) -> str:
    text = html.partition(f"<{element}>")[2].partition(f"</{element}>")[0]
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _detail(report: HealthReport) -> str:
    """What the state says already is not said again."""
    if not report.detail:
        return ""
    said = report.detail.removeprefix(f"{WORDS['en'].get(report.status, '')}. ")
    return f'<p class="quiet">{escape(said)}</p>'


def _example(base_url: str, model: str, hello: str, *, key: str) -> str:
    return (
        f"curl {base_url}/chat/completions \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -H 'Authorization: Bearer {key}' \\\n"
        "  -d '{\n"
        f'    "model": "{model}",\n'
        f'    "messages": [{{"role": "user", "content": "{hello}"}}]\n'
        "  }'"
    )


def _model_row(alias: str, id_: str) -> str:
    return f"<tr><td><code>{escape(alias)}</code></td><td><code>{escape(id_)}</code></td></tr>"


def _span(seconds: int, words: Mapping[str, str]) -> str:
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, length = next(((unit, length) for unit, length in units if seconds >= length), units[-1])
    count = seconds // length
    return f"{count} {words[unit]}{'' if count == 1 else words['plural']}"
