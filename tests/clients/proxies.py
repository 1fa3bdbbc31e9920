"""The proxy on a real port in front of the simulator, once per upstream and run, in a thread of its own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.serving.limits import Limits
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from web.serving import served

Kind = Literal["api", "claude-code"]
MODEL = "custom-claude-4-sonnet"
REFUSED = "http://127.0.0.1:9"
"""Where what wants to leave this machine is sent: nobody listens there."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """`base_url` ends in `/v1`; `simulator` plays what Claude answers and keeps what it was asked."""

    kind: Kind
    base_url: str
    simulator: Simulator

    @property
    def native_url(self) -> str:
        """What Anthropic's clients are given: they add `/v1` themselves."""
        return self.base_url.removesuffix("/v1")

    def play(self, *scripts: Script) -> None:
        self.simulator.play(*scripts)

    def asked(self) -> list[dict[str, object]]:
        """The bodies of the Messages requests so far."""
        return [json.loads(request.body) for request in self.simulator.requests if request.is_message]

    def forget(self) -> None:
        """What one test left is not the next one's."""
        self.simulator._scripts.clear()
        self.simulator.requests.clear()


@asynccontextmanager
async def running_proxy(kind: Kind, home: Path) -> AsyncIterator[Proxy]:
    """A proxy with a made-up login, a home of its own and nothing of this machine's environment."""
    simulator = Simulator()
    async with simulator.serve() as url:
        environment = {"HOME": str(home), "ANTHROPIC_BASE_URL": url, "LOG_LEVEL": "error", "BATCH_POLL_SECONDS": "0.05"}
        settings = load_settings(Flags(), environment | _login(kind), home)
        async with served(create_app(settings), Limits(message_bytes=settings.max_body_mb << 20)) as address:
            yield Proxy(kind, f"{address}/v1", simulator)


def _login(kind: Kind) -> dict[str, str]:
    if kind == "api":
        return {"ANTHROPIC_API_KEY": "sk-ant-made-up"}
    return {
        "CLAUDE_UPSTREAM": "claude-code",
        "CLAUDE_CODE_OAUTH_TOKEN": "made-up-oauth-token",
        "CLAUDE_CLI_PATH": str(find_cli("", {})),
        "CLAUDE_POOL_SIZE": "1",
        "PATH": "/usr/bin:/bin",
        "HTTPS_PROXY": REFUSED,
        "HTTP_PROXY": REFUSED,
        "NO_PROXY": "127.0.0.1",
    }
