"""Running a client as its users do: a process of its own that knows nothing of this machine."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from clients.conftest import QUIET

PROGRAMS = Path(__file__).parent / "programs"


def run(command: Sequence[str | Path], directory: Path, *, returncode: int = 0, **environment: str) -> str:
    """What it printed. Its home and its working directory are `directory`."""
    own = {"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory), "LANG": "C.UTF-8"}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**own, **QUIET, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == returncode, done.stdout + done.stderr
    return done.stdout


def run_for_json(command: Sequence[str | Path], directory: Path, *, returncode: int = 0, **environment: str) -> object:
    """The last line that it printed, as JSON."""
    printed: object = json.loads(run(command, directory, returncode=returncode, **environment).splitlines()[-1])
    return printed


def node_program(node: tuple[str, Path], name: str, directory: Path) -> list[str | Path]:
    """The command for a program of ours. Modules are looked for beside the importing file, never in NODE_PATH."""
    program, packages = node
    (directory / "node_modules").symlink_to(packages, target_is_directory=True)
    (directory / name).write_text((PROGRAMS / name).read_text(encoding="utf-8"), encoding="utf-8")
    return [program, directory / name]
