"""A client is told not to come back only where the proxy has already tried again, or where trying is senseless."""

from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.simulator.script import Script
from robustness.whole_proxy import whole_proxy
from web.direct import HELLO, call


@pytest.mark.parametrize(
    ("retries", "script", "asked", "told"),
    [
        ("1", Script.error(500), 2, "false"),
        ("0", Script.error(500), 1, None),
        ("1", Script.html(), 1, "false"),
        ("0", Script.html(), 1, "false"),
        ("1", Script.error(400), 1, None),
        ("0", Script.error(529), 1, None),
    ],
)
async def test_who_may_try_again(
    environment: dict[str, str],
    simulator: Simulator,
    tmp_path: Path,
    retries: str,
    script: Script,
    asked: int,
    told: str | None,
) -> None:
    environment |= {"UPSTREAM_RETRIES": retries}
    simulator.play_when(lambda request: request.is_message, script)
    async with whole_proxy(load_settings(Flags(), environment, tmp_path), simulator) as proxy:
        answer = await call(proxy.app, body=HELLO)
    assert answer.headers.get("x-should-retry") == told
    assert len(await simulator.received(0)) == asked
