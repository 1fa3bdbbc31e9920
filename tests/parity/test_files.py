"""A file that was uploaded once: both ways to Claude send it along, from one place where it is kept."""

import json

from openai import AsyncOpenAI

from claude_openai_proxy.simulator import Script
from parity.sides import Pair
from translate.shape import user


async def test_an_uploaded_file_reaches_claude_both_ways(pair: Pair) -> None:
    async with AsyncOpenAI(base_url=f"{pair.api.base_url}/v1", api_key="none") as client:
        file = await client.files.create(file=("notes.txt", b"The key is under the mat."), purpose="user_data")
    part = {"type": "file", "file": {"file_id": file.id}}

    for outcome in await pair.ask(
        {"model": "custom-claude-4-opus", "messages": [user([part])]}, Script.text("Under the mat.")
    ):
        assert outcome.complete
        (sent,) = outcome.sent
        assert "The key is under the mat." in json.dumps(sent["messages"])


async def test_an_uploaded_file_that_a_tool_returned_reaches_claude_both_ways(pair: Pair) -> None:
    async with AsyncOpenAI(base_url=f"{pair.api.base_url}/v1", api_key="none") as client:
        file = await client.files.create(file=("notes.txt", b"The key is under the mat."), purpose="user_data")
    call = {"id": "call_1", "type": "function", "function": {"name": "fetch", "arguments": "{}"}}
    result = [{"type": "text", "text": "Found:"}, {"type": "file", "file": {"file_id": file.id}}]
    messages = [
        user("Fetch it."),
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]

    for outcome in await pair.ask(
        {"model": "custom-claude-4-opus", "messages": messages}, Script.text("Under the mat.")
    ):
        assert outcome.complete
        (sent,) = outcome.sent
        assert "The key is under the mat." in json.dumps(sent["messages"])
