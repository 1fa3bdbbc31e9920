"""Every way to Claude, made for the URL of a (simulated) Messages API."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest

from claude_openai_proxy.upstreams.api.upstream import MessagesAPI
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from claude_openai_proxy.upstreams.claude_code.setup import Ready
from claude_openai_proxy.upstreams.http import HTTPClient
from claude_openai_proxy.upstreams.interface import Upstream
from upstreams.fixed_credentials import FixedCredentials

UpstreamFactory = Callable[[str, float], AbstractAsyncContextManager[Upstream]]
"""Takes the URL and the seconds of silence that are borne; checks on leaving that nothing is left behind."""


@asynccontextmanager
async def messages_api(url: str, silence: float) -> AsyncIterator[Upstream]:
    client = HTTPClient()
    upstream = MessagesAPI(client=client, credentials=FixedCredentials(url), timeout=silence, pause=0)
    yield upstream
    await upstream.aclose()
    assert client.open_connections == 0


@cache
def _shared_state() -> TemporaryDirectory[str]:
    """Where the proof of the CLI's contract is kept for the rest of the run."""
    return TemporaryDirectory(prefix="claude-proxy-state-")


_looked_at: list[Ready] = []
"""What the first of these upstreams found out about the CLI and its login: half a second each time."""


@asynccontextmanager
async def claude_code(url: str, silence: float) -> AsyncIterator[Upstream]:
    cli = find_cli("", {})
    if cli is None:
        pytest.skip("the Claude Code CLI is not installed")
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {
            "HOME": home,
            "PATH": "/usr/bin:/bin",
            "ANTHROPIC_BASE_URL": url,
            "CLAUDE_CODE_OAUTH_TOKEN": "sk-test-made-up",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        }
        upstream = ClaudeCode(
            cli=str(cli),
            environment=environment,
            state_dir=Path(_shared_state().name),
            timeout=silence,
            pool_size=0,
            pause=0,
        )
        if _looked_at:
            upstream._use(replace(_looked_at[0], environment=environment))
        await upstream.prepare()
        if not _looked_at and (ready := upstream._setup.known) is not None:
            _looked_at.append(ready)
        yield upstream
        await upstream.aclose()
        assert _sessions(home) == []


def _sessions(home: str) -> list[Path]:
    """What processes leave behind that were not cleaned up after."""
    return list(Path(home).glob(".claude/sessions/*"))


FACTORIES: Mapping[str, UpstreamFactory] = MappingProxyType({"messages_api": messages_api, "claude_code": claude_code})
