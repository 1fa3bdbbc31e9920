"""Two proxies of two workers, nginx, PostgreSQL behind a relay: one is killed, the database goes away, all is counted.

`PYTHONPATH=tests python -m deploy.several_proxies` prints the table of docs/scaling.md, and exits with 1 where anything
is lost that must not be. What answers is the simulator.
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
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from claude_openai_proxy.simulator import Simulator
from deploy.reverse_proxies import DEPLOY, program
from postgresql_server import execute, own_database
from tcp_relay import Switch, Way, relay_process_to

MODEL = "claude-opus-5-5"
KEY = "the-key-of-most"
"""Of `PROXY_API_KEYS`, which needs no database."""
AGAIN_SECONDS = 60.0
POLL_SECONDS = 0.25
READY_AT_ONCE = 32
"""Each worker has a part in so many."""
CLEAN_SECONDS = 1.0
"""After a kill nginx may still hand a request to the dead one's connection."""
FINAL = ("completed", "incomplete", "failed", "cancelled")


CUT = (OSError, http.client.HTTPException)
"""No whole answer came."""


@dataclass(frozen=True)
class Answer:
    """One that came to its end."""

    status: int
    retry_after: str | None
    request_id: str
    text: str

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.text)
        return found


def ask(port: int, path: str, body: dict[str, object] | None = None, *, key: str = KEY) -> Answer:
    """On a connection of its own, and on a thread of its own. Raises one of `CUT`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        connection.request("GET" if body is None else "POST", path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        named = answer.getheader("x-request-id") or ""
        text = answer.read().decode()
        return Answer(answer.status, answer.getheader("retry-after"), named, text)
    finally:
        connection.close()


@dataclass
class Counts:
    """Of one run. By phase: `answered`, `refused` (503) and `spent` (429) are whole answers, a cut is none."""

    clients: int
    budget: float
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    cut_later: int = 0
    """Of those cut, begun after the kill."""
    wrong: list[str] = field(default_factory=list)
    """What must not come: an error without a body, a status that says it was a bug."""
    ids: dict[str, str] = field(default_factory=dict)
    """Of the requests that were answered to their end, and the phase in which they began."""
    killed_at: float = float("inf")
    stored: list[str] = field(default_factory=list)
    unkept: int = 0
    """Answered while the database was away, and said not to be kept."""
    unreadable: int = 0
    background: dict[str, str] = field(default_factory=dict)
    """Accepted ones, and the ids of their requests."""
    ended: Counter[str] = field(default_factory=Counter)
    """Their statuses afterwards."""
    healed: dict[str, float | None] = field(default_factory=dict)
    """Seconds until every worker was ready again; None: not within `AGAIN_SECONDS`."""
    rows: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    """Answered requests without a row, by phase and path."""
    cost: float = 0.0
    """By the ledger, of the key with a budget."""
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.answered.total()

    def faults(self) -> list[str]:
        """What is untrue of what docs/scaling.md promises."""
        unfinished = sum(count for status, count in self.ended.items() if status not in FINAL)
        away = [way for way, seconds in self.healed.items() if seconds is None]
        told = {
            f"answers that should not be: {self.wrong[:5]}": bool(self.wrong),
            "requests cut while no proxy was killed": bool(set(+self.cut) - {"killed"}),
            "more requests cut than were under way": self.cut.total() > self.clients,
            "requests cut that were begun after the kill": self.cut_later > 0,
            f"answered requests without a row in the ledger: {dict(self.missing)}": bool(self.missing),
            "more rows in the ledger than requests": self.rows > self.total + self.cut.total(),
            "the budget overrun": self.cost > self.budget,
            f"{self.unreadable} kept responses that cannot be read": self.unreadable > 0,
            f"{unfinished} responses in the background without an end": unfinished > 0,
            f"not healed in {AGAIN_SECONDS:g} s: {away}": bool(away),
        }
        return [fault for fault, is_so in told.items() if is_so]

    def table(self) -> list[str]:
        names = {
            "well": "all well",
            "killed": "one proxy killed with -9, started again",
            "refusing": "the database refuses",
            "swallowing": "the database swallows",
            "again": "the database is back, each time",
        }
        lines = ["| phase | answered | 503, to come back | 429, budget | cut |", "|---|---|---|---|---|"]
        lines += [
            f"| {name} | {self.answered[phase]} | {self.refused[phase]} | {self.spent[phase]} | {self.cut[phase]} |"
            for phase, name in names.items()
        ]
        healed = ", ".join(f"{way} {seconds:.1f} s" for way, seconds in self.healed.items() if seconds is not None)
        ended = ", ".join(f"{count} {status}" for status, count in sorted(self.ended.items()))
        return [
            *lines,
            "",
            f"- {self.clients} clients, {self.total} requests answered in {self.seconds:.0f} s",
            f"- cut: {self.cut.total()}, all of them under way on the killed proxy, each told by its connection's end",
            f"- answered requests without a row in the ledger: {self.missing.total()}",
            f"- the key with a budget of {self.budget:.2f} US dollars cost {self.cost:.4f}; it may be overrun by 0",
            f"- responses said to be kept: {len(self.stored)}, not readable afterwards: {self.unreadable}",
            f"- responses that said `store: false`, since they could not be kept: {self.unkept}",
            f"- responses in the background that were accepted: {len(self.background)}, afterwards: {ended or 'none'}",
            f"- until every worker was ready again, after the database was back: {healed}",
        ]


@dataclass
class Drill:
    """`port` of nginx; `phase` names what goes on; `own_key` has a budget.

    Clients come back after `pause` seconds, whatever they were told.
    """

    port: int
    threads: ThreadPoolExecutor
    counts: Counts
    own_key: str
    pause: float
    phase: str = "well"
    over: bool = False

    async def ask(self, path: str, body: dict[str, object] | None = None, *, key: str = KEY) -> Answer:
        """Through nginx."""
        asking = partial(ask, self.port, path, body, key=key)
        return await asyncio.get_running_loop().run_in_executor(self.threads, asking)

    async def client(self, number: int) -> None:
        """One after the other until it is over: streams, chains of responses, some in the background."""
        previous: str | None = None
        turn = number
        while not self.over:
            await asyncio.sleep(self.pause)
            turn += 1
            if number % 8 == 0:
                await self._stream(self.own_key)
            elif number % 8 == 1:
                await self._in_background()
            elif turn % 2:
                await self._stream(KEY)
            else:
                previous = await self._respond(previous)

    async def _judged(self, body: dict[str, object], path: str, key: str = KEY) -> Answer | None:
        """One that is what was asked for; everything else is counted."""
        began, phase = time.monotonic(), self.phase
        try:
            answer = await self.ask(path, body, key=key)
        except CUT:
            self._cut(began)
            return None
        streams = bool(body.get("stream"))
        if answer.status == 200 and (not streams or answer.text.rstrip().endswith("data: [DONE]")):
            self.counts.answered[phase] += 1
            self.counts.ids[answer.request_id] = f"{phase} {path}"
            return answer
        if answer.status == 503 and answer.retry_after and "error" in answer.json():
            self.counts.refused[phase] += 1
        elif answer.status == 429 and key == self.own_key and "insufficient_quota" in answer.text:
            self.counts.spent[phase] += 1
        elif answer.status in {200, 502, 504}:  # the killed one's: nginx tells it, or the stream ends early
            self._cut(began)
        else:
            self.counts.wrong.append(f"{phase}: {answer.status} {answer.text[:200]}")
        return None

    def _cut(self, began: float) -> None:
        self.counts.cut[self.phase] += 1
        self.counts.cut_later += began > self.counts.killed_at + CLEAN_SECONDS

    async def _stream(self, key: str) -> None:
        messages = [{"role": "user", "content": "hello"}]
        body: dict[str, object] = {"model": MODEL, "stream": True, "max_tokens": 64, "messages": messages}
        await self._judged(body, "/v1/chat/completions", key)

    async def keeps(self) -> bool:
        """Whether a response is kept."""
        stored = len(self.counts.stored)
        await self._respond(None)
        return len(self.counts.stored) > stored

    async def _respond(self, previous: str | None) -> str | None:
        body: dict[str, object] = {"model": MODEL, "input": "hello"}
        if previous:
            body["previous_response_id"] = previous
        answer = await self._judged(body, "/v1/responses")
        if answer is None:
            return previous
        if not answer.json()["store"]:
            self.counts.unkept += 1
            return previous
        if answer.json()["status"] != "completed":
            self.counts.wrong.append(f"{self.phase}: {answer.text}")
        id_ = str(answer.json()["id"])
        self.counts.stored.append(id_)
        return id_ if len(self.counts.stored) % 8 else None

    async def _in_background(self) -> None:
        """As a client does: it comes back until there is an end."""
        answer = await self._judged({"model": MODEL, "input": "hello", "background": True}, "/v1/responses")
        if answer is None:
            return
        id_ = str(answer.json()["id"])
        self.counts.background[id_] = answer.request_id
        while not self.over and await self.status(id_) not in FINAL:  # noqa: ASYNC110 - another process makes it so
            await asyncio.sleep(POLL_SECONDS)

    async def status(self, id_: str) -> str:
        """Of a kept response; in words where it cannot be had."""
        try:
            found = await self.ask(f"/v1/responses/{id_}")
        except CUT:
            return "cut"
        return str(found.json()["status"]) if found.status == 200 else f"answered with {found.status}"

    async def look_again(self) -> None:
        """Every response that was said to be kept, or accepted. A dead process is known to be dead after its lease."""
        self.counts.unreadable = sum(status != "completed" for status in await self._each(self.counts.stored))
        left, until = list(self.counts.background), time.monotonic() + AGAIN_SECONDS
        while left:
            statuses = await self._each(left)
            done = time.monotonic() > until
            self.counts.ended.update(status for status in statuses if status in FINAL or done)
            # A request in the background ends with its work: these were under way on the killed proxy.
            failed = (id_ for id_, status in zip(left, statuses, strict=True) if status == "failed")
            for id_ in failed:
                self.counts.ids.pop(self.counts.background[id_], None)
            left = [id_ for id_, status in zip(left, statuses, strict=True) if status not in FINAL and not done]
            await asyncio.sleep(POLL_SECONDS)

    async def _each(self, ids: Iterable[str]) -> list[str]:
        return await asyncio.gather(*(self.status(id_) for id_ in ids))


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

    def command(self, *words: str) -> str:
        """What a command prints that is run beside it."""
        self.home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "claude_openai_proxy", *words]
        environment = {**self.environment, "HOME": str(self.home), "PATH": os.defpath}
        return subprocess.run(
            command, cwd=self.home, env=environment, check=True, capture_output=True, text=True
        ).stdout

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
async def installation(folder: Path, url: str, relay: Switch) -> AsyncIterator[tuple[int, list[Proxy]]]:
    """nginx's port, and the two proxies behind it."""
    place = urlsplit(url)
    user = f"{place.netloc.rpartition('@')[0]}@" if "@" in place.netloc else ""
    async with Simulator().serve() as claude:
        environment = {
            "ANTHROPIC_API_KEY": "sk-ant-made-up",
            "ANTHROPIC_BASE_URL": claude,
            "DATABASE_URL": urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{relay.port}")),
            "STORAGE_KEY": "the-same-for-all-of-them",
            "PROXY_API_KEYS": f"most:{KEY}",
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


async def run(*, clients: int, seconds: float, budget: float, pause: float = 0.0) -> Counts:
    """Phases of so many seconds each; `budget` in US dollars, of a key that an eighth of the clients have."""
    counts = Counts(clients, budget)
    with own_database() as url, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(clients + 2) as threads:
        place = urlsplit(url)
        with relay_process_to(place.hostname or "127.0.0.1", place.port or 5432) as relay:
            async with installation(Path(folder), url, relay) as (front, proxies):
                made = await asyncio.to_thread(proxies[0].command, "keys", "add", "own", "--budget", f"{budget}/day")
                drill = Drill(front, threads, counts, own_key=made.strip(), pause=pause)
                await _know(drill)
                began = time.monotonic()
                working = [asyncio.create_task(drill.client(number)) for number in range(clients)]
                try:
                    await _phases(drill, proxies[0], relay, seconds)
                finally:
                    drill.over = True
                    await asyncio.gather(*working)
                counts.seconds = time.monotonic() - began
                await drill.look_again()
        rows = {str(id_) for (id_,) in execute(url, "SELECT id FROM ledger WHERE status = 200")}
        counts.rows = len(rows)
        counts.missing = Counter(phase for id_, phase in counts.ids.items() if id_ not in rows)
        ((cost,),) = execute(url, "SELECT coalesce(sum(list_price), 0.0)::float8 FROM ledger WHERE key_name = 'own'")
        counts.cost = float(str(cost))
    return counts


async def _know(drill: Drill) -> None:
    """Return once every worker knows the key that was made: two seconds, docs/configuration.md says."""
    async with asyncio.timeout(AGAIN_SECONDS):
        statuses = {401}
        while statuses != {200}:
            at_once = (drill.ask("/v1/models", key=drill.own_key) for _ in range(READY_AT_ONCE))
            statuses = {answer.status for answer in await asyncio.gather(*at_once)}


async def _phases(drill: Drill, killed: Proxy, relay: Switch, seconds: float) -> None:
    await asyncio.sleep(seconds)
    drill.phase = "killed"
    killed.kill()
    drill.counts.killed_at = time.monotonic()
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
        back = time.monotonic()
        drill.counts.healed[way] = None
        with suppress(TimeoutError):
            await _heals(drill)
            drill.counts.healed[way] = time.monotonic() - back
        await asyncio.sleep(seconds / 3)


async def _heals(drill: Drill) -> None:
    """Return once every worker is ready again, and a response is kept."""
    async with asyncio.timeout(AGAIN_SECONDS):
        healed = False
        while not healed:
            at_once = await asyncio.gather(*(drill.ask("/ready") for _ in range(READY_AT_ONCE)))
            healed = all(answer.text == '{"status":"ok"}' for answer in at_once) and await drill.keeps()
            await asyncio.sleep(POLL_SECONDS)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def main() -> int:
    """Print the table, and what is untrue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    parser.add_argument("--budget", type=float, default=0.25, help="US dollars, of the key of an eighth of the clients")
    parser.add_argument(
        "--pause", type=float, default=1.0, help="seconds between a client's answer and its next request"
    )
    counts = asyncio.run(run(**vars(parser.parse_args())))
    faults = counts.faults()
    sys.stdout.write("\n".join([*counts.table(), *(f"UNTRUE: {fault}" for fault in faults)]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
