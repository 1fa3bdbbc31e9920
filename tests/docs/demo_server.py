"""The console command with `--demo`, started as a user starts it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

COMMAND = Path(sys.executable).with_name("claude-openai-proxy")


@contextmanager
def demo_server(directory: Path) -> Iterator[str]:
    """Lends its address, `http://localhost:PORT`; its log is in `directory`."""
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
            yield _address(server, directory / "log")
        finally:
            server.terminate()
            server.communicate(timeout=30)


def clean_environment(home: Path, **more: str) -> Mapping[str, str]:
    """Nothing of this machine's own logins, settings and proxies."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8", **more}


def _address(server: subprocess.Popen[str], log: Path) -> str:
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if found := re.search(r"http://localhost:\d+", line):
            return found[0]
    raise AssertionError("".join(said) + log.read_text())
