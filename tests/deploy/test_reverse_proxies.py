"""The examples for reverse proxies: they are taken as printed, and through nginx every token comes when it is there."""

import asyncio
import json
import socket
from pathlib import Path

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Gate, Simulator
from claude_openai_proxy.simulator.message_events import block_events, message_end, message_start
from claude_openai_proxy.simulator.script import Script
from deploy.reverse_proxies import DEPLOY, NAME, certificate, nginx, nginx_configuration, program, says
from robustness.whole_proxy import whole_proxy
from web.raw_client import Connection
from web.serving import served

BODY = json.dumps(
    {"model": "custom-claude-4-sonnet", "stream": True, "messages": [{"role": "user", "content": "count"}]}
).encode()
REQUEST = (
    f"POST /v1/chat/completions HTTP/1.1\r\nhost: {NAME}\r\nauthorization: Bearer a-long-key-for-the-editor\r\n"
    f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
).encode() + BODY


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_nginx_takes_its_example(tmp_path: Path) -> None:
    configuration = nginx_configuration(tmp_path, free_port(), "127.0.0.1:3000", certificate(tmp_path))

    assert "test is successful" in says(
        program("nginx"), "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(configuration)
    )


def test_caddy_takes_its_example(tmp_path: Path) -> None:
    words = ("env", f"HOME={tmp_path}", program("caddy"))
    given = ("--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile")
    adapted = json.loads(says(*words, "adapt", *given).splitlines()[-1])

    assert "Valid configuration" in says(*words, "validate", *given)
    assert "claude.example.org" in json.dumps(adapted)
    assert '"flush_interval": -1' in json.dumps(adapted)


async def test_through_nginx_a_token_comes_when_it_is_there_and_the_log_knows_who_asked(
    simulator: Simulator, simulator_url: str, tmp_path: Path
) -> None:
    seen = asyncio.Event()
    begun, first, *others = block_events(0, {"type": "text", "text": "one two"}, ["one ", "two"])
    simulator.play_when(
        lambda request: request.is_message,
        Script.events([message_start(), begun, first, Gate(seen), *others, *message_end("end_turn")]),
    )
    environment = {
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "ANTHROPIC_BASE_URL": simulator_url,
        "HOME": str(tmp_path),
        "PROXY_API_KEYS": "editor:a-long-key-for-the-editor",
        "ALLOWED_HOSTS": NAME,
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    trusted = certificate(tmp_path)
    port = free_port()
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy, served(proxy.app) as url:
        configuration = nginx_configuration(tmp_path, port, url.removeprefix("http://"), trusted)
        async with nginx(tmp_path, configuration):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusted.trusting(), server_hostname=NAME
            )
            client = Connection(reader, writer)
            try:
                writer.write(REQUEST)
                status, _ = await client.head()
                said = b""
                while b'"one "' not in said:
                    said += await client.chunk()
                seen.set()
                said += await client.rest()
            finally:
                client.leave()
        (record,) = await proxy.ledger.ends(1)

    assert status == 200
    assert b'"two"' in said
    assert said.endswith(b"data: [DONE]\n\n")
    assert (record.principal.name, record.address) == ("editor", "127.0.0.1")
