"""`docs/upstream-differences.md` as data: the only differences between the two ways to Claude that a test lets pass."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from parity.compare import Difference

DOCUMENT = Path(__file__).parents[2] / "docs" / "upstream-differences.md"
_CODE = re.compile(r"(`+)(.*?)\1")


@dataclass(frozen=True, slots=True)
class Row:
    """One documented difference: its place or name, and what stands there on either side (`any`: whatever it is)."""

    name: str
    api: str
    claude_code: str

    def covers(self, difference: Difference) -> bool:
        """Whether this is the difference that the row speaks of."""
        pairs = ((self.api, difference.api), (self.claude_code, difference.claude_code))
        return self._is_at(difference.place) and all(told in {"any", found} for told, found in pairs)

    def _is_at(self, place: str) -> bool:
        """A row of a whole member speaks of what is in it, too."""
        return fnmatchcase(place, self.name) or place.startswith((f"{self.name}.", f"{self.name}["))


def rows(heading: str) -> list[Row]:
    """The table under `heading`."""
    section = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [Row(name, _cell(cells[1]), _cell(cells[2])) for cells in lines[2:] for _, name in _CODE.findall(cells[0])]


def undocumented(found: list[Difference], *headings: str) -> list[Difference]:
    """What none of these tables speaks of."""
    known = [row for heading in headings for row in rows(heading)]
    return [difference for difference in found if not any(row.covers(difference) for row in known)]


def _cell(text: str) -> str:
    """What is between backticks; a word without them stands for itself."""
    code = _CODE.search(text)
    return code[2] if code else text.strip()
