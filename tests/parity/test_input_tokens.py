"""Tokens that a response would take in: counted by key, and said to be no offer of Claude Code's."""

import openai
import pytest
from openai import AsyncOpenAI

from parity.sides import Pair


async def test_they_are_counted_by_key_alone(pair: Pair) -> None:
    async with AsyncOpenAI(base_url=f"{pair.api.base_url}/v1", api_key="none") as client:
        counted = await client.responses.input_tokens.count(model="custom-claude-4-opus", input="Hello")
    assert counted.input_tokens > 0
    async with AsyncOpenAI(base_url=f"{pair.claude_code.base_url}/v1", api_key="none", max_retries=2) as client:
        with pytest.raises(openai.InternalServerError) as refused:
            await client.responses.input_tokens.count(model="custom-claude-4-opus", input="Hello")
    assert (refused.value.status_code, refused.value.code) == (501, "not_offered")
    assert refused.value.response.headers["x-should-retry"] == "false"
