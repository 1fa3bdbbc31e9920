"""A real request through one upstream: small, and the way that a client's goes."""

import asyncio
import time

from claude_openai_proxy.app.wiring import Pins, chat_service, model_catalog
from claude_openai_proxy.doctor.report import Row
from claude_openai_proxy.errors import NoLoginError, ProxyError, UpstreamConnectionError, UpstreamStatusError
from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest, UserMessage
from claude_openai_proxy.records import LOCAL, RequestRecord
from claude_openai_proxy.service.chat import ChatService
from claude_openai_proxy.settings import Settings
from claude_openai_proxy.settings.table import BUILT_IN_ALIASES
from claude_openai_proxy.upstreams.interface import UpstreamChoice

SECONDS = 45.0
MODEL = next(alias for alias, line in BUILT_IN_ALIASES.items() if line == "sonnet")
REQUEST = ChatCompletionRequest(
    model=MODEL, messages=[UserMessage(content="Hi")], max_completion_tokens=32, reasoning_effort="low"
)

_BY_STATUS = {
    401: "Claude refused the login: log in again (claude-openai-proxy login), or renew the key.",
    403: "Your plan or account does not allow this. See `claude-openai-proxy models` and set MODEL_ALIASES, or "
    "log in with another account: claude-openai-proxy login",
    404: "This login has no such model. See `claude-openai-proxy models`, and set MODEL_ALIASES.",
    429: "The login is at its limit. Wait, or log in with another account: claude-openai-proxy login",
}
_ADDRESS = "Set ANTHROPIC_BASE_URL to the address below which the gateway has /v1/messages, without /v1."
_NETWORK = "Look at the network: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, a firewall, ANTHROPIC_BASE_URL."
_LATER = "Try again in a minute; https://status.claude.com tells of known trouble."


def check_of(kind: str) -> str:
    """The row's name for an upstream."""
    return f"Round trip ({kind})"


async def round_trip_row(settings: Settings, upstreams: UpstreamChoice, kind: str, pins: Pins = dict) -> Row:
    """Times in seconds since the request was begun, the start of a process included."""
    catalog = model_catalog(settings, upstreams, pins)
    try:
        async with asyncio.timeout(SECONDS):
            return Row(check_of(kind), "ok", await _ask(chat_service(settings, upstreams, catalog)))
    except TimeoutError:
        return Row(check_of(kind), "problem", f"no answer within {SECONDS:g} s", _NETWORK)
    except ProxyError as error:
        return Row(check_of(kind), "problem", error.message, remedy(error))
    except OSError as error:
        return Row(
            check_of(kind), "problem", str(error), "Look at the disk and at the limits of this user: df -h; ulimit -a"
        )
    finally:
        await catalog.aclose()


async def _ask(service: ChatService) -> str:
    started = time.monotonic()
    record = RequestRecord("doctor", LOCAL, "", "", started)
    first = None
    async with service.chat(REQUEST, unknown=(), record=record) as answer:
        async for batch in answer:
            if first is None and any(chunk.delta.content for chunk in batch):
                first = time.monotonic()
    ended = time.monotonic()
    token = f"first text after {first - started:.2f} s, " if first else ""
    return (
        f"{MODEL} -> {record.model_used} answered: {token}{ended - started:.2f} s in all, "
        f"{record.input_tokens} tokens in, {record.output_tokens} out"
    )


def remedy(error: ProxyError) -> str:
    """What to do about a request that failed."""
    if isinstance(error, UpstreamStatusError):
        if error.status == 404 and "ANTHROPIC_BASE_URL" in error.message:
            return _ADDRESS
        return _BY_STATUS.get(error.status, _LATER)
    if isinstance(error, UpstreamConnectionError):
        return _NETWORK
    return _BY_STATUS[401] if isinstance(error, NoLoginError) else _LATER
