"""The Claude Code upstream: what a warm process saves, how much it carries, what the proxy itself costs.

Needs the Claude Code CLI and Linux; nothing leaves this machine: the simulator answers, logins are made up. Everything
compared is run in turn (A B A B), so that ratios hold on a machine that is busy with other things.

    python benchmarks/claude_code.py            all figures
    python benchmarks/claude_code.py streams    one of: first requests streams tokens memory
    python benchmarks/claude_code.py soak 2000  so many requests; fails where anything grows
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import msgspec
import uvloop

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.protocols.anthropic import (
    ContentBlockDelta,
    MessageParam,
    MessagesRequest,
    TextBlockParam,
    TextDelta,
)
from claude_openai_proxy.simulator import Script
from claude_openai_proxy.upstreams.claude_code import ClaudeCode
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from claude_openai_proxy.upstreams.http import URL, HTTPClient, Patience, Request
from claude_openai_proxy.upstreams.interface import AnswerFacts

ROUNDS = 9
TOKEN_SECONDS = 0.02
STREAM_TOKENS = 250
BURST_TOKENS = 5000
CLI = find_cli("", dict(os.environ)) or sys.exit("The Claude Code CLI is not installed.")


def asking(text: str, *, system: str = "Be terse.") -> MessagesRequest:
    return MessagesRequest(
        model="claude-sonnet-5",
        max_tokens=8000,
        system=[TextBlockParam(system)],
        messages=[MessageParam("user", [TextBlockParam(text)])],
    )


# ---- the simulated world --------------------------------------------------------------------------------------------


async def simulate() -> None:
    """The API in a process of its own, so that its work is not counted as the proxy's."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Callers may leave at any time."""
    with suppress(OSError, EOFError):
        await answer(reader, writer)
    writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection. A paced answer's tokens say when they were sent, which is by the clock."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
    body = await reader.readexactly(int(length or b"0"))
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    paced = b"paced" in body
    count = STREAM_TOKENS if paced else BURST_TOKENS if b"burst" in body else 2
    *begin, token, stop, delta, end = Script.text("x", pieces=1).steps
    writer.write(sse(*begin))
    started = time.perf_counter()
    for number in range(count):
        if paced:
            await asyncio.sleep(started + number * TOKEN_SECONDS - time.perf_counter())
        writer.write(sse(token).replace(b'"x"', b'"%.6f "' % time.perf_counter()))
    writer.write(sse(stop, delta, end))


def sse(*events: object) -> bytes:
    return b"".join(b"event: message\ndata: " + msgspec.json.encode(event) + b"\n\n" for event in events)


@asynccontextmanager
async def world() -> AsyncIterator[dict[str, str]]:
    """The environment of a made-up user whose API is the simulator."""
    simulator = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "simulate", stdout=asyncio.subprocess.PIPE
    )
    assert simulator.stdout is not None
    url = (await simulator.stdout.readline()).decode().strip()
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
        login = {"ANTHROPIC_BASE_URL": url, "CLAUDE_CODE_OAUTH_TOKEN": "made-up"}
        yield {"HOME": home, "PATH": "/usr/bin:/bin", **nowhere, **login}
    simulator.kill()
    await simulator.wait()


@asynccontextmanager
async def upstream(environment: Mapping[str, str], *, size: int, largest: int = 16) -> AsyncIterator[ClaudeCode]:
    made = ClaudeCode(
        cli=str(CLI),
        environment=environment,
        state_dir=Path(environment["HOME"]),
        pool_size=size,
        pool_largest=largest,
        retries=0,
    )
    await made.prepare()
    await rest(made)
    yield made
    await made.aclose()


@dataclass(frozen=True)
class Token:
    """When it was sent by the API, and when it was here."""

    sent: float
    came: float


async def ask(through: ClaudeCode, text: str = "Hello") -> list[Token]:
    """The tokens of an answer."""
    tokens: list[Token] = []
    async with through.stream(asking(text), AnswerFacts()) as stream:
        async for batch in stream:
            now = time.perf_counter()
            tokens += [Token(sent_at(event), now) for event in batch if isinstance(event, ContentBlockDelta)]
    return tokens


def sent_at(event: ContentBlockDelta) -> float:
    assert isinstance(event.delta, TextDelta)
    return float(event.delta.text)


async def rest(through: ClaudeCode) -> None:
    """Until every process has forgotten its turn."""
    while through.pool.starting:  # noqa: ASYNC110  # nobody tells it
        await asyncio.sleep(0.005)


# ---- figures --------------------------------------------------------------------------------------------------------


