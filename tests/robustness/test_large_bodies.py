"""Bodies of many megabytes: read, refused where they must be, and no trouble for the others meanwhile."""

import asyncio
import json

import pytest

from claude_openai_proxy.simulator.script import Script
from claude_openai_proxy.translate.schemas.nesting import is_deeper
from robustness.whole_proxy import WholeProxy
from web.direct import HELLO, call

MEGABYTE = 1_048_576
START = b'{"model":"custom-claude-4-opus","messages":[{"role":"user","content":"Hi"}],"unknown":'
FLAT = (b"[],", b'{"a":1},', b'["["],', b'"\\\\\\"",', b"[[[[1]]]],", b'"a",')


@pytest.mark.parametrize("unit", FLAT)
async def test_others_are_answered_while_a_large_flat_body_is_looked_through(proxy: WholeProxy, unit: bytes) -> None:
    body = START + b"[" + unit * (8 * MEGABYTE // len(unit)) + b"[]]}"
    large = asyncio.create_task(call(proxy.app, body=body))
    answered = 0
    while not large.done():
        assert (await call(proxy.app, "GET", "/health")).status == 200
        answered += 1
    assert (await large).status == 200
    assert answered > 1


async def test_a_picture_of_thirty_megabytes_goes_through(proxy: WholeProxy) -> None:
    proxy.simulator.play(Script.text("A picture.", skip_rules=True))
    url = "data:image/png;base64,iVBORw0KGgo" + "A" * (30 * MEGABYTE)
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    body = json.dumps({"model": "custom-claude-4-opus", "messages": [message]}).encode()
    assert (await call(proxy.app, body=body)).status == 200
    assert (await call(proxy.app, body=HELLO)).status == 200


@pytest.mark.parametrize("levels", [100, 101])
def test_a_long_closing_run_behind_a_flat_text_is_counted_exactly(levels: int) -> None:
    nested = b"[" * levels + b"]" * levels
    assert is_deeper(b"[" + b"[]," * MEGABYTE + nested + b"]", 101) == (levels == 101)
