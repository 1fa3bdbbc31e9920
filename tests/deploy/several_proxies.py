"""Two proxies of two workers, nginx, PostgreSQL behind a relay: one is killed, the database goes away, all is counted.

`PYTHONPATH=tests python -m deploy.several_proxies` prints the table of docs/scaling.md. What answers is the simulator.
"""

import argparse
import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from claude_openai_proxy.simulator import Simulator
from deploy.reverse_proxies import DEPLOY, program
from postgresql_server import execute, own_database
from tcp_relay import Relay, Way, relay_to

MODEL = "claude-opus-5-5"
AGAIN_SECONDS = 60.0


CUT = (OSError, http.client.HTTPException)
"""No whole answer came."""


@dataclass(frozen=True)
class Answer:
    """One that came to its end."""

    status: int
    retry_after: str | None
    text: str

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.text)
        return found


def ask(port: int, path: str, body: dict[str, object] | None = None) -> Answer:
    """On a connection of its own, and on a thread of its own. Raises one of `CUT`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"content-type": "application/json"}
        connection.request("GET" if body is None else "POST", path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("retry-after"), answer.read().decode())
    finally:
        connection.close()


@dataclass
class Counts:
    """Of one run. `answered` and `refused` by phase; a refusal is a whole answer with an error, a cut is neither."""

    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """What must not come: an error without a body, a status that says it was a bug."""
    stored: list[str] = field(default_factory=list)
    unkept: int = 0
    """Answered while the database was away, and said not to be kept."""
    unreadable: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.answered.total()

    def table(self) -> list[str]:
        phases = ["well", "killed", "refusing", "swallowing", "again"]
        lines = ["| phase | answered | 503, to come back | cut |", "|---|---|---|---|"]
        lines += [
            f"| {phase} | {self.answered[phase]} | {self.refused[phase]} | {self.cut[phase]} |" for phase in phases
        ]
        return [
            *lines,
            "",
            f"- {self.total} requests answered in {self.seconds:.0f} s",
            f"- rows in the ledger: {self.rows}",
            f"- stored responses: {len(self.stored)}, of them not readable afterwards: {self.unreadable}",
            f"- responses that said `store: false`, since they could not be kept: {self.unkept}",
            f"- answers that should not be: {len(self.wrong)}",
        ]


@dataclass
class Drill:
    """`port` of nginx; `phase` names what goes on."""

    port: int
    threads: ThreadPoolExecutor
    counts: Counts = field(default_factory=Counts)
    phase: str = "well"
    over: bool = False

    async def ask(self, path: str, body: dict[str, object] | None = None) -> Answer:
        """Through nginx."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, ask, self.port, path, body)

    async def client(self, number: int) -> None:
        """Streams, and chains of responses, one after the other until it is over."""
        previous: str | None = None
        turn = number
        while not self.over:
            turn += 1
            if turn % 2:
                await self._stream()
            else:
                previous = await self._respond(previous)

    async def _stream(self) -> None:
        body: dict[str, object] = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        try:
            answer = await self.ask("/v1/chat/completions", body)
        except CUT:
            self.counts.cut[self.phase] += 1
            return
        self.judge(answer, whole=answer.text.rstrip().endswith("data: [DONE]"))

    async def _respond(self, previous: str | None) -> str | None:
        body: dict[str, object] = {"model": MODEL, "input": "hello"}
        if previous:
            body["previous_response_id"] = previous
        try:
            answer = await self.ask("/v1/responses", body)
        except CUT:
            self.counts.cut[self.phase] += 1
            return previous
        if self.judge(answer, whole=True):
            if not answer.json()["store"]:
                self.counts.unkept += 1
                return previous
            if answer.json()["status"] != "completed":
                self.counts.wrong.append(f"{self.phase}: {answer.text}")
            id_ = str(answer.json()["id"])
            self.counts.stored.append(id_)
            return id_ if len(self.counts.stored) % 8 else None
        return previous

    def judge(self, answer: Answer, *, whole: bool) -> bool:
        """Count it; whether it is one that was asked for."""
        phase = self.phase
        if answer.status == 200 and whole:
            self.counts.answered[phase] += 1
            return True
        if answer.status == 503 and answer.retry_after and "error" in answer.json():
            self.counts.refused[phase] += 1
        elif answer.status in {200, 502, 504}:  # the killed one's: nginx tells it, or the stream ends early
            self.counts.cut[phase] += 1
        else:
            self.counts.wrong.append(f"{phase}: {answer.status} {answer.text[:200]}")
        return False


# ---- what runs ------------------------------------------------------------------------------------------------------


