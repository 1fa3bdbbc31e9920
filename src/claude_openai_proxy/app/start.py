"""What is told at the start, and why there may be none."""

import asyncio
from collections.abc import Awaitable, Collection
from contextlib import suppress

from claude_openai_proxy.app.upstreams import plan_refusal
from claude_openai_proxy.errors import PlanSpentError, ProxyError
from claude_openai_proxy.protocols.openai_chat_response import Model
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.service.models import ModelCatalog
from claude_openai_proxy.service.spend_guard import SpendGuard
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.trust import UpstreamName
from claude_openai_proxy.upstreams.interface import UpstreamChoice
from claude_openai_proxy.upstreams.selection import SelectedUpstream

LOGIN_SECONDS = 5.0
"""What is told at the start waits so long for the Claude Code CLI."""

UNKNOWN_PLAN = (
    "PLAN_ONLY: nothing is known of the plan's limits yet. Claude Code tells them with a refusal; what extra usage "
    "lets through is not told, so turn it off in Claude's settings if it must not be spent."
)
DEMO_NOTE = "Demo: the built-in simulator answers, not Claude. Nothing leaves this machine, nothing is billed."


async def start_refusal(settings: Settings, upstreams: UpstreamChoice, keys: ClientKeys) -> str:
    """Why the server must not start for the login there is; "" where it may.

    The CLI is asked only where its answer can matter; requests are judged again, so that it need not answer now.
    """
    await keys.refresh()
    if settings.public and not settings.client_keys and not keys.valid():
        return open_door_refusal(settings)
    if taken := keys.taken_names():
        return f"{taken[0]} names a key of PROXY_API_KEYS and a stored one. Give the former another name."
    if isinstance(upstreams, SelectedUpstream) and plan_refusal(settings, personal=True, client_keys=keys.count):
        with suppress(TimeoutError):
            async with asyncio.timeout(LOGIN_SECONDS):
                return await upstreams.start_refusal()
    return ""


def open_door_refusal(settings: Settings) -> str:
    """Why a public address needs keys."""
    login = "so that other machines could use your Claude login"
    harm = "so that other machines could use it" if settings.demo else login
    return (
        f"PROXY_HOST is {settings.host!r} (from {settings.sources['PROXY_HOST']}), {harm}. Give clients a key first: "
        "claude-openai-proxy keys add NAME, or PROXY_API_KEYS=name:a-long-random-key"
    )


async def login_lines(upstreams: UpstreamChoice) -> list[str]:
    """Upstream, login and who is billed; the CLI is given some seconds to tell."""
    if not isinstance(upstreams, SelectedUpstream):
        return [DEMO_NOTE]
    silent = f"The Claude Code CLI has not told its login within {LOGIN_SECONDS:g} s; /health tells it once it has."
    state = await _in_time(_state_lines(upstreams), otherwise=[silent])
    return [*state, *await _in_time(_shadow_lines(upstreams), otherwise=[])]


async def money_lines(settings: Settings, upstreams: UpstreamChoice, guard: SpendGuard) -> list[str]:
    """What PLAN_ONLY cannot know yet, or will not let through; what a fallback may cost, or why it cannot answer."""
    if not isinstance(upstreams, SelectedUpstream):
        return []
    plan = await _in_time(_plan_lines(upstreams, guard), otherwise=[]) if settings.plan_only else []
    if settings.fallback == "none":
        return plan
    return [*plan, *await _in_time(_fallback_lines(settings, settings.fallback, upstreams), otherwise=[])]


def remains_lines(remains: str) -> list[str]:
    """Where remains of prompts and answers rest on a disk; none where nothing is kept there."""
    if not remains:
        return []
    return [printable(f"Kept, sealed: what was said and uploaded, in {remains} (STATE=memory: nothing on disk)")]


async def _plan_lines(upstreams: SelectedUpstream, guard: SpendGuard) -> list[str]:
    try:
        identity = (await upstreams.current()).identity
        guard.check(identity, "")
    except ProxyError as error:
        return [error.message] if isinstance(error, PlanSpentError) else []
    return [UNKNOWN_PLAN] if guard.unknown(identity) else []


async def _fallback_lines(settings: Settings, kind: UpstreamName, upstreams: SelectedUpstream) -> list[str]:
    try:
        fallback = await upstreams.of_kind(kind)
    except ProxyError as error:
        return [f"Warning: CLAUDE_FALLBACK_UPSTREAM={kind} cannot answer: {error.message}"]
    with suppress(ProxyError):
        if await upstreams.current() is fallback:
            return [f"Warning: CLAUDE_FALLBACK_UPSTREAM={kind} is the way that comes first, and no other."]
    if fallback.identity.payer == "plan":
        return [f"Fallback: {kind}"]
    if not settings.fallback_budget:
        return [f"Warning: FALLBACK_BUDGET=0 turns CLAUDE_FALLBACK_UPSTREAM={kind} off."]
    return [f"Fallback: {kind}, for {settings.fallback_budget:g} US dollars a day (UTC) at most"]


async def _in_time(lines: Awaitable[list[str]], *, otherwise: list[str]) -> list[str]:
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            return await lines
    except TimeoutError:
        return otherwise


async def _state_lines(upstreams: SelectedUpstream) -> list[str]:
    status = await upstreams.status()
    if not status.logged_in:
        return [*upstreams.notes(), status.detail]
    return [f"Upstream: {status.kind}, login: {status.login}", f"Billed: {status.billed}", *upstreams.notes()]


async def _shadow_lines(upstreams: SelectedUpstream) -> list[str]:
    subscription = await upstreams.shadowed_subscription()
    return (
        [f"The key comes before your {subscription}. To use that: claude-openai-proxy --upstream claude-code"]
        if subscription
        else []
    )


async def model_lines(catalog: ModelCatalog, fallbacks: Collection[str] = ()) -> list[str]:
    """What each alias and DEFAULT_MODEL stand for now, and which of them, and of `fallbacks`, lead nowhere."""
    aliases = [f"Model {alias} -> {id_}" for alias, id_ in (await catalog.aliases()).items()]
    default = await catalog.default()
    unknown = [f"Any other model ({default[0]}, DEFAULT_MODEL) -> {default[1]}"] if default else []
    wrong = [f"Warning: {sentence}" for sentence in await catalog.unresolved(fallbacks)]
    return [printable(line) for line in (*aliases, *unknown, *wrong)]


def model_line(model: Model) -> str:
    """A model, and what it stands for where it is an alias."""
    return printable(f"{model.id} -> {model.resolves_to}" if model.resolves_to else model.id)


def printable(text: str) -> str:
    """What a terminal would obey is shown as `?`: names come from files and from Claude's side."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
