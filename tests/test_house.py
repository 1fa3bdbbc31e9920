"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_FUNCTION = 40
LONGEST_MODULE = 350
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "manager", "handler", "processor", "base", "misc"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def test_functions_are_read_in_one_glance() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_modules_are_read_in_one_sitting() -> None:
    data = {"protocols", "settings"}
    long = [
        f"{path}: {lines}"
        for path in SOURCES
        if not data & set(path.parts) and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    ]
    assert not long


def test_any_exception_at_all_is_taken_in_one_place_of_the_outermost_layer() -> None:
    blanket = [str(path) for path, tree in trees() for node in ast.walk(tree) if _takes_any_exception(node)]
    assert blanket == ["src/claude_openai_proxy/web/application.py"]


def _takes_any_exception(node: ast.AST) -> bool:
    """An `except`, or the end of a context manager that asks whether it was one."""
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or _is_any_exception(node.type)
    if not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in {"__exit__", "__aexit__"}):
        return False
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)]
    return any(_is_any_exception(kind) for call in calls for kind in call.args)


def _is_any_exception(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}


def test_numbers_that_rooms_name_alike_are_the_same() -> None:
    numbers: dict[str, set[object]] = {}
    for path, tree in trees():
        for node in tree.body if "simulator" not in path.parts else ():
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if (
                isinstance(target, ast.Name)
                and isinstance(value, ast.Constant)
                and isinstance(value.value, int | float)
            ):
                numbers.setdefault(target.id, set()).add(value.value)
    assert {name: values for name, values in numbers.items() if len(values) > 1} == {}


@pytest.mark.parametrize("path", [path.relative_to(ROOT) for path in SOURCES], ids=str)
def test_a_module_is_named_for_its_subject(path: Path) -> None:
    assert not FORBIDDEN_NAMES & set(path.stem.split("_"))
    assert ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
