"""One entry in a JSON file with comments and trailing commas: put in, replaced, taken out, all else byte for byte.

The text is scanned into nodes that know where they stand; an edit replaces one span of it. What comes out is parsed
again and compared with what was meant before anybody sees it.
"""

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from claude_openai_proxy.setup.text_edit import EditError, checked

DEEPEST: Final = 100

_BLANK: Final = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_REST_OF_LINE: Final = re.compile(r"([ \t]*(?:/\*[^\n]*?\*/[ \t]*)*(?://[^\r\n]*)?)\r?\n")
"""Blanks and comments behind a value, which stay with it."""
_SCALAR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?', re.DOTALL)


@dataclass(slots=True)
class _Node:
    """A value at `start:end` of the text."""

    start: int
    end: int = 0
    value: Any = None
    parts: "list[_Part]" = field(default_factory=list)
    """Members of an object, elements of a list."""

    def part(self, key: str | int) -> "_Part | None":
        """The last part of that name or number, which is the one that JSON readers take."""
        return next((part for part in reversed(self.parts) if part.key == key), None)


@dataclass(slots=True)
class _Part:
    """`start` is where its name begins, in a list where its value does; `comma` is where the comma after it stands."""

    key: str | int
    start: int
    node: _Node
    comma: int | None = None


def load(text: str) -> Any:
    """What the text says. Raises `EditError`."""
    return _scanned(text).value


def with_entry(text: str, path: Sequence[str], entry: object) -> str:
    """`text` with `entry` at `path`, a chain of member names; objects that lack on the way are made.

    Raises `EditError`.
    """
    text = text if text.strip() else "{}\n"
    root = _scanned(text)
    node, depth = root, 0
    while depth < len(path) - 1 and (part := node.part(path[depth])) and isinstance(part.node.value, dict):
        node, depth = part.node, depth + 1
    if not isinstance(node.value, dict):
        raise EditError("The file is not a JSON object.")
    for name in reversed(path[depth + 1 :]):
        entry = {name: entry}
    expected = copy.deepcopy(root.value)
    _reach(expected, path[:depth])[path[depth]] = entry
    if expected == root.value:
        return text
    taken = node.part(path[depth])
    if taken is not None and depth < len(path) - 1 and taken.node.value is not None:
        raise EditError(f"{'.'.join(path[: depth + 1])} is not an object.")
    if taken is not None:
        return checked(_replaced(text, taken.node, entry), load, expected)
    return checked(_appended(text, node, f"{json.dumps(path[depth], ensure_ascii=False)}: ", entry), load, expected)


def without_entry(text: str, path: Sequence[str]) -> str:
    """`text` without what stands at `path`; objects that are empty then stay. Raises `EditError`."""
    root = _scanned(text)
    node = root
    for name in path[:-1]:
        part = node.part(name)
        if part is None:
            return text
        node = part.node
    taken = node.part(path[-1])
    if taken is None:
        return text
    expected = copy.deepcopy(root.value)
    del _reach(expected, path[:-1])[path[-1]]
    return checked(_cut(text, node, taken), load, expected)


def with_element(text: str, element: dict[str, object], *, by: str) -> str:
    """A file that is one list: `element` at its end, or instead of the one whose member `by` is the same.

    Raises `EditError`.
    """
    text = text if text.strip() else "[]\n"
    root = _scanned(text)
    taken = _element(root, by, element[by])
    if taken is None:
        return checked(_appended(text, root, "", element), load, [*root.value, element])
    if taken.node.value == element:
        return text
    expected = [element if part is taken else part.node.value for part in root.parts]
    return checked(_replaced(text, taken.node, element), load, expected)


def without_element(text: str, *, by: str, value: object) -> str:
    """A file that is one list, without the element whose member `by` is `value`. Raises `EditError`."""
    root = _scanned(text)
    taken = _element(root, by, value)
    if taken is None:
        return text
    return checked(_cut(text, root, taken), load, [part.node.value for part in root.parts if part is not taken])


# ---- edits ----------------------------------------------------------------------------------------------------------


def _element(root: _Node, by: str, value: object) -> _Part | None:
    if not isinstance(root.value, list):
        raise EditError("The file is not a JSON list.")
    for part in root.parts:
        if isinstance(part.node.value, dict) and part.node.value.get(by) == value:
            return part
    return None