@dataclass
class Proxy:
    """One process with two workers, as a user starts it."""

    home: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns at once."""
        self.home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "claude_openai_proxy", "serve", "--port", str(self.port), "--workers", "2"]
        with (self.home / "log").open("ab") as log:
            environment = {**self.environment, "HOME": str(self.home), "PATH": os.defpath}
            self.process = subprocess.Popen(command, cwd=self.home, env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """With -9, and its workers, too."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As a service manager does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


async def answers(port: int) -> None:
    """Return once something does."""
    async with asyncio.timeout(AGAIN_SECONDS):
        while True:
            with suppress(*CUT):
                if (await asyncio.to_thread(ask, port, "/health")).status == 200:
                    return
            await asyncio.sleep(0.1)


@contextmanager
def nginx_before(folder: Path, ports: list[int]) -> Iterator[int]:
    """The example of `deploy/`, with these ports; its own port."""
    port = _free_port()
    text = (
        (DEPLOY / "nginx.several.conf").read_text(encoding="utf-8").replace("listen 8080", f"listen 127.0.0.1:{port}")
    )
    for name, own in zip(("proxy-one", "proxy-two"), ports, strict=True):
        text = text.replace(f"{name}:3000", f"127.0.0.1:{own}")
    (folder / "site.conf").write_text(text, encoding="utf-8")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nworker_processes 1;\nevents {{ worker_connections 2048; }}\n"
        f"http {{\naccess_log off;\nerror_log {folder}/error.log;\n{paths}include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    command = [program("nginx"), "-e", str(folder / "start.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def installation(folder: Path, url: str, relay: Relay) -> AsyncIterator[tuple[int, list[Proxy]]]:
    """nginx's port, and the two proxies behind it."""
    place = urlsplit(url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    async with Simulator().serve() as claude:
        environment = {
            "ANTHROPIC_API_KEY": "sk-ant-made-up",
            "ANTHROPIC_BASE_URL": claude,
            "DATABASE_URL": urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")),
            "STORAGE_KEY": "the-same-for-all-of-them",
            "LOG_LEVEL": "error",
        }
        proxies = [Proxy(folder / name, _free_port(), environment) for name in ("one", "two")]
        try:
            for proxy in proxies:
                proxy.start()
            for proxy in proxies:
                await answers(proxy.port)
            with nginx_before(folder, [proxy.port for proxy in proxies]) as front:
                await answers(front)
                yield front, proxies
        finally:
            for proxy in proxies:
                await asyncio.to_thread(proxy.stop)


async def run(*, clients: int, seconds: float) -> Counts:
    """Five phases of so many seconds each."""
    with own_database() as url, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(clients + 2) as threads:
        place = urlsplit(url)
        with relay_to(place.hostname or "127.0.0.1", place.port or 5432) as relay:
            async with installation(Path(folder), url, relay) as (front, proxies):
                drill = Drill(front, threads)
                began = time.monotonic()
                working = [asyncio.create_task(drill.client(number)) for number in range(clients)]
                await _phases(drill, proxies[0], relay, seconds)
                drill.over = True
                await asyncio.gather(*working)
                drill.counts.seconds = time.monotonic() - began
                for id_ in drill.counts.stored:
                    drill.counts.unreadable += (await drill.ask(f"/v1/responses/{id_}")).status != 200
        drill.counts.rows = int(str(execute(url, "SELECT count(*) FROM ledger WHERE status = 200")[0][0]))
        return drill.counts


async def _phases(drill: Drill, killed: Proxy, relay: Relay, seconds: float) -> None:
    await asyncio.sleep(seconds)
    drill.phase = "killed"
    killed.kill()
    await asyncio.sleep(seconds)
    killed.start()
    await answers(killed.port)
    ways: tuple[Way, ...] = ("refusing", "swallowing")
    for way in ways:
        drill.phase = way
        relay.go(way)
        await asyncio.sleep(seconds)
        relay.go("open")
        drill.phase = "again"
        await _heals(drill)


async def _heals(drill: Drill) -> None:
    """Return once every response is kept again."""
    async with asyncio.timeout(AGAIN_SECONDS):
        in_a_row = 0
        while in_a_row < 16:  # each worker had a part in that
            answer = await drill.ask("/v1/responses", {"model": MODEL, "input": "hello"})
            kept = drill.judge(answer, whole=True) and answer.json()["store"]
            in_a_row = in_a_row + 1 if kept else 0
            await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    arguments = parser.parse_args()
    counts = asyncio.run(run(clients=arguments.clients, seconds=arguments.seconds))
    sys.stdout.write("\n".join(counts.table()) + "\n")
    if counts.wrong:
        sys.stdout.write(json.dumps(counts.wrong[:10], indent=1) + "\n")


if __name__ == "__main__":
    main()
