"""One entry in a YAML file, as text at a checked position: comments, anchors, quotes and order stay as they are.

The file is parsed for where its nodes stand, lines are put in or taken out, and the result is parsed again and compared
with what was meant. A file in which the entry has no such place (several documents, a flow list over many lines) is
left alone.
"""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from claude_openai_proxy.setup.text_edit import EditError, checked


def load(text: str) -> Any:
    """What the text says. Raises `EditError`."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EditError(f"The file is not valid YAML ({_first_line(error)}).") from error


def with_item(text: str, path: Sequence[str], item: dict[str, object], *, by: str) -> str:
    """`item` in the list at `path`, at its end or instead of the one whose member `by` is the same; a list that lacks
    is made. An empty `path` is a file that is one list. Raises `EditError`.
    """
    value = load(text)
    items = _list_at(value, path)
    if item in items:
        return text
    if any(isinstance(old, dict) and old.get(by) == item[by] for old in items):
        text = without_item(text, path, by=by, value=item[by])
        value = load(text)
        items = _list_at(value, path)
    expected = _with_list(value, path, [*items, item])
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    node = _node_at(text, path)
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        at, indent = _end_line(lines, node), node.start_mark.column
        lines[at:at] = _item_lines(item, " " * indent)
        return checked("".join(lines), load, expected)
    return checked(_begun(lines, text, path, node, item), load, expected)


def without_item(text: str, path: Sequence[str], *, by: str, value: object) -> str:
    """The list at `path` without the item whose member `by` is `value`. Raises `EditError`."""
    whole = load(text)
    items = _list_at(whole, path)
    place = next((n for n, item in enumerate(items) if isinstance(item, dict) and item.get(by) == value), None)
    node = _node_at(text, path)
    if place is None or not isinstance(node, yaml.SequenceNode):
        return text
    if node.flow_style:
        raise EditError("The entry stands in a list on one line; take it out by hand.")
    lines = text.splitlines(keepends=True)
    start = node.value[place].start_mark.line
    end = _end_line(lines, node.value[place])
    if len(items) == 1:
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        lines[start:end] = [f"{indent or '  '}[]\n"]
    else:
        del lines[start:end]
    return checked("".join(lines), load, _with_list(whole, path, [item for n, item in enumerate(items) if n != place]))


def _list_at(value: Any, path: Sequence[str]) -> list[Any]:
    for name in path:
        if value is None:
            return []
        if not isinstance(value, dict):
            raise EditError("The file is not laid out as expected: a mapping is missing.")
        value = value.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise EditError(f"{'.'.join(path) or 'The file'} is not a list.")
    return value


def _with_list(value: Any, path: Sequence[str], items: list[Any]) -> Any:
    if not path:
        return items
    return {**(value or {}), path[0]: _with_list((value or {}).get(path[0]), path[1:], items)}


def _root(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _node_at(text: str, path: Sequence[str]) -> yaml.Node | None:
    node = _root(text)
    for name in path:
        node = _inner(node, name)
    return node


def _inner(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((inner for key, inner in node.value if key.value == name), None)


def _end_line(lines: Sequence[str], node: yaml.Node) -> int:
    """The line after the last one that `node` takes; comments and blank lines behind it are not its own."""
    line, column = node.end_mark.line, node.end_mark.column
    if line < len(lines) and lines[line][:column].strip():  # else the mark stands where the next item begins
        line += 1
    while line > node.start_mark.line + 1 and _is_blank(lines[line - 1]):
        line -= 1
    return line


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _item_lines(item: dict[str, object], indent: str) -> list[str]:
    return [f"{indent}{'- ' if number == 0 else '  '}{line}\n" for number, line in enumerate(_members(item))]


def _members(item: dict[str, object]) -> list[str]:
    """A member a line; JSON is YAML, so values are written as JSON."""
    return [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in item.items()]


def _begun(lines: list[str], text: str, path: Sequence[str], node: yaml.Node | None, item: dict[str, object]) -> str:
    """The file with the list at `path` begun: it lacks, or is empty."""
    if not path and (node is None or node.value == ""):  # nothing, or the mark of a document alone
        return "".join([*lines, *_item_lines(item, "")])
    if node is not None:  # `models: []`, `models:`, or `[]` on a line of its own
        at = node.start_mark.line
        head, rest = lines[at][: node.start_mark.column], lines[at][node.end_mark.column :].strip()
        own_line = not head.strip()
        if node.end_mark.line != at or node.value not in ([], "") or not (own_line or head.rstrip().endswith(":")):
            raise EditError("The list stands on one line; put the entry in by hand.")
        indent = head[: len(head) - len(head.lstrip())]
        kept = " ".join(piece for piece in (head.rstrip(), rest) if piece)
        new = _item_lines(item, indent if own_line else f"{indent}  ")
        lines[at : at + 1] = [*([f"{kept}\n"] if kept else []), *new]
        return "".join(lines)
    depth = len(path) - 1
    while depth and _node_at(text, path[:depth]) is None:
        depth -= 1
    parent = _node_at(text, path[:depth])
    if parent is not None and (not isinstance(parent, yaml.MappingNode) or parent.flow_style):
        raise EditError("There is no place for the entry; put it in by hand.")
    at, column = (_end_line(lines, parent), parent.start_mark.column) if parent else (len(lines), 0)
    new = [f"{' ' * (column + 2 * n)}{name}:\n" for n, name in enumerate(path[depth:])]
    lines[at:at] = [*new, *_item_lines(item, " " * (column + 2 * len(new)))]
    return "".join(lines)


def _first_line(error: yaml.YAMLError) -> str:
    return str(error).partition("\n")[0]
