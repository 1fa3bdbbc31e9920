"""The documents as the tests read them: headings, code blocks, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")

_FENCE = re.compile(r"^```(?P<language>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?P<marks>#+) (?P<title>.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    title: str

    @property
    def anchor(self) -> str:
        """As GitHub makes it."""
        kept = re.sub(r"[^\w\- ]", "", self.title.lower())
        return kept.replace(" ", "-")


def documents() -> list[Path]:
    """Every Markdown file that is meant to be read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path) -> list[Block]:
    return [Block(found["language"], found["code"]) for found in _FENCE.finditer(_text(document))]


def headings(document: Path) -> list[Heading]:
    prose = _FENCE.sub("", _text(document))
    return [Heading(len(found["marks"]), found["title"]) for found in _HEADING.finditer(prose)]


def relative_links(document: Path) -> Iterator[str]:
    for found in _LINK.finditer(_FENCE.sub("", _text(document))):
        if "://" not in found["target"]:
            yield found["target"]


def table_column(document: Path, heading: str, column: int) -> list[str]:
    """The words in backticks of one column of the first table under `heading`."""
    section = _text(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    return [name for row in rows[2:] for name in re.findall(r"`([^`]+)`", row[column])]


def _text(document: Path) -> str:
    return document.read_text(encoding="utf-8")
