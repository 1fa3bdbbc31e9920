"""What pip gets: the wheel has every file of the program, the source archive what a reader and a builder need."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "claude_openai_proxy"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built from a copy, so that nothing is written beside the source."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("src", "docs", "deploy"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=copy, check=True, timeout=120)
    return copy / "dist"


def test_the_wheel_has_every_file_of_the_program_and_the_licence(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    expected = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {name for name in names if name.startswith("claude_openai_proxy/")} == expected
    assert "claude_openai_proxy/py.typed" in expected
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_a_wheel_from_the_source_archive_is_the_same(built: Path, tmp_path: Path) -> None:
    """And what it installs has the command and its completions."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as opened:
        opened.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, check=True, timeout=120)
    wheels = zipfile.ZipFile(next(built.glob("*.whl"))), zipfile.ZipFile(next((source / "dist").glob("*.whl")))
    first, second = ({name: wheel.read(name) for name in wheel.namelist()} for wheel in wheels)

    assert first == second
    assert {f"claude_openai_proxy/completions/claude-openai-proxy.{shell}" for shell in ("bash", "zsh", "fish")} <= {
        *first
    }
    (points,) = (name for name in first if name.endswith(".dist-info/entry_points.txt"))
    assert b"claude-openai-proxy = claude_openai_proxy.cli:main" in first[points]


def test_the_source_archive_has_what_a_reader_needs(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}

    assert {
        "LICENSE",
        "README.md",
        "README.zh-CN.md",
        "CHANGELOG.md",
        ".env.example",
        "Dockerfile",
        "compose.yaml",
        "pyproject.toml",
    } <= names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*") if path.is_file()} <= names
    assert {f"deploy/{path.name}" for path in (ROOT / "deploy").iterdir()} <= names
