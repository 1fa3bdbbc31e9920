"""The Codex CLI, run as its users run it, with a home of its own and nothing of this machine's."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from clients.conftest import QUIET
from clients.installed import missing

PROGRAM = "codex"
PROFILE = "claude-openai-proxy"
OF_THE_MACHINE = re.compile(r"could not find bubblewrap on PATH")
"""A warning that is not about the proxy: the sandbox that a machine has or has not."""
_TROUBLE = re.compile(r"(?i)\b(warning|warn|error|deprecated)\b")


@dataclass(frozen=True, slots=True)
class Ended:
    """`said` is the last message, as it is printed on stdout."""

    said: str
    log: str
    status: int

    @property
    def troubles(self) -> list[str]:
        """The lines in which it warns or complains."""
        lines = self.log.splitlines()
        return [line for line in lines if _TROUBLE.search(line) and not OF_THE_MACHINE.search(line)]


@dataclass(slots=True)
class Codex:
    """`directory` holds its home, its files and the workspace."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.home, self.workspace, self.directory / "tmp"):
            folder.mkdir(exist_ok=True)

    @property
    def home(self) -> Path:
        """Its CODEX_HOME."""
        return self.directory / ".codex"

    @property
    def workspace(self) -> Path:
        return self.directory / "workspace"

    def told(self, profile: str) -> "Codex":
        """Itself, with that text in the profile's file."""
        (self.home / f"{PROFILE}.config.toml").write_text(profile, encoding="utf-8")
        return self

    def run(self, *words: str, path: str | None = None) -> Ended:
        """`codex WORDS…`, to its end."""
        program = find(path)
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "CODEX_HOME": str(self.home),
            # It puts no programs of its own below the folder for temporary files, and warns that it does not.
            "TMPDIR": str(self.directory / "tmp"),
            "LANG": "C.UTF-8",
        }
        done = subprocess.run(
            [program, *words],
            cwd=self.workspace,
            env=own | dict(QUIET) | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.stdout.strip(), done.stderr, done.returncode)

    def asked(self, prompt: str, *flags: str, sandbox: str = "danger-full-access") -> Ended:
        """`codex exec PROMPT` with the profile. Without a sandbox, since a container may not have one to give."""
        given = ("--strict-config", "--skip-git-repo-check", "-s", sandbox, "-p", PROFILE)
        return self.run("exec", *given, *flags, prompt)


def folders() -> list[str]:
    """Where programs that npm installed are, before the user's own PATH."""
    packages = [folder for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
    return [*(f"{folder}/.bin" for folder in packages), os.environ["PATH"]]


def find(path: str | None = None) -> str:
    """The program; whoever asks is skipped where there is none."""
    found = shutil.which(PROGRAM, path=path or os.pathsep.join(folders()))
    return found or missing(PROGRAM)
