"""The versions that were tested lie in the ranges that are declared, and nothing records where they came from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [Requirement(text) for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"])]
LINES = (ROOT / "tests" / "tested-versions.txt").read_text(encoding="utf-8").splitlines()
TESTED = {
    canonicalize_name(name): Version(version)
    for name, version in (line.split("==") for line in LINES if line[0] != "#")
}


@pytest.mark.parametrize("requirement", DECLARED, ids=lambda requirement: requirement.name)
def test_what_was_tested_lies_in_the_range_that_is_declared(requirement: Requirement) -> None:
    assert requirement.specifier.contains(TESTED[canonicalize_name(requirement.name)])


def test_the_list_names_versions_and_nothing_else() -> None:
    assert [line for line in LINES if not re.fullmatch(r"# .*|[\w.-]+==[\w.+]+", line)] == []
