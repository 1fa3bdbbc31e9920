"""The table "Where is …" of docs/architecture.md points at things that are there."""

import ast

import pytest

from docs.documents import ROOT, table_column

PLACES = [word for word in table_column(ROOT / "docs" / "architecture.md", "Where is …", 1) if "::" in word]


def names_in(path: str) -> set[str]:
    """What a module defines at its top."""
    names: set[str] = set()
    for node in ast.parse((ROOT / "src" / "claude_openai_proxy" / path).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


@pytest.mark.parametrize("place", PLACES)
def test_what_the_table_points_at_is_there(place: str) -> None:
    path, _, name = place.partition("::")

    assert name in names_in(path)


def test_the_table_is_found() -> None:
    assert len(PLACES) > 10
