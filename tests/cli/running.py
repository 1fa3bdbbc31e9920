"""The console command as a user starts it: an own process, an own home, and nothing of this machine's environment."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 120


@dataclass
class Command:
    """One run. Lines of standard output arrive one by one; the rest is there after `end`."""

    process: subprocess.Popen[str]
    error_file: Path
    lines: "queue.Queue[str | None]" = field(default_factory=queue.Queue)
    seen: list[str] = field(default_factory=list)

    def line(self, pattern: str) -> re.Match[str]:
        """The next line that matches, waited for."""
        while (line := self.lines.get(timeout=PATIENCE_SECONDS)) is not None:
            self.seen.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} did not come; there was {self.seen} and {self.errors()}")

    def port(self) -> int:
        """The port, once it is listened on."""
        return int(self.line(r"^Listening on http://127\.0\.0\.1:(\d+)")[1])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def errors(self) -> str:
        return self.error_file.read_text(encoding="utf-8")


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a run is given; coverage and the rest of this process's environment stay out."""
    return {"HOME": str(home), "PATH": os.defpath, **(extra or {})}


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "claude_openai_proxy", *words]


@contextmanager
def running(*words: str, home: Path, extra: Mapping[str, str] | None = None) -> Iterator[Command]:
    """Started in `home`; killed in the end if it still runs."""
    error_file = home / "standard-error.txt"
    with error_file.open("wb") as errors:
        process = subprocess.Popen(
            argv(*words),
            cwd=home,
            env=environment(home, extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    command = Command(process, error_file)
    reader = threading.Thread(target=_read, args=(command,))
    reader.start()
    try:
        yield command
    finally:
        process.kill()
        process.wait()
        reader.join()


def _read(command: Command) -> None:
    assert command.process.stdout is not None
    with command.process.stdout as output:
        for line in output:
            command.lines.put(line.rstrip("\n"))
    command.lines.put(None)


def finished(*words: str, home: Path, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A run that ends by itself."""
    return subprocess.run(
        argv(*words),
        cwd=home,
        env=environment(home, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
