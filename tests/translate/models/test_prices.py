"""What an answer costs by list price."""

import pytest

from claude_openai_proxy.protocols.anthropic import CacheCreation, ServerToolUsage, Usage
from claude_openai_proxy.translate.models.prices import cost


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("claude-opus-5-5", Usage(input_tokens=1_000_000), 4),
        ("claude-opus-5-5", Usage(output_tokens=1_000_000), 20),
        ("claude-opus-4-8", Usage(cache_read_input_tokens=1_000_000), 0.5),
        ("claude-opus-5-5", Usage(cache_creation_input_tokens=1_000_000), 5),
        (
            "claude-opus-5-5",
            Usage(cache_creation_input_tokens=2_000_000, cache_creation=CacheCreation(0, 1_000_000)),
            5 + 8,
        ),
        ("claude-sonnet-5-5", Usage(server_tool_use=ServerToolUsage(web_search_requests=3)), 0.03),
        ("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=1_000_000), 0.01 + 0.5),
        ("claude-haiku-5-5", Usage(input_tokens=50_000, cache_read_input_tokens=50_001), (5_000 + 500.01) * 5 / 1e6),
        ("a-model-of-a-gateway", Usage(output_tokens=1_000_000), 50),
        ("claude-opus-5-5", Usage(), 0),
    ],
)
def test_cost(model: str, usage: Usage, dollars: float) -> None:
    assert cost(model, usage) == pytest.approx(dollars)
