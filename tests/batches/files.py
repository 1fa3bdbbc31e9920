"""Input files of batches, and what comes of them."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any, Literal

from openai import AsyncOpenAI
from openai.types import Batch

MODEL = "custom-claude-4-sonnet"
CHAT: Literal["/v1/chat/completions"] = "/v1/chat/completions"

Endpoint = Literal["/v1/chat/completions", "/v1/responses", "/v1/completions"]
JSONObject = dict[str, Any]


def chat(text: str = "Hello", **more: object) -> JSONObject:
    return {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}


def line(custom_id: str, body: JSONObject, url: str = CHAT, method: str = "POST") -> str:
    return json.dumps({"custom_id": custom_id, "method": method, "url": url, "body": body})


def jsonl(lines: Iterable[str]) -> bytes:
    return "".join(f"{one}\n" for one in lines).encode()


async def create(client: AsyncOpenAI, content: bytes, endpoint: Endpoint = CHAT, **more: Any) -> Batch:
    """As a script for OpenAI does it."""
    file = await client.files.create(file=("input.jsonl", content), purpose="batch")
    return await client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)


async def ended(client: AsyncOpenAI, batch: Batch) -> Batch:
    """Polled, as clients poll."""
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        await asyncio.sleep(0.01)
        batch = await client.batches.retrieve(batch.id)
    return batch


async def results(client: AsyncOpenAI, id_: str | None) -> list[JSONObject]:
    """The lines of a result file; none where there is no file."""
    if id_ is None:
        return []
    content = await client.files.content(id_)
    return [json.loads(one) for one in content.text.splitlines()]
