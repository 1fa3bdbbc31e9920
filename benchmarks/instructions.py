"""Instructions that the whole server spends on a request and on an event, counted by callgrind.

    python benchmarks/instructions.py                      the checkout that this file belongs to
    python benchmarks/instructions.py OTHER/src SOURCE/src compare two source trees, the first is the baseline
    python benchmarks/instructions.py --most 1.05 ...      and fail where the second costs more than so many times that
    python benchmarks/instructions.py --without LEDGER_DAYS=0    with this setting (the baseline), and as it is
    python benchmarks/instructions.py --key                without a client key (the baseline), and by a stored one
    python benchmarks/instructions.py --limited-key        the same, by one with limits
    python benchmarks/instructions.py --books              without ledger, metrics and key (the baseline), and with all

Counted, not timed: the same on a busy machine. Fixed hash seed, plain asyncio, one connection. Needs valgrind.

The server's clock goes slower by as much as valgrind slows the server down, so that what is done once a second is not
done with every few requests. Books are kept for as many requests at once as by a server that is asked without
a pause; where two source trees are compared, for every twenty, so that fewer need be counted.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from fake_upstream import PACED_TOKENS, TOKENS
from micro_request import agent_body, chat_body

HERE = Path(__file__).resolve().parent
MODEL = "claude-sonnet-4-5"
SLOWDOWN = 50
"""How many times slower valgrind runs the server, about."""
SERVER = f"""
import contextlib, sys, time
sys.modules['uvloop'] = None
real = time.monotonic
time.monotonic = lambda: real() / {SLOWDOWN}
with contextlib.suppress(ImportError):  # of a tree from before there was a ledger
    from claude_openai_proxy.telemetry import ledger, metrics
    ledger.BATCH_ROWS = metrics.TOGETHER = {{together}}
