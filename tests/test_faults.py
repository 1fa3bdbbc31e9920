"""Each fault that was found by trying has its row in FAULTS.md, and each row a test that is there."""

import re
from pathlib import Path

import pytest

from docs.documents import ROOT

FAULTS = ROOT / "tests" / "FAULTS.md"
NUMBERED = {"T": 17, "B": 16, "S": 19, "R": 28, "F": 2, "P": 20}
"""How many were counted under each letter."""
NEVER_GIVEN = {"P17"}


def column(number: int) -> list[str]:
    lines = FAULTS.read_text(encoding="utf-8").splitlines()
    return [line.split("|")[1:-1][number].strip() for line in lines if line.startswith("| ")][1:]


def test_every_number_has_a_row() -> None:
    named = {number for cell in column(0) for number in re.findall(r"\b[A-Z]\d+\b", cell)}
    counted = {f"{letter}{number}" for letter, last in NUMBERED.items() for number in range(1, last + 1)}
    assert sorted(counted - NEVER_GIVEN - named) == []


@pytest.mark.parametrize("test", sorted(set(column(-1))))
def test_the_test_of_a_row_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    text = (ROOT / Path(file)).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {re.escape(name)}\(", text, re.MULTILINE)


def test_no_row_stands_twice() -> None:
    rows = [line for line in FAULTS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in set(rows) if rows.count(row) > 1] == []
