"""A test that never ends is told by its name, and the run goes on."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = """
import asyncio
import pytest

@pytest.mark.timeout(1)
@pytest.mark.anyio
async def test_that_never_ends():
    while True:
        await asyncio.sleep(0.01)

def test_that_passes():
    pass
"""


def test_one_that_never_ends_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "test_them.py"
    file.write_text(TESTS, encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        "-n",
        "1",
        "-p",
        "no:cacheprovider",
        str(file),
    ]
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "1 failed, 1 passed" in done.stdout
    assert re.search(
        r"^worker '\w+' crashed while running '.*::test_that_never_ends\[asyncio\]'$", done.stdout, re.MULTILINE
    )
