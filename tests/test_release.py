"""The command that makes a release, in a repository of the test's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- A thing.

## [0.1.0] - Unreleased

### Added

- The first thing.
"""
RELEASED = """# Changelog

## [Unreleased]

## [0.1.0] - {day}

### Added

- A thing.

### Added

- The first thing.
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    (tmp_path / "src" / "claude_openai_proxy").mkdir(parents=True)
    (tmp_path / ".ci" / "release.py").write_bytes((ROOT / ".ci" / "release.py").read_bytes())
    version = "src/claude_openai_proxy/__init__.py"
    (tmp_path / version).write_bytes((ROOT / version).read_bytes())
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def git(repository: Path, *words: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example", "HOME": str(repository), "PATH": os.defpath}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.example"}
    done = subprocess.run(["git", *words], cwd=repository, env=who, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def release(repository: Path, version: str) -> subprocess.CompletedProcess[str]:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        [sys.executable, ".ci/release.py", version],
        cwd=repository,
        env={**who, "HOME": str(repository), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_version_changelog_and_tag_are_one_commit(repository: Path) -> None:
    done = release(repository, "0.1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Next: .ci/run, then git push --follow-tags, then python -m build." in done.stdout
    day = git(repository, "log", "-1", "--date=format-local:%Y-%m-%d", "--format=%cd")
    assert (repository / "CHANGELOG.md").read_text(encoding="utf-8") == RELEASED.format(day=day)
    assert git(repository, "tag", "--points-at", "HEAD") == "v0.1.0"
    assert git(repository, "log", "--format=%s") == "Release 0.1.0\nBegin"
    assert git(repository, "status", "--porcelain") == ""

    again = release(repository, "0.2.0")
    assert (again.returncode, again.stderr) == (1, "No release: CHANGELOG.md has nothing under ## [Unreleased].\n")


def test_the_version_is_the_one_that_is_shown(repository: Path) -> None:
    assert release(repository, "1.0.0").returncode == 0
    assert '__version__ = "1.0.0"' in (repository / "src/claude_openai_proxy/__init__.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("1", "'1' is not a version such as 1.2.3."),
        ("v1.0.0", "'v1.0.0' is not a version such as 1.2.3."),
        ("0.3.0", "v0.3.0 is there already."),
        ("0.2.9", "0.3.0 was released, and 0.2.9 does not come after it."),
    ],
)
def test_what_cannot_be_changes_nothing(repository: Path, version: str, why: str) -> None:
    git(repository, "tag", "v0.3.0")
    before = git(repository, "rev-parse", "HEAD")
    done = release(repository, version)
    assert (done.returncode, done.stderr) == (1, f"No release: {why}\n")
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "status", "--porcelain")) == (before, "")


def test_what_is_not_committed_is_in_no_release(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text(CHANGELOG + "- More.\n", encoding="utf-8")
    done = release(repository, "0.1.0")
    assert (done.returncode, done.stderr) == (1, "No release: there are changes that are not committed.\n")
    assert git(repository, "tag") == ""


def test_the_project_s_own_changelog_can_be_closed() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.count("\n## [Unreleased]\n") == 1
