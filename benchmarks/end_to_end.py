"""What the whole proxy costs, in CPU time of its process, against a program that only passes bytes on.

    python benchmarks/end_to_end.py                             this checkout
    python benchmarks/end_to_end.py --rounds 5 --seconds 2
    python benchmarks/end_to_end.py --also '{"name": "nginx", "port": 8202, "pid": 4711, "path": "/v1/messages"}'

`--also` names a gateway that runs already, in front of port 18700: see `System` for what can be told of it.

Everything runs here: a small upstream (`fake_upstream.py`, on port 18700), the proxy, `pass_through.py`, and the
clients, which are this program. The systems take turns; the figure is the median of the rounds. Absolute figures are
worth little on a shared machine, ratios of one run much more. Linux, because of /proc.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fake_upstream import PACED_TOKENS, TOKENS
from instructions import MODEL, free_port, running
from micro_request import agent_body, chat_body

HERE = Path(__file__).resolve().parent
UPSTREAM_PORT = 18700
TICKS = os.sysconf("SC_CLK_TCK")
PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class System:
    """Something that answers on `port` in process `pid`; `path`, `model` and `headers` are what it is asked with."""

    name: str
    port: int
    pid: int
    path: str = PATH
    model: str = MODEL
    headers: dict[str, str] = field(default_factory=lambda: {"authorization": "Bearer none"})


@dataclass(frozen=True)
class Work:
    """`connections` at once, each sending `body` again and again; an answer is so many units."""

    name: str
    body: dict[str, object]
    connections: int
    units: int = 1
    paced: bool = False


def works() -> list[Work]:
    chat, agent = json.loads(chat_body()), json.loads(agent_body())
    unlimited = {name: value for name, value in chat.items() if name != "max_tokens"}
    return [
        Work("request", chat, 16),
        Work("request without a limit", unlimited, 16),
        Work("agent's request", agent, 4),
        Work("stream, per token", {**chat, "stream": True}, 8, TOKENS),
        Work("paced stream, per token", {**chat, "stream": True}, 50, PACED_TOKENS, paced=True),
    ]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def client(system: System, request: bytes, until: float) -> int:
    """Answers that came until then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", system.port)
    answers = 0
    try:
        while time.monotonic() < until:
            writer.write(request)
            await read_answer(reader)
            answers += 1
    finally:
        writer.close()
    return answers


async def read_answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise SystemExit(f"{head[:200]!r}")
    if b"transfer-encoding: chunked" not in head:
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)


async def cost(system: System, work: Work, seconds: float) -> float:
    """CPU microseconds for a unit of work."""
    model = f"{system.model}-paced" if work.paced else system.model
    body = json.dumps({**work.body, "model": model}).encode()
    head = f"POST {system.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    own = "".join(f"{name}: {value}\r\n" for name, value in system.headers.items())
    request = f"{head}{own}content-length: {len(body)}\r\n\r\n".encode() + body
    before, until = cpu_seconds(system.pid), time.monotonic() + seconds
    answers = sum(await asyncio.gather(*(client(system, request, until) for _ in range(work.connections))))
    return (cpu_seconds(system.pid) - before) / (answers * work.units) * 1e6


@contextmanager
def systems(also: list[str]) -> Iterator[list[System]]:
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(HERE.parent / "src"),
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{UPSTREAM_PORT}",
            "ANTHROPIC_API_KEY": "sk-ant-made-up",
            "LOG_FORMAT": "json",
            "MODEL_ALIASES": f"{MODEL}-paced={MODEL}-paced",
        }
        stack.enter_context(running(python("fake_upstream.py", str(UPSTREAM_PORT)), environment, UPSTREAM_PORT))
        found = []
        for name, command, path in (
            ("pass-through", [*python("pass_through.py"), "{port}", str(UPSTREAM_PORT)], "/v1/messages"),
            ("proxy", [sys.executable, "-m", "claude_openai_proxy", "--upstream", "api", "--port", "{port}"], PATH),
        ):
            port = free_port()
            started = [word.format(port=port) for word in command]
            process = stack.enter_context(running(started, environment, port))
            found.append(System(name, port, process.pid, path))
        yield found + [System(**json.loads(row)) for row in also]


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / script), *arguments]


async def measure(found: list[System], rounds: int, seconds: float) -> None:
    print(f"{'CPU µs':<26}" + "".join(f"{system.name:>14}{'':>8}" for system in found))
    for work in works():
        costs: dict[str, list[float]] = {system.name: [] for system in found}
        for _ in range(rounds):
            for system in found:
                costs[system.name].append(await cost(system, work, seconds))
        medians = [statistics.median(costs[system.name]) for system in found]
        print(f"{work.name:<26}" + "".join(f"{median:>14.1f}{median / medians[0]:>7.1f}x" for median in medians))


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU of the whole proxy for a unit of work.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--also", action="append", default=[], metavar="JSON")
    arguments = parser.parse_args()
    with systems(arguments.also) as found:
        asyncio.run(measure(found, arguments.rounds, arguments.seconds))


if __name__ == "__main__":
    main()
