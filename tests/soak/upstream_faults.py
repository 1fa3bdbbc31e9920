"""Many requests through every kind of answer and failure of Claude's side, streamed and not, many at once.

    PYTHONPATH=tests python -m soak.upstream_faults --requests 2000

No broken answer may look whole, no whole one broken; nothing is a 500 of the proxy's own, nothing is left behind.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.web.application import Application
from soak.upstream_answers import ANSWERS, FAILURES, TEXT
from upstreams.wild_server import Visit, ok, wild_server
from web.direct import Answer, call

AT_ONCE = 20
MODELS = ok(
    b'{"data":[{"id":"claude-sonnet-5-5","created_at":"odd"}],"has_more":false}', b"content-type: application/json"
)


async def play(visit: Visit) -> None:
    """Answer each request with what its prompt names."""
    while True:
        request = await visit.request()
        if request.startswith(b"GET"):
            await visit.send(MODELS)
            continue
        asked = json.loads(request.partition(b"\r\n\r\n")[2])["messages"][0]["content"][0]["text"]
        pieces, end = ANSWERS.get(asked) or FAILURES[asked]
        for piece in pieces:
            await visit.send(piece)
        if end == "reset":
            visit.reset()
        if end != "keep":
            return


def complaint(name: str, answer: Answer, *, stream: bool) -> str:
    """What is wrong with the answer to `name`; "" where it is as it must be."""
    told = answer.body.decode()
    if name in ANSWERS:
        return "" if answer.status == 200 and text_of(told, stream=stream) == TEXT else "a whole answer looks broken"
    if answer.status != 200:
        error = json.loads(told)["error"]
        if answer.status == 500 and error["code"] is None:
            return "a bug of the proxy"
        return "" if 400 <= answer.status < 600 and error["message"] else "an error without a word"
    if not stream or "data: [DONE]" in told:
        return "a broken answer looks whole"
    return "" if "error" in json.loads(told.rstrip().rpartition("data: ")[2]) else "an end without an error"


def text_of(told: str, *, stream: bool) -> str:
    """The answer's text; "" where it did not come to its end."""
    if not stream:
        return str(json.loads(told)["choices"][0]["message"]["content"])
    if not told.endswith("data: [DONE]\n\n"):
        return ""
    data = [json.loads(line[6:]) for line in told.split("\n") if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for chunk in data for choice in chunk["choices"])


async def ask(app: Application, name: str, *, stream: bool) -> str:
    """One request; what is wrong with its answer."""
    body = {"model": "claude-sonnet-5-5", "stream": stream, "messages": [{"role": "user", "content": name}]}
    answer = await call(app, body=json.dumps(body).encode())
    wrong = complaint(name, answer, stream=stream)
    return wrong and f"{name} ({'streamed' if stream else 'whole'}): {wrong}: {answer.status} {answer.body[:300]!r}"


async def soak(requests: list[tuple[str, bool]], home: Path) -> list[str]:
    """Ask for all of them, `AT_ONCE` at a time; what was wrong."""
    async with wild_server(play) as server:
        environment = {
            "ANTHROPIC_API_KEY": "sk-ant-made-up",
            "ANTHROPIC_BASE_URL": server.url,
            "HOME": str(home),
            "LOG_LEVEL": "error",
            "UPSTREAM_RETRIES": "0",
        }
        wiring = wire(load_settings(Flags(), environment, home))
        room = asyncio.Semaphore(AT_ONCE)

        async def one(name: str, stream: bool) -> str:
            async with room:
                return await ask(wiring.application, name, stream=stream)

        if refusal := await wiring.start_refusal():  # as the server does: the keys are read before anybody comes in
            return [refusal]
        async with wiring.running():
            wrong = await asyncio.gather(*(one(name, stream) for name, stream in requests))
            asked = sum(request.startswith(b"POST") for request in server.requests)
        complaints = [each for each in wrong if each]
        if asked != len(requests):
            complaints.append(f"{len(requests)} requests were {asked} upstream")
        async with asyncio.timeout(10):
            while server.visiting:  # noqa: ASYNC110 - connections close in the background, and tell nobody
                await asyncio.sleep(0.01)
        return complaints


def drawn(count: int, seed: int) -> list[tuple[str, bool]]:
    """So many requests, every kind as often as another, in a random order."""
    kinds = [(name, stream) for name in (*ANSWERS, *FAILURES) for stream in (False, True)]
    requests = (kinds * (count // len(kinds) + 1))[:count]
    random.Random(seed).shuffle(requests)
    return requests


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        complaints = asyncio.run(soak(drawn(options.requests, options.seed), Path(home)))
    for text, count in Counter(complaints).most_common():
        sys.stdout.write(f"{count} x {text}\n")
    kinds = len(ANSWERS) + len(FAILURES)
    sys.stdout.write(f"{options.requests} requests, {kinds} kinds of upstream, {len(complaints)} wrong\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