async def first() -> None:
    """Time to the first token: `claude -p` started for the request, and a warm process."""
    async with world() as environment, upstream(environment, size=2) as warm:
        await ask(warm)
        cold_times, warm_times = [], []
        for _ in range(ROUNDS):
            cold_times.append(await cold_first_token(environment))
            await rest(warm)
            started = time.perf_counter()
            warm_times.append((await ask(warm))[0].came - started)
        show("first token, cold `claude -p`", f"{median(cold_times) * 1000:.0f} ms")
        show("first token, warm process", f"{median(warm_times) * 1000:.0f} ms")
        show("ratio", f"1/{median(c / w for c, w in zip(cold_times, warm_times, strict=True)):.1f}")


async def cold_first_token(environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(str(CLI), "-p", "--model", "claude-sonnet-5", "--system-prompt", "Be terse.", "--tools", "", "--verbose"),
        *("--setting-sources", "", "--output-format", "stream-json", "--include-partial-messages", "Hello"),
        env={**environment, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
        cwd="/",
    )
    assert process.stdout is not None
    while b"content_block_delta" not in (line := await process.stdout.readline()):
        assert line, "the CLI answers"
    took = time.perf_counter() - started
    await process.communicate()
    return took


async def requests() -> None:
    """Requests per second: a process for each, and few that are used again."""
    async with world() as environment, AsyncExitStack() as stack:
        fresh = await stack.enter_async_context(upstream(environment, size=0))
        pooled = await stack.enter_async_context(upstream(environment, size=2, largest=2))
        await asyncio.gather(ask(pooled), ask(pooled))
        rates = [(await rate(fresh, 8), await rate(pooled, 60)) for _ in range(4)]
        show("requests/s, a process for each", f"{median(a for a, _ in rates):.1f}")
        show("requests/s, two processes used again", f"{median(b for _, b in rates):.1f}")
        show("ratio", f"{median(b / a for a, b in rates):.1f}x")


async def rate(through: ClaudeCode, count: int, *, at_once: int = 2) -> float:
    left = iter(range(count))

    async def some() -> None:
        for _ in left:
            await ask(through)

    started = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return count / (time.perf_counter() - started)


async def streams() -> None:
    """Simultaneous streams of 50 tokens/s: how far tokens fall behind, at the beginning and at the end."""
    async with world() as environment, upstream(environment, size=12, largest=12) as warm:
        for count in (1, 8, 12):
            await rest(warm)
            answers = await asyncio.gather(*(ask(warm, "paced") for _ in range(count)))
            lags = [[token.came - token.sent for token in tokens] for tokens in answers]
            quarter = STREAM_TOKENS // 4
            early = median(lag for stream in lags for lag in stream[:quarter])
            late = median(lag for stream in lags for lag in stream[-quarter:])
            worst = quantiles([lag for stream in lags for lag in stream[-quarter:]], n=20)[-1]
            show(
                f"{count} streams of 50 tokens/s",
                f"behind by {early * 1000:.0f} ms in the first quarter, {late * 1000:.0f} ms in the last (95 %: "
                f"{worst * 1000:.0f} ms)",
            )


async def tokens() -> None:
    """CPU per token: of a whole proxy, from Claude's side to the client's socket, with this upstream and the API's."""
    async with world() as environment, AsyncExitStack() as stack:
        by_cli = await stack.enter_async_context(proxy(environment, "claude-code"))
        by_api = await stack.enter_async_context(proxy(environment | {"ANTHROPIC_API_KEY": "made-up"}, "api"))
        client = HTTPClient()
        stack.push_async_callback(client.aclose)
        for kind, count, at_once in (("burst", BURST_TOKENS, 1), ("paced", STREAM_TOKENS, 4)):
            costs = [
                [await cost(client, one, kind, at_once) / count for one in (by_cli, by_api)] for _ in range(ROUNDS)
            ]
            told = "as fast as they come" if kind == "burst" else f"{at_once} streams of 50/s"
            cli, api = (median(one[side] for one in costs) * 1e6 for side in (0, 1))
            show(f"CPU of the proxy per token, {told}", f"{cli:.0f} µs (the API upstream: {api:.0f} µs)")
        async with upstream(environment, size=1) as warm:
            await ask(warm, "burst")
            own = [await own_cost(warm) for _ in range(5)]
            show("CPU of this upstream alone per token", f"{median(own) * 1e6:.1f} µs")


async def cost(client: HTTPClient, one: "Proxy", text: str, at_once: int) -> float:
    """CPU seconds of the proxy for one of the answers."""
    await post(client, one, "Hello")
    before = cpu_seconds(one.pid)
    await asyncio.gather(*(post(client, one, text) for _ in range(at_once)))
    return (cpu_seconds(one.pid) - before) / at_once


async def own_cost(warm: ClaudeCode) -> float:
    """CPU seconds of this process for a token, when it does nothing else."""
    before = time.process_time()
    async with warm.stream(asking("burst"), AnswerFacts()) as stream:
        count = sum([len(batch) async for batch in stream])
    return (time.process_time() - before) / count


async def memory() -> None:
    """Resident memory: the proxy before it starts any process, and idle processes."""
    async with world() as environment, proxy(environment, "claude-code", size=0) as one:
        show("memory of the proxy", f"{resident_mb(one.pid):.0f} MB")
    async with world() as environment, upstream(environment, size=4) as warm:
        await asyncio.gather(*(ask(warm) for _ in range(4)))
        await rest(warm)
        pids = [pid for pid in children() if is_cli(pid)]
        show("idle process", f"{median(map(resident_mb, pids)):.0f} MB resident")
        show("... its share of what they have in common", f"{median(map(share_mb, pids)):.0f} MB ({len(pids)} of them)")


@dataclass(frozen=True)
class Proxy:
    """One that listens on `port`."""

    port: int
    pid: int


@asynccontextmanager
async def proxy(environment: Mapping[str, str], way: str, *, size: int = 4) -> AsyncIterator[Proxy]:
    """A proxy as users run it, on some free port."""
    settings = {"PORT": "0", "CLAUDE_POOL_SIZE": str(size), "CLAUDE_CLI_PATH": str(CLI), "LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "claude_openai_proxy", "serve", "--upstream", way),
        env={**environment, **settings},
        cwd=environment["HOME"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    while b"http://" not in (line := await process.stdout.readline()) or b"/v1" not in line:
        assert line, "the proxy starts"
    draining = asyncio.create_task(process.stdout.read())
    yield Proxy(int(line.rpartition(b":")[2].partition(b"/")[0]), process.pid)
    process.terminate()
    await process.wait()
    await draining


async def post(client: HTTPClient, one: Proxy, text: str) -> None:
    message = {"role": "user", "content": text}
    body = msgspec.json.encode({"model": "claude-sonnet-5", "stream": True, "messages": [message]})
    url = URL.parse(f"http://127.0.0.1:{one.port}/v1/chat/completions")
    request = Request("POST", url, (("content-type", "application/json"),), body)
    with await client.send(request, Patience(silence=60.0)) as response:
        answer = await response.read_all()
    assert answer.endswith(b"data: [DONE]\n\n"), answer[-200:]


# ---- soak -----------------------------------------------------------------------------------------------------------


async def soak(count: int) -> None:
    """Requests of every kind, some of them broken off; then nothing may be left and nothing may have grown."""
    async with world() as environment:
        private = Path(environment["HOME"]) / "private"
        private.mkdir()
        tempfile.tempdir = str(private)
        before = left = footprint()
        async with upstream(environment, size=2, largest=3) as warm:
            for tenth in range(10):
                await soak_some(warm, count // 10, Random(tenth))
                await rest(warm)
                before = footprint() if not tenth else before
                show(f"after {(tenth + 1) * (count // 10)} requests", f"{footprint()}; {warm.pool.recycled}")
            grown = footprint()
        left = footprint()
        show("closed", f"{left}; private directories: {len(list(private.iterdir()))}")
        assert grown["memory MB"] <= before["memory MB"] + 15, "memory grows"
        assert grown["files"] <= before["files"] + 10, "files stay open"
        assert left["children"] <= 1, "processes stay"
        assert not list(private.iterdir()), "directories stay"


async def soak_some(warm: ClaudeCode, count: int, chance: Random) -> None:
    places = asyncio.Semaphore(3)

    async def one(number: int) -> None:
        async with places:
            with suppress(ProxyError, TimeoutError):
                async with asyncio.timeout(chance.uniform(0.05, 0.3) if chance.random() < 0.1 else 60):
                    assert await ask(warm, f"Hello {number}")

    await asyncio.gather(*map(one, range(count)))


def footprint() -> dict[str, int]:
    pids = children()
    zombies = sum(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z" for pid in pids)
    files = len(list(Path("/proc/self/fd").iterdir()))
    return {"memory MB": round(resident_mb(os.getpid())), "files": files, "children": len(pids), "zombies": zombies}


# ---- measuring ------------------------------------------------------------------------------------------------------


def children() -> list[int]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in listed.split()]


def is_cli(pid: int) -> bool:
    return "claude" in Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def share_mb(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.partition("Pss:")[2].split()[0]) / 1000


def show(what: str, figure: str) -> None:
    print(f"{what:<52} {figure}", flush=True)


FIGURES: Mapping[str, Callable[[], Awaitable[None]]] = {
    "first": first,
    "requests": requests,
    "streams": streams,
    "tokens": tokens,
    "memory": memory,
}


async def main(arguments: list[str]) -> None:
    if arguments[:1] == ["simulate"]:
        await simulate()
    elif arguments[:1] == ["soak"]:
        await soak(int(arguments[1]) if len(arguments) > 1 else 2000)
    else:
        cores, load = os.cpu_count(), os.getloadavg()[0]
        show("machine", f"{cores} cores, load {load:.1f}")
        for name in arguments or FIGURES:
            await FIGURES[name]()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
