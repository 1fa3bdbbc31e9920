"""A stand-in for the CLI, for what the real one does not do on demand: it dies, hangs, lies, or is too old."""

import json
import sys
from pathlib import Path

INITIALIZED = {"account": {"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN", "apiProvider": "firstParty"}, "models": []}
CLEARED = [
    '{"type":"conversation_reset"}',
    '{"type":"system","subtype":"init"}',
    '{"type":"result","subtype":"success","is_error":false,"num_turns":0}',
]
LOGGED_IN = {"loggedIn": True, "authMethod": "oauth_token", "apiProvider": "firstParty"}

_PROGRAM = """#!{python}
import json, os, sys, time
plan = json.load(open(__file__ + ".json"))
if "--version" in sys.argv:
    print(plan["version"]); sys.exit()
if "auth" in sys.argv:
    print(json.dumps(plan["auth"])); sys.exit()
def log(word):
    if plan["started"]:
        with open(plan["started"], "a") as file: file.write(word + str(os.getpid()) + "\\n")
def play(steps):
    for step in steps:
        if step == "exit": sys.exit(3)
        if step == "hang": time.sleep(60)
        if step == "stop reading": os.close(0); time.sleep(60)
        if step.startswith("stderr "): sys.stderr.write(step[7:] + "\\n"); continue
        sys.stdout.write(step + "\\n"); sys.stdout.flush()
asked = False
log("start ")
play(plan["start"])
for line in sys.stdin:
    frame = json.loads(line)
    request = frame.get("request", {{}})
    if request.get("subtype") == "initialize":
        log("ready ")
        answer = {{"subtype": "success", "request_id": frame["request_id"], "response": plan["initialized"]}}
        play([json.dumps({{"type": "control_response", "response": answer}})])
    elif request.get("subtype") == "interrupt":
        play(plan["interrupted"])
    elif frame["type"] == "user" and frame["message"]["content"] == "/clear":
        play(plan["cleared"] if asked else plan["first cleared"])
    elif frame["type"] == "user":
        asked = True
        play(plan["turn"])
"""


def install_fake_cli(
    directory: Path,
    *,
    turn: list[str] | None = None,
    start: list[str] | None = None,
    interrupted: list[str] | None = None,
    cleared: list[str] | None = None,
    started: Path | None = None,
    version: str = "2.1.330 (Claude Code)",
    auth: dict[str, object] | None = None,
    initialized: dict[str, object] | None = None,
) -> Path:
    """A program that prints lines: at its start, for each turn, when interrupted or cleared. `play` has other steps.

    Each process notes in the file `started` when it starts and when it is ready.
    """
    program = directory / "claude"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    plan = {
        "turn": turn or [],
        "start": start or [],
        "interrupted": interrupted or [],
        "cleared": CLEARED if cleared is None else cleared,
        "first cleared": CLEARED,
        "started": str(started or ""),
        "version": version,
        "auth": auth or LOGGED_IN,
        "initialized": initialized or INITIALIZED,
    }
    program.with_name("claude.json").write_text(json.dumps(plan))
    return program
