"""Clients that may be missing: a test of one that is not installed is skipped and says so."""

import importlib
import os
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

OLDER_CLIENTS = "CLAUDE_OPENAI_PROXY_OLDER_CLIENTS"
"""The interpreter of an environment with what `older-clients.txt` lists."""
ROOT = Path(__file__).parents[2]


def missing(client: str) -> NoReturn:
    pytest.skip(f"client {client} is not installed", allow_module_level=True)


def module(name: str, client: str) -> ModuleType:
    """A module of a client; what it warns of while it is imported is its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    missing(client)


def older_python(package: str, client: str) -> str:
    """The interpreter of the environment with the clients that need an older openai SDK."""
    python = os.environ.get(OLDER_CLIENTS, "")
    if not python or not _has(python, package):
        missing(client)
    return python


@cache
def _has(python: str, package: str) -> bool:
    found = subprocess.run(
        [python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"],
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def node(package: str, client: str) -> tuple[str, Path]:
    """The program, and the folder with its packages: one of NODE_PATH, or the checkout's own `node_modules`."""
    program = shutil.which("node")
    for folder in [*os.environ.get("NODE_PATH", "").split(os.pathsep), str(ROOT / "node_modules")]:
        if program and folder and (Path(folder) / package / "package.json").is_file():
            return program, Path(folder)
    missing(client)
