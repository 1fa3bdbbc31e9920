"""Record what the real CLI prints, for the tests that need no CLI.

Run: PYTHONPATH=tests python tests/upstreams/claude_code/record_frames.py. Made-up login, own home, the simulator as
API; paths of this machine do not get into the files.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from claude_openai_proxy.protocols.claude_code import ControlRequestFrame
from claude_openai_proxy.simulator import Close, Script, Simulator
from claude_openai_proxy.translate.claude_code.frames import decode_frame
from claude_openai_proxy.translate.claude_code.request import mcp_answer, tool_names, turn_frames
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from claude_openai_proxy.upstreams.claude_code.process import CliProcess, Launch, spawn
from upstreams.claude_code.requests_of_the_tests import OAUTH, asking, tool

RECORDED = Path(__file__).parent / "recorded"
REQUEST = asking(tools=[tool("Bash"), tool("Read")])
RESET = "4102444800"
LIMIT_REACHED = (
    ("anthropic-ratelimit-unified-status", "rejected"),
    ("anthropic-ratelimit-unified-reset", RESET),
    ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
    ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
    ("anthropic-ratelimit-unified-5h-reset", RESET),
)
SCRIPTS = {
    "text": Script.text("Hello, 世界 🌍", pieces=["Hello, ", "世界 ", "🌍"]),
    "parallel_calls": Script.tool_calls([("Bash", {"c": "ls"}), ("Read", {"p": "x"})], text="Two.", together=True),
    "thinking": Script.thinking("Let me see.", "Done."),
    "max_tokens": Script.text("abc", stop_reason="max_tokens"),
    "refusal": Script.refusal(explanation="No."),
    "refusal_after_text": Script.refusal("I would", explanation="No."),
    "error_400": Script.error(400, "messages.0: the reason"),
    "error_401": Script.error(401, "OAuth token has expired"),
    "error_404": Script.error(404, "model: claude-sonnet-5"),
    "error_529": Script.error(529, "Overloaded"),
    "plan_limit": Script.error(429, "limit", headers=LIMIT_REACHED),
    "closed_on_the_way": Script.events([*Script.text("Hello there").steps[:3], Close()]),
    "empty_stream": Script.empty(),
}


async def record(name: str, script: Script | None, cli: Path) -> None:
    simulator = Simulator()
    simulator.play(*[script] * 3 if script is not None else [])
    async with simulator.serve() as url:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            login = OAUTH if script is not None else {}
            environment = {"HOME": home, "PATH": "/usr/bin:/bin", "ANTHROPIC_BASE_URL": url, **login}
            process = await spawn(Launch(cli, environment, 30))
            lines = await one_turn(process)
            await process.end(interrupt=False)
    text = b"\n".join(scrubbed(line).replace(url.removeprefix("http://").encode(), b"127.0.0.1:1") for line in lines)
    (RECORDED / f"{name}.jsonl").write_bytes(text + b"\n")


async def one_turn(process: CliProcess) -> list[bytes]:
    process.write(turn_frames(REQUEST))
    lines: list[bytes] = []
    while not any(b'"type":"result"' in line for line in lines):
        for line in await process._pipes.lines(within=30):
            lines.append(line)
            frame = decode_frame(line)
            if isinstance(frame, ControlRequestFrame) and (reply := mcp_answer(frame, tool_names(REQUEST))):
                process.write(reply)
    return lines


def scrubbed(line: bytes) -> bytes:
    frame = msgspec.json.decode(line, type=dict[str, object])
    if frame.get("subtype") == "init":
        frame = {"type": "system", "subtype": "init"}
    return msgspec.json.encode(frame)


async def main() -> None:
    cli = find_cli("", {})
    if cli is None:
        sys.exit("The Claude Code CLI is not installed.")
    started = time.monotonic()
    for name, script in SCRIPTS.items():
        await record(name, script, cli)
    await record("not_logged_in", None, cli)
    sys.stdout.write(f"{len(SCRIPTS) + 1} recordings in {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    asyncio.run(main())
