"""docs/compatibility.md is the truth: every field has its row, and every proof exists."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import get_type_hints

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from translate.shapes import SHAPES

ROOT = Path(__file__).parents[2]
DECISIONS = {"honoured", "emulated", "declined", "refused"}


@cache
def rows() -> tuple[tuple[str, ...], ...]:
    lines = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8").splitlines()
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("| ")]
    return tuple(row for row in cells if row[1] != "Decision")


def proofs(row: tuple[str, ...]) -> list[str]:
    return re.findall(r"`([^`]+)`", row[3])


@cache
def functions_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_field_of_the_official_sdk_has_a_row_and_a_type() -> None:
    fields = set(get_type_hints(CompletionCreateParamsNonStreaming))
    named = {row[0].strip("`") for row in rows()}
    assert len(fields) == 37
    assert fields <= named
    assert fields <= set(ChatCompletionRequest.__struct_fields__) <= named


def test_every_row_has_a_decision() -> None:
    assert {row[1] for row in rows()} == DECISIONS


def test_every_row_has_a_proof_that_exists() -> None:
    shapes = {shape.name for shape in SHAPES}
    for row in rows():
        assert proofs(row), row
        for proof in proofs(row):
            path, separator, name = proof.partition("::")
            assert name in functions_in(path) if separator else proof in shapes, proof


def test_every_bullet_has_two_shapes_at_least() -> None:
    bullets = [shape.name.partition(":")[0] for shape in SHAPES]
    assert not [bullet for bullet in bullets if bullets.count(bullet) < 2]
