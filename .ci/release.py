"""Makes a release of what is checked out: `python .ci/release.py 0.2.0`. Version, changelog and tag, in one commit.

Nothing leaves this machine; what comes next is printed. CONTRIBUTING.md has the list of what to look at before.
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NoReturn

VERSION_FILE: Final = Path("src/claude_openai_proxy/__init__.py")
CHANGELOG: Final = Path("CHANGELOG.md")
UNRELEASED: Final = "## [Unreleased]"

_VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SET: Final = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


class NoReleaseError(Exception):
    """Why there is none."""


def main(words: list[str], root: Path, today: date) -> int:
    """The exit code: 0 where there is a release."""
    parser = argparse.ArgumentParser(prog="release.py", description="Version, changelog and tag, in one commit.")
    parser.add_argument("version", help="x.y.z; the present one where it was never released")
    version = parser.parse_args(words).version
    try:
        check(version, root)
        set_version(root / VERSION_FILE, version)
        close_changelog(root / CHANGELOG, version, today)
    except NoReleaseError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    git(root, "commit", "-q", "-m", f"Release {version}", "--", str(VERSION_FILE), str(CHANGELOG))
    git(root, "tag", "-a", f"v{version}", "-m", f"Version {version}")
    print(f"Committed and tagged v{version}. Next: .ci/run, then git push --follow-tags, then python -m build.")
    return 0


def check(version: str, root: Path) -> None:
    """Before anything is written. Raises `NoReleaseError`."""
    if not _VERSION.fullmatch(version):
        refuse(f"{version!r} is not a version such as 1.2.3.")
    if git(root, "status", "--porcelain", "--untracked-files=no"):
        refuse("there are changes that are not committed.")
    if git(root, "tag", "--list", f"v{version}"):
        refuse(f"v{version} is there already.")
    released = [found for tag in git(root, "tag", "--list", "v*").split() if (found := _VERSION.fullmatch(tag[1:]))]
    newest = max((number_of(found[0]) for found in released), default=(0, 0, 0))
    if number_of(version) <= newest:
        refuse(f"{'.'.join(map(str, newest))} was released, and {version} does not come after it.")
    if not notes(root / CHANGELOG):
        refuse(f"{CHANGELOG} has nothing under {UNRELEASED}.")


def set_version(file: Path, version: str) -> None:
    """The one place that has it."""
    text = file.read_text(encoding="utf-8")
    if len(_SET.findall(text)) != 1:
        refuse(f"{file} does not have one version.")
    file.write_text(_SET.sub(f'__version__ = "{version}"', text), encoding="utf-8")


def close_changelog(file: Path, version: str, today: date) -> None:
    """What was unreleased is the version's; a heading that named it as to come goes."""
    text = file.read_text(encoding="utf-8").replace(f"\n## [{version}] - Unreleased\n", "")
    file.write_text(text.replace(UNRELEASED, f"{UNRELEASED}\n\n## [{version}] - {today}", 1), encoding="utf-8")


def notes(file: Path) -> str:
    """What stands under the heading of what is not released."""
    section = file.read_text(encoding="utf-8").partition(f"\n{UNRELEASED}\n")[2].partition("\n## [")[0]
    return "\n".join(line for line in section.splitlines() if line.startswith("- "))


def number_of(version: str) -> tuple[int, ...]:
    """For comparing."""
    return tuple(int(part) for part in version.split("."))


def git(root: Path, *words: str) -> str:
    """What it printed."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def refuse(why: str) -> NoReturn:
    """Raises `NoReleaseError`."""
    raise NoReleaseError(why)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).parents[1], datetime.now(UTC).date()))