from claude_openai_proxy.cli import main
"""
WITHOUT_METRICS = """
from claude_openai_proxy.telemetry.metrics import RequestMetrics
RequestMetrics.started = RequestMetrics.first_token = RequestMetrics.ended = lambda *_: None
"""
RUN = "sys.exit(main(sys.argv[1:]))"
TOGETHER, FEW_TOGETHER = 256, 20
"""Requests whose books are kept at once: so many are counted of each kind, or a multiple."""
NO_BOOKS = {"LEDGER_DAYS": "0"}
LIMITS = ("--rpm", "1000000", "--tpm", "900000000", "--budget", "100000")
PACED = "paced stream, per token"
SCENARIOS = ("request", "request without a limit", "agent request", "stream, per token", PACED)
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def bodies(together: int) -> dict[str, tuple[bytes, int, int]]:
    """Scenario -> body, how many requests are counted, and units in each."""
    chat, agent = json.loads(chat_body()), json.loads(agent_body())
    streamed = {**chat, "model": MODEL, "stream": True}
    unlimited = {name: value for name, value in chat.items() if name != "max_tokens"}
    return {
        "request": (json.dumps({**chat, "model": MODEL}).encode(), max(240, 4 * together), 1),
        "request without a limit": (json.dumps({**unlimited, "model": MODEL}).encode(), together, 1),
        "agent request": (json.dumps({**agent, "model": MODEL}).encode(), together, 1),
        "stream, per token": (json.dumps(streamed).encode(), together, TOKENS),
        PACED: (json.dumps({**streamed, "model": f"{MODEL}-paced"}).encode(), 2, PACED_TOKENS),
    }


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(f"did not start: {' '.join(command)}") from None
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


def ask(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> None:
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json", **headers})
    response = connection.getresponse()
    said = response.read()
    if response.status != 200:
        raise SystemExit(f"HTTP {response.status}: {said[:300]!r}")


def control(process: subprocess.Popen[bytes], *words: str) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(["callgrind_control", *words, str(process.pid)], check=True, stdout=quiet, stderr=quiet)


@dataclass(frozen=True)
class Run:
    """One column: a source tree, its settings, and who asks."""

    source: Path
    settings: dict[str, str] = field(default_factory=dict)
    metrics: bool = True
    key: tuple[str, ...] | None = None
    """Limits of the client key that is shown; None: no key is."""


def shown_key(environment: dict[str, str], limits: tuple[str, ...]) -> dict[str, str]:
    """Headers with one which is never over its limits."""
    words = [sys.executable, "-m", "claude_openai_proxy", "keys", "add", "bench", *limits]
    made = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    return {"authorization": f"Bearer {made.stdout.strip()}"}


def counted(run: Run, directory: Path, together: int) -> dict[str, float]:
    """Instructions for each scenario's unit."""
    upstream_port, port = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PYTHONPATH": str(run.source),
        "PYTHONHASHSEED": "0",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{upstream_port}",
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "LOG_FORMAT": "json",
        "MODEL_ALIASES": f"{MODEL}-paced={MODEL}-paced",
        **run.settings,
    }
    headers = {} if run.key is None else shown_key(environment, run.key)
    program = SERVER.format(together=together) + ("" if run.metrics else WITHOUT_METRICS) + RUN
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={directory}/out"]
    server = [*valgrind, sys.executable, "-c", program, "--upstream", "api", "--port", str(port)]
    upstream = [sys.executable, str(HERE / "fake_upstream.py"), str(upstream_port)]
    found = {}
    with running(upstream, environment, upstream_port), running(server, environment, port) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        for number, (name, (body, requests, units)) in enumerate(bodies(together).items(), start=1):
            for _ in range(2 if name == PACED else together // 2 + 2):  # the books are kept amid what is counted
                ask(connection, body, headers)
            control(process, "--instr=on")
            for _ in range(requests):
                ask(connection, body, headers)
            control(process, "--instr=off")
            control(process, "--dump")
            found[name] = total(directory / f"out.{number}") / requests / units
    return found


def total(dump: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if dump.exists() and (said := re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)):
            return int(said[1])
        time.sleep(0.05)
    raise SystemExit(f"callgrind wrote no {dump.name}")


def runs(arguments: argparse.Namespace) -> list[Run]:
    """The columns that were asked for, the baseline first."""
    trees = [Run(source.resolve()) for source in arguments.sources] or [Run(HERE.parent / "src")]
    last = trees[-1]
    if arguments.books:
        return [replace(last, settings=NO_BOOKS, metrics=False), replace(last, key=())]
    if arguments.key or arguments.limited_key:
        return [last, replace(last, key=LIMITS if arguments.limited_key else ())]
    if arguments.without:
        return [replace(last, settings=dict(one.split("=", 1) for one in arguments.without)), last]
    return trees


def main() -> None:
    parser = argparse.ArgumentParser(description="Instructions for a request and for an event.")
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--most", type=float, default=float("inf"), metavar="RATIO")
    parser.add_argument("--without", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--key", action="store_true")
    parser.add_argument("--limited-key", action="store_true")
    parser.add_argument("--books", action="store_true")
    arguments = parser.parse_args()
    results, together = [], FEW_TOGETHER if len(arguments.sources) > 1 else TOGETHER
    for run in runs(arguments):
        with tempfile.TemporaryDirectory() as directory:
            results.append(counted(run, Path(directory), together))
    for name in SCENARIOS:
        columns = "".join(f"{result[name]:>14,.0f}" for result in results)
        ratio = f"{results[-1][name] / results[0][name]:>9.3f}" if len(results) > 1 else ""
        print(f"{name:<26}{columns}{ratio}")
    # How many tokens come in one read of a paced stream depends on the clock: it is told and not judged.
    judged = [name for name in SCENARIOS if name != PACED]
    dearer = [name for name in judged if results[-1][name] > arguments.most * results[0][name]]
    if dearer:
        sys.exit(f"more than {arguments.most:g} times as dear: {', '.join(dearer)}")


if __name__ == "__main__":
    main()
