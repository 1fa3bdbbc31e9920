"""A large file is never in memory as a whole. The whole of a large batch: python benchmarks/batches.py"""

import asyncio
import sys
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from batches.files import chat, line
from cli.running import running
from soak.hostile import largest_memory

MEGABYTE = 1_048_576
SIZE = 64 * MEGABYTE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")


async def test_a_large_file_goes_to_the_disk_and_comes_back_piece_by_piece(tmp_path: Path) -> None:
    one = line("a", chat("word " * 20_000)).encode() + b"\n"
    path = tmp_path / "input.jsonl"
    path.write_bytes(one * (SIZE // len(one)))
    extra = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "LOG_LEVEL": "error"}
    with running("serve", "--port", "0", home=tmp_path, extra=extra) as command:
        port = await asyncio.to_thread(command.port)
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
            await client.files.list()
            before = largest_memory(command)
            file = await client.files.create(file=path, purpose="batch")
            size = 0
            async with client.files.with_streaming_response.content(file.id) as content:
                async for piece in content.iter_bytes():
                    size += len(piece)
            grown = largest_memory(command) - before
    assert file.bytes == size == path.stat().st_size
    assert grown < SIZE / MEGABYTE / 2
