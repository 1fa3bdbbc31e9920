"""The console command with `--demo`, started as a user starts it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

COMMAND = Path(sys.executable).with_name("claude-openai-proxy")


START_LINES = 7


@dataclass(frozen=True, slots=True)
class DemoServer:
    """`address` is `http://localhost:PORT`; `said` are the start lines."""

    address: str
    said: list[str]


@contextmanager
def demo_server(directory: Path) -> Iterator[DemoServer]:
    """Started as a user starts it; its log is in `directory`."""
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [COMMAND, "--demo", "--port", "0"],
            cwd=directory,
            env=clean_environment(directory),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield _started(server, directory / "log")
        finally:
            server.terminate()
            server.communicate(timeout=60)


def clean_environment(home: Path, **more: str) -> Mapping[str, str]:
    """Nothing of this machine's own logins, settings and proxies."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8", **more}


def _started(server: subprocess.Popen[str], log: Path) -> DemoServer:
    assert server.stdout is not None
    said = [line.rstrip("\n") for line in islice(server.stdout, START_LINES)]
    address = re.search(r"http://localhost:\d+", "\n".join(said))
    assert address, [*said, log.read_text()]
    return DemoServer(address[0], said)
