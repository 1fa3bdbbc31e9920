"""Each failure of other servers has its row in FAILURES_OF_OTHERS.md, and each row a test that is there."""

import re
from pathlib import Path

import pytest

from docs.documents import ROOT

FAILURES = ROOT / "tests" / "FAILURES_OF_OTHERS.md"
LAST = 52


def column(number: int) -> list[str]:
    lines = FAILURES.read_text(encoding="utf-8").splitlines()
    return [line.split("|")[1:-1][number].strip() for line in lines if line.startswith("| ")][1:]


def test_every_number_has_one_row() -> None:
    assert [int(number) for number in column(0)] == list(range(1, LAST + 1))


@pytest.mark.parametrize("test", sorted(set(column(-1))))
def test_the_test_of_a_row_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    text = (ROOT / Path(file)).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {re.escape(name)}\(", text, re.MULTILINE)
