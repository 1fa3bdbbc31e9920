"""What is written into a user's file, whatever is in it, can be taken back: all of it, or ours alone."""

import re
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai_proxy.setup import jsonc, yaml_text
from claude_openai_proxy.setup.client import WrittenClient
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Undo, planned
from claude_openai_proxy.setup.written_clients import WRITTEN
from setup.layouts import FILES
from setup.test_clients import BASE, KEYED, OPEN

LOAD: dict[str, Callable[[str], object]] = {
    "codex": tomllib.loads,
    **dict.fromkeys(("aider", "continue", "librechat", "llm"), yaml_text.load),
    **dict.fromkeys(("opencode", "kilo", "cline", "zed", "vscode"), jsonc.load),
    "crush": str.split,
}
EXAMPLES = 40


def client(name: str) -> WrittenClient:
    return next(one for one in WRITTEN if one.name == name)


def without_empty(value: object) -> object:
    """Objects and lists that were begun for us may stay, empty."""
    if isinstance(value, dict):
        kept = {name: without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not None} or None
    return None if value == [] else value


def written(one: WrittenClient, file: Path, undo: Undo) -> bool:
    """Whether there is a safe place; where there is none the file is as it was."""
    before = file.read_bytes()
    try:
        undo.write(one.name, planned(file, one.write(OPEN)))
    except EditError:
        assert file.read_bytes() == before
        return False
    assert BASE.encode() in file.read_bytes()
    return True


@settings(max_examples=EXAMPLES)
@given(st.data())
@pytest.mark.parametrize("name", FILES)
def test_where_nobody_else_wrote_every_byte_comes_back(name: str, data: st.DataObject) -> None:
    text = data.draw(FILES[name]())
    with tempfile.TemporaryDirectory() as folder:
        file, undo, one = Path(folder) / "their file", Undo(Path(folder) / "kept"), client(name)
        file.write_bytes(text.encode())
        if not written(one, file, undo):
            return
        undo.write(name, planned(file, one.write(KEYED)))
        undo.take_back(name, file, one.remove)
        assert file.read_bytes() == text.encode()


@settings(max_examples=EXAMPLES)
@given(st.data())
@pytest.mark.parametrize("name", FILES)
def test_where_somebody_wrote_since_ours_alone_goes(name: str, data: st.DataObject) -> None:
    text = data.draw(FILES[name]())
    since = "\n// mine since" if LOAD[name] is jsonc.load else "\n# mine since"
    with tempfile.TemporaryDirectory() as folder:
        file, undo, one = Path(folder) / "their file", Undo(Path(folder) / "kept"), client(name)
        file.write_bytes(text.encode())
        if not written(one, file, undo):
            return
        file.write_bytes(file.read_bytes() + since.encode())
        undo.take_back(name, file, one.remove)
        after = file.read_bytes().decode()
    assert BASE not in after
    assert after.endswith(since)
    assert re.findall(r"\bc\d+\b", after) == re.findall(r"\bc\d+\b", text)
    if text.strip():  # else it was begun by us, and what it began with stays
        assert without_empty(LOAD[name](after.removesuffix(since))) == without_empty(LOAD[name](text))


@pytest.mark.parametrize("name", FILES)
def test_many_layouts_have_a_place_for_ours(name: str) -> None:
    """Else the properties above would hold of nothing. Of one client seven in ten have, of the others more."""
    places = {False: 0, True: 0}

    @settings(max_examples=EXAMPLES, database=None, derandomize=True)
    @given(FILES[name]())
    def look(text: str) -> None:
        try:
            client(name).write(OPEN)(text)
        except EditError:
            places[False] += 1
        else:
            places[True] += 1

    look()
    assert places[True] >= EXAMPLES // 5, places
