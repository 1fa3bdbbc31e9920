"""The proof that a client works: the proxy, a request in the client's name, and the client itself."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from claude_openai_proxy.setup.request_log import LOOK_AGAIN_SECONDS, RequestLog
from claude_openai_proxy.setup.running_proxy import NotReadyError, RunningProxy
from claude_openai_proxy.setup.target import Target

COMMAND_SECONDS: Final = 180.0
LOG_SECONDS: Final = 5.0
"""Within which a request that has ended is in the log, whichever worker had it."""
CHECKING_SECONDS: Final = 30.0
"""Within which a proxy that has just started knows its login."""
FIRST_REQUEST_SECONDS: Final = 60.0
"""For a person to ask something in a window."""
_LAST_LINES: Final = 6
_LONGEST_LINE: Final = 300
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "report_ready",
        "description": "Reports that everything is ready.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried; `detail` is what came of it."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """The client's own, by its `command`: `environment` is the user's, and what the client needs beside it."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)


def prove(
    client: str, target: Target, proxy: RunningProxy, log: RequestLog, question: OwnQuestion | None
) -> Iterator[Step]:
    """Each step as it ends, up to the first that fails."""
    yield (answers := _answers(proxy))
    if not answers.ok:
        return
    yield (called := _calls_a_tool(client, target, proxy))
    if called.ok and question is not None:
        yield _client_itself(question, log)


def _answers(proxy: RunningProxy) -> Step:
    name = "the proxy answers"
    patience = time.monotonic() + CHECKING_SECONDS
    try:
        while (health := proxy.health()).get("status") == "checking" and time.monotonic() < patience:
            time.sleep(LOOK_AGAIN_SECONDS)
    except NotReadyError as error:
        return Step(name, ok=False, detail=str(error))
    return Step(name, health.get("status") == "ok", _state(health))


def _state(health: dict[str, Any]) -> str:
    if health.get("status") != "ok":
        return str(health.get("detail") or f"its status is {health.get('status')!r}")
    return f"{health.get('login', 'ready')}, {health.get('upstream', '')}"


def _calls_a_tool(client: str, target: Target, proxy: RunningProxy) -> Step:
    """One streamed request with a tool, by us in the client's name."""
    name = "a streamed request with a tool"
    body: dict[str, object] = {
        "model": target.model.id,
        "messages": [{"role": "user", "content": "Call the tool report_ready with the word ready."}],
        "tools": [_TOOL],
    }
    try:
        events = list(proxy.stream(body, user_agent=f"claude-openai-proxy-setup/{client}"))
    except (NotReadyError, OSError, HTTPException) as error:
        return Step(name, ok=False, detail=str(error) or type(error).__name__)
    if not events or events[-1] != "[DONE]":
        return Step(name, ok=False, detail="the stream broke off" + (f": {events[-1]}" if events else ""))
    called = any(_has_call(json.loads(event)) for event in events[:-1])
    return Step(name, ok=True, detail="called" if called else "answered without calling it")


def _has_call(chunk: dict[str, Any]) -> bool:
    return any(choice.get("delta", {}).get("tool_calls") for choice in chunk.get("choices", []))


def _client_itself(question: OwnQuestion, log: RequestLog) -> Step:
    """In an empty folder: what an agent that does as it is told might do there harms nobody."""
    command = question.command
    name = f"{Path(command[0]).name} itself"
    moment = log.now()
    with tempfile.TemporaryDirectory(prefix="claude-openai-proxy-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 - a program of our table, found in the user's PATH
                command, cwd=folder, env=dict(question.environment), stdin=subprocess.DEVNULL, capture_output=True,
                timeout=COMMAND_SECONDS, check=False,
            )  # fmt: skip
        except OSError as error:
            return Step(name, ok=False, detail=f"could not be started: {error}")
        except subprocess.TimeoutExpired:
            return Step(name, ok=False, detail=f"was silent for {COMMAND_SECONDS:g} s")
    if done.returncode != 0 or not done.stdout.strip():
        last = _last_lines(done.stdout + b"\n" + done.stderr)
        return Step(name, ok=False, detail=last or f"exit code {done.returncode}")
    logged = _logged(log, moment)
    return Step(name, logged.ok, f"{_last_lines(done.stdout)} ({logged.detail})")


def first_request(log: RequestLog, since: float) -> Step:
    """Of a client that asks only when its user does, waited for."""
    name = "its first request"
    try:
        seen = log.first_since(since, seconds=FIRST_REQUEST_SECONDS)
    except NotReadyError as error:
        return Step(name, ok=False, detail=str(error))
    if seen is None:
        return Step(name, ok=False, detail=f"none came within {FIRST_REQUEST_SECONDS:g} s")
    return Step(name, seen.status == 200, f"by {seen.client or 'a client without a name'}, HTTP {seen.status}")


def _logged(log: RequestLog, moment: float) -> Step:
    """Whether a request of the client's came here: it may have asked somebody else."""
    name = "in the log"
    try:
        seen = log.first_since(moment, seconds=LOG_SECONDS)
    except NotReadyError as error:
        return Step(name, ok=True, detail=f"its request was not looked for: {error}")
    if seen is None:
        return Step(name, ok=False, detail="the proxy has seen no request of it")
    return Step(name, seen.status == 200, f"seen as {seen.client or 'a client without a name'}, HTTP {seen.status}")


def _last_lines(printed: bytes) -> str:
    lines = _COLOUR.sub("", printed.decode("utf-8", "replace")).strip().splitlines()[-_LAST_LINES:]
    return " | ".join(line.strip()[:_LONGEST_LINE] for line in lines if line.strip())