def _reach(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value[name]
    return value


def _replaced(text: str, node: _Node, value: object) -> str:
    return text[: node.start] + _written(value, _indent(text, node.start), _step(text)) + text[node.end :]


def _appended(text: str, node: _Node, name: str, value: object) -> str:
    """`node`, an object or a list, with one more part at its end, on a line of its own."""
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indent(text, node.start)
    inner = _indent(text, node.parts[-1].start) if node.parts and _begins_line(text, node.parts[-1].start) else ""
    inner = inner or outer + _step(text)
    line = f"\n{inner}{name}{_written(value, inner, _step(text))}".replace("\n", newline)
    if not node.parts:
        at = node.end - 1
        before = text[:at].rstrip(" \t")
        return f"{before.removesuffix(newline)}{line}{newline}{outer}{text[at:]}"
    last = node.parts[-1]
    at = last.node.end if last.comma is None else last.comma + 1
    behind = _REST_OF_LINE.match(text, at)
    line_end = behind.end(1) if behind else at
    comma = "," if last.comma is None else ""
    return f"{text[:at]}{comma}{text[at:line_end]}{line}{'' if comma else ','}{text[line_end:]}"


def _cut(text: str, node: _Node, part: _Part) -> str:
    """`node` without `part`: its line goes where it has one of its own, and the comma that is one too many."""
    place = node.parts.index(part)
    start, end = part.start, part.node.end if part.comma is None else part.comma + 1
    if part.comma is None and place:  # the last one, no trailing comma: the one before it loses its comma
        comma = node.parts[place - 1].comma
        assert comma is not None
        text = text[:comma] + text[comma + 1 :]
        start, end = start - 1, end - 1
    if _begins_line(text, start) and (rest := re.compile(r"[ \t]*\r?\n").match(text, end)):
        start, end = text.rfind("\n", 0, start) + 1, rest.end()
    return text[:start] + text[end:]


def _written(value: object, indent: str, step: str) -> str:
    return json.dumps(value, indent=step, ensure_ascii=False).replace("\n", f"\n{indent}")


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _begins_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t")


def _step(text: str) -> str:
    """What one level is indented by in this text."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found and len(found[1]) <= 8 else "  "


# ---- the scanner ----------------------------------------------------------------------------------------------------


def _scanned(text: str) -> _Node:
    start = _skip(text, 0)
    node = _value(text, start, 0)
    if _skip(text, node.end) != len(text):
        raise _wrong(text, node.end)
    return node


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _value(text: str, at: int, depth: int) -> _Node:
    if depth > DEEPEST:
        raise EditError("The file is nested too deeply.")
    if text.startswith(("{", "["), at):
        return _parts(text, at, depth)
    found = _SCALAR.match(text, at)
    if found is None:
        raise _wrong(text, at)
    try:
        return _Node(at, found.end(), json.loads(found[0], strict=False))
    except ValueError as error:
        raise _wrong(text, at) from error


def _parts(text: str, at: int, depth: int) -> _Node:
    node = _Node(at)
    closing = "}" if text[at] == "{" else "]"
    at = _skip(text, at + 1)
    while not text.startswith(closing, at):
        if node.parts and node.parts[-1].comma is None:
            raise _wrong(text, at)
        part = _member(text, at, depth) if closing == "}" else _Part(len(node.parts), at, _value(text, at, depth + 1))
        node.parts.append(part)
        at = _skip(text, part.node.end)
        if text.startswith(",", at):
            part.comma = at
            at = _skip(text, at + 1)
    node.end = at + 1
    if closing == "}":
        node.value = {part.key: part.node.value for part in node.parts}
    else:
        node.value = [part.node.value for part in node.parts]
    return node


def _member(text: str, at: int, depth: int) -> _Part:
    name = _value(text, at, depth + 1)
    colon = _skip(text, name.end)
    if not isinstance(name.value, str) or not text.startswith(":", colon):
        raise _wrong(text, at)
    return _Part(name.value, at, _value(text, _skip(text, colon + 1), depth + 1))


def _wrong(text: str, at: int) -> EditError:
    return EditError(f"The file is not valid JSON (line {text.count(chr(10), 0, at) + 1}).")
