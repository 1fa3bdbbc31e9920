"""A dialect that nobody has, through every way to Claude."""

from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.translate.models.facts import facts_for
from claude_openai_proxy.upstreams.interface import AnswerFacts, Upstream
from translate.second_dialect import LineStream, read


async def test_a_dialect_of_thirty_lines_works_through_every_upstream(upstream: Upstream, simulator: Simulator) -> None:
    simulator.play(Script.tool_calls([("look_up", {"word": "天"})], text="Let me look."))
    translation = read(b'{"say": "Hello"}', facts_for("claude-opus-5-5", None), upstream.capabilities)
    stream = LineStream(translation.plan)

    lines: list[str] = []
    async with upstream.stream(translation.request, AnswerFacts()) as answer:
        async for batch in answer:
            lines += [line for event in batch for line in stream.feed(event)]
    lines += stream.finish()

    said = "".join(line.removeprefix("+ ") for line in lines[:-1])
    assert said == 'Let me look.call look up{"word":"天"}'
    assert lines[-1] == "end tool_use"
