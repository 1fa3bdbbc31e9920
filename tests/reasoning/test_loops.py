"""Ten-turn tool loops of plain OpenAI clients: thinking at every turn, the prompt read from the cache, no 400."""

import pytest
from openai import AsyncOpenAI

from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.translate.models.facts import BUILT_IN
from reasoning.loops import SYSTEM, Loop, all_that_was_written_is_read, asked_of, shares_read, thought_turns
from robustness.whole_proxy import WholeProxy

MODELS = [facts.id for facts in BUILT_IN]
EFFORTS = [None, "low", "high"]


def thinks(model: str, effort: str | None) -> bool:
    """The simulated model: with little effort it thinks only where it was given a budget."""
    facts = next(facts for facts in BUILT_IN if facts.id == model)
    if effort == "low":
        return "adaptive" not in facts.thinking
    return facts.thinking_by_default or effort is not None


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("model", MODELS)
async def test_ten_turns_keep_their_thinking_and_are_read_from_the_cache(
    client: AsyncOpenAI, simulator: Simulator, proxy: WholeProxy, model: str, effort: str | None, streamed: bool
) -> None:
    options = {"reasoning_effort": effort} if effort else {}
    loop = Loop.of_rounds(client, model, 9, calls=3, streamed=streamed, options=options)
    assert await loop.run() == 10

    requests = asked_of(simulator)
    assert [request.broken_rule for request in requests] == [""] * 10
    assert all(all(thought_turns(request)) == thinks(model, effort) for request in requests[1:])
    shares = shares_read(requests)
    assert min(shares[2:]) >= 0.9
    put_back = [record.thinking_put_back for record in proxy.ledger.records]
    assert put_back == (list(range(10)) if thinks(model, effort) else [0] * 10)


@pytest.mark.parametrize(("rounds", "calls"), [(60, 1), (10, 25), (10, 12), (60, 2)])
async def test_long_loops_and_wide_turns_are_read_from_the_cache(
    client: AsyncOpenAI, simulator: Simulator, rounds: int, calls: int
) -> None:
    """Wider than the 20 blocks that Claude looks back. A wide turn's own results are new, whatever is read before."""
    loop = Loop.of_rounds(client, "claude-opus-5-5", rounds, calls=calls, system=3 * SYSTEM, found="Found.")
    assert await loop.run() == rounds + 1
    requests = asked_of(simulator)
    assert {request.broken_rule for request in requests} == {""}
    assert all(all(thought_turns(request)) for request in requests)
    shares = shares_read(requests)
    assert min(shares[2:]) >= 0.9, shares
    assert all_that_was_written_is_read(requests)
