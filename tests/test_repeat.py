"""The command that runs the tests many times, on tests of its own."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
from pathlib import Path
import pytest

def test_that_passes(): pass

@pytest.mark.skip
def test_that_is_skipped(): pass

def test_that_fails_the_first_time():
    ran = Path("ran")
    before = ran.exists()
    ran.touch()
    assert before
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "repeat.py").write_bytes((ROOT / ".ci" / "repeat.py").read_bytes())
    (tmp_path / "test_them.py").write_text(TESTS, encoding="utf-8")
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**who, "HOME": str(tmp_path), "PATH": os.defpath}
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "Begin")):
        subprocess.run(["git", *words], cwd=tmp_path, env=environment, check=True)
    return tmp_path


def repeat(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(checkout), "PATH": os.defpath, "TMPDIR": str(checkout)}
    command = [sys.executable, ".ci/repeat.py", *words]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_a_failure_is_a_row_and_stops_nothing(checkout: Path) -> None:
    done = repeat(checkout, "2")
    assert (done.returncode, done.stderr) == (1, "")
    rows = re.findall(r"^ +(\d) +(\d+) +(\d+) +(\d+) +(\d+) +\d+$", done.stdout, re.MULTILINE)
    assert [(number, *counted) for number, _, *counted in rows] == [("1", "1", "1", "1"), ("2", "2", "1", "0")]
    assert len({seed for _, seed, *_ in rows}) == 2
    assert "FAILED test_them.py::test_that_fails_the_first_time" in done.stdout
    assert done.stdout.endswith("1 of 2 green\n")
    assert [path.name for path in sorted(checkout.glob("repeated-*/*"))] == ["run-1.log", "run-2.log"]


@pytest.mark.parametrize(
    ("status", "output", "failed"),
    [
        (5, "no tests ran in 0.01s", 1),
        (1, "1 failed, 2 passed, 3 errors in 9s", 4),
        (-9, "....", 1),
        (0, "2 passed", 0),
    ],
)
def test_what_did_not_end_well_is_not_green(status: int, output: str, failed: int) -> None:
    run = runpy.run_path(str(ROOT / ".ci" / "repeat.py"))["result"](1, 7, status, output, 0.1)
    assert (run.failed, run.green) == (failed, failed == 0)
