"""Runs the test command many times in random order: `python .ci/repeat.py 10 [PYTEST ARGUMENTS]`. Stops for nothing.

Each run has a fresh seed (`pytest --randomly-seed=SEED` is that order again) and a row in the table that is printed,
followed by what failed. The output of each is kept in the folder that is named first.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HEAD: Final = f"{'run':>3}  {'seed':>10}  {'passed':>6}  {'skipped':>7}  {'failed':>6}  {'seconds':>7}"

_COUNTED: Final = re.compile(r"\b(\d+) (passed|skipped|failed|errors?)\b")
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) .*$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What one run came to. An error of a fixture or of an import counts as failed."""

    number: int
    seed: int
    passed: int
    skipped: int
    failed: int
    seconds: float
    which: tuple[str, ...]
    """The lines that name what failed."""

    @property
    def green(self) -> bool:
        """All that ran passed, and something did."""
        return self.passed > 0 and self.failed == 0

    def row(self) -> str:
        """Of the table under `HEAD`."""
        numbers = f"{self.passed:>6}  {self.skipped:>7}  {self.failed:>6}  {self.seconds:>7.0f}"
        return f"{self.number:>3}  {self.seed:>10}  {numbers}"


def result(number: int, seed: int, status: int, output: str, seconds: float) -> Run:
    """Of a pytest's exit status and output. One that ended without a last line of its own counts as failed."""
    last = next((line for line in reversed(output.splitlines()) if _COUNTED.search(line)), "")
    counted = {name.rstrip("s"): int(count) for count, name in _COUNTED.findall(last)}
    failed = counted.get("failed", 0) + counted.get("error", 0)
    which = tuple(_FAILED.findall(output))
    if status and not failed:
        failed, which = 1, (*which, f"pytest ended with {status}")
    return Run(number, seed, counted.get("passed", 0), counted.get("skipped", 0), failed, seconds, which)


def runs(count: int, words: list[str], folder: Path) -> Iterator[Run]:
    """One after the other."""
    for number in range(1, count + 1):
        seed = random.SystemRandom().randrange(2**32)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--randomly-seed={seed}", *words]
        began = time.monotonic()
        log = folder / f"run-{number}.log"
        with log.open("wb") as output:  # not a pipe: what a test has left behind could hold its other end
            ended = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        seconds = time.monotonic() - began
        yield result(number, seed, ended.returncode, log.read_text(encoding="utf-8", errors="replace"), seconds)


def main(words: list[str]) -> int:
    """0 where every run was green."""
    parser = argparse.ArgumentParser(prog="repeat.py", description="The test command, many times in random order.")
    parser.add_argument("count", type=int, help="how many times")
    given, others = parser.parse_known_args(words)
    folder = Path(tempfile.mkdtemp(prefix="repeated-"))
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    print(f"Of commit {commit}; the output is in {folder}\n{HEAD}", flush=True)
    green = 0
    for run in runs(given.count, others, folder):
        print("\n".join([run.row(), *run.which]), flush=True)
        green += run.green
    print(f"{green} of {given.count} green", flush=True)
    return 0 if green == given.count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
