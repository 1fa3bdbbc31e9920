"""What README promises about traffic, counted on the other side."""

import pytest

from claude_openai_proxy.simulator import Simulator
from robustness.whole_proxy import WholeProxy
from web.direct import call


@pytest.mark.parametrize("path", ["/health", "/"])
async def test_health_and_the_page_call_nobody(proxy: WholeProxy, simulator: Simulator, path: str) -> None:
    for _ in range(20):
        assert (await call(proxy.app, "GET", path)).status == 200
    assert not simulator.requests


@pytest.mark.parametrize("path", ["/health?deep=1", "/ready"])
async def test_a_deep_look_is_one_free_request_whoever_asks(proxy: WholeProxy, simulator: Simulator, path: str) -> None:
    for _ in range(20):
        assert (await call(proxy.app, "GET", path)).status == 200
    assert len(simulator.requests) == 1
    assert not simulator.requests[0].is_message
