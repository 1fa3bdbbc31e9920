"""What a large batch takes of a server: memory, time, and what live requests notice of it.

python benchmarks/batches.py [LINES] [MEGABYTES]     50,000 lines of 200 MB unless told otherwise

The server is a process of its own; the simulated API, this one.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from openai import AsyncOpenAI

from claude_openai_proxy.simulator import Simulator
from cli.running import Command, running

MODEL = "custom-claude-4-sonnet"
MEGABYTE = 1_048_576


def lines(count: int, size: int) -> Iterator[bytes]:
    """`count` lines, `size` bytes in all."""
    empty = _line(0, "")
    text = "word " * max(1, (size // count - len(empty)) // 5)
    return (_line(number, text) for number in range(count))


def _line(number: int, text: str) -> bytes:
    body = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}
    request = {"custom_id": f"r{number:06d}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(request).encode() + b"\n"


async def measure(count: int, size: int, *, home: Path) -> dict[str, Any]:
    """Figures of one batch: megabytes of memory at most, seconds, milliseconds of live requests meanwhile."""
    path = home / "requests.jsonl"
    with path.open("wb") as file:
        file.writelines(lines(count, size))
    simulator = Simulator(keep=10)
    async with simulator.serve() as url:
        extra = {"ANTHROPIC_API_KEY": "sk-ant-made-up", "ANTHROPIC_BASE_URL": url, "BATCH_POLL_SECONDS": "1"}
        with running("serve", "--port", "0", home=home, extra=extra | {"LOG_LEVEL": "error"}) as command:
            port = await asyncio.to_thread(command.port)
            async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", timeout=600) as client:
                return await _run(client, command, path, count)


async def _run(client: AsyncOpenAI, command: Command, path: Path, count: int) -> dict[str, Any]:
    alone = [await _live(client) for _ in range(20)]
    before, started, meanwhile = peak_mb(command), time.monotonic(), []
    uploaded = await client.files.create(file=path, purpose="batch")
    after_upload = peak_mb(command)
    batch = await client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    async for _ in _every(0.5):
        meanwhile.append(await _live(client))
        batch = await client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            break
    assert batch.status == "completed", batch
    seconds = time.monotonic() - started
    got = 0
    async with client.files.with_streaming_response.content(batch.output_file_id or "") as content:
        async for line in content.iter_lines():
            got += line.startswith('{"id"')
    assert got == count, got
    return {
        "lines": count,
        "input MB": round(uploaded.bytes / MEGABYTE),
        "memory before MB": before,
        "memory after upload MB": after_upload,
        "memory at most MB": peak_mb(command),
        "seconds": round(seconds, 1),
        "live request alone ms": round(median(alone) * 1000, 1),
        "live request meanwhile ms": round(median(meanwhile) * 1000, 1),
        "longest live request meanwhile ms": round(max(meanwhile) * 1000, 1),
    }


async def _live(client: AsyncOpenAI) -> float:
    started = time.monotonic()
    await client.chat.completions.create(model=MODEL, max_tokens=10, messages=[{"role": "user", "content": "Hello"}])
    return time.monotonic() - started


async def _every(seconds: float) -> AsyncIterator[None]:
    while True:
        await asyncio.sleep(seconds)
        yield


def peak_mb(command: Command) -> int:
    """The most that the process has had in memory (Linux)."""
    status = Path(f"/proc/{command.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as home:
        for name, figure in asyncio.run(measure(count, megabytes * MEGABYTE - MEGABYTE, home=Path(home))).items():
            print(f"{name:36} {figure}")


if __name__ == "__main__":
    main()
