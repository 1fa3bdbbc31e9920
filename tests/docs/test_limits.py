"""Each limit that docs/operations.md states names a test that shows it, and the test is there."""

import ast
import re

import pytest

from docs.documents import ROOT

SECTION = (
    (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Limits\n")[2].partition("\n## ")[0]
)
ROWS = [line for line in SECTION.splitlines() if line.startswith("| ") and "|---" not in line and line.count("|") == 5]
STATED = [row for row in ROWS if not row.endswith("| shown by |")]


def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("row", STATED, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_limit_is_shown_by_a_test(row: str) -> None:
    named = re.findall(r"`([a-z_/0-9]+\.py)::(test_\w+)`", row.split("|")[4])
    assert named
    for path, name in named:
        assert name in named_in(path)


def test_the_tables_are_found() -> None:
    assert len(STATED) >= 20
