"""Users' files as users have them: comments anywhere, odd indentation, either line end, with or without the last one.

Each comment is `c` and a number of its own, so that it can be looked for.
"""

import json
from collections.abc import Callable

from hypothesis import strategies as st

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)

_BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r\n", " // c\n", "/* c */", "\n\n  "])
_TOML = [
    "# {c}", "", "   # {c}", 'approval_policy = "never"  # {c}', "  'quoted # no' = 1", "a.b = 2",
    'c = """\n# no\n"""', "d = [\n  1, # {c}\n  2,\n]", "e = { x = 1 } # {c}", "f = 1979-05-27T07:32:00Z",
]  # fmt: skip
_TOML_TABLES = ["[tui] # {c}\nx = 1", "[[hooks]]\n  y = 2 # {c}"]
_YAML_ITEMS = [
    "{i}- name: n{n} # {c}\n{i}  provider: other",
    "{i}-   name: 'n{n}'\n{i}    # {c}\n{i}    key: |\n{i}      # no\n{i}      x",
    "{i}- &a{n} {name: n{n}} # {c}",
    '{i}-\n{i}  name: "n{n}"\n{i}  roles: [a,\n{i}    b] # {c}',
    "{i}- n{n}",
    "{i}- name: >-\n{i}    folded\n{i}    # no\n\n{i}  # {c}",
]
_YAML_BETWEEN = ["", "# {c}\n", "{i}# {c}\n", "\n", "\n  \n# {c}\n"]
_YAML_HEADS = ["", "# {c}\n", "---\n", "%YAML 1.1\n---\n# {c}\n"]
_YAML_RESTS = [
    "", "# {c}\n", "rules: [] # {c}\n", "other:\n  - name: x # {c}\n", "text: |\n  # no\n\n", "map: {a: 1}\n# {c}\n",
]  # fmt: skip
_SHELL = [
    "# {c}", "", "provider add other --api-key '# no' # {c}", 'x="a b"', "  model add other/m \\\n    --name x",
]  # fmt: skip


@st.composite
def ended(draw: st.DrawFn, text: str) -> str:
    """With its comments numbered, one kind of line ends, and an end of the last line or none."""
    first, *others = text.split("{c}")
    text = first + "".join(f"c{number}{part}" for number, part in enumerate(others))
    ending = draw(st.sampled_from(["", "\n", "\n\n", "\n \n"]))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return f"{text.rstrip()}{ending}".replace("\r\n", "\n").replace("\n", newline)


@st.composite
def as_jsonc(draw: st.DrawFn, value: object) -> str:
    """A value as text, with blanks, comments and trailing commas wherever they may stand."""

    def write(inner: object) -> str:
        if isinstance(inner, dict):
            members = [f"{json.dumps(key)}{draw(_BLANKS)}:{draw(_BLANKS)}{write(item)}" for key, item in inner.items()]
            return join("{", members, "}")
        if isinstance(inner, list):
            return join("[", [write(item) for item in inner], "]")
        return json.dumps(inner, ensure_ascii=draw(st.booleans()))

    def join(begin: str, parts: list[str], end: str) -> str:
        trailing = draw(st.sampled_from(["", ","])) if parts else ""
        text = draw(_BLANKS) + ",".join(f"{draw(_BLANKS)}{part}{draw(_BLANKS)}" for part in parts)
        return begin + text + trailing + draw(_BLANKS) + end

    return draw(_BLANKS) + write(value) + draw(_BLANKS)


def _comments_numbered(text: str) -> str:
    return text.replace("// c\n", "// {c}\n").replace("/* c */", "/* {c} */")


@st.composite
def jsonc_object(draw: st.DrawFn, *names: str) -> str:
    """Settings of a program; `names` may be among them, each holding an object, one in the other."""
    inner: dict[str, object] = {"other": draw(JSON_VALUES)}
    for name in reversed(names):
        inner = {"x": draw(JSON_VALUES), **({name: inner} if draw(st.booleans()) else {}), "y": 1}
    return draw(ended(_comments_numbered(draw(as_jsonc(inner)))))


@st.composite
def jsonc_list(draw: st.DrawFn) -> str:
    """A file that is one list."""
    items = [{"name": f"n{number}", "x": draw(JSON_VALUES)} for number in range(draw(st.integers(0, 3)))]
    return draw(ended(_comments_numbered(draw(as_jsonc(items)))))


@st.composite
def toml(draw: st.DrawFn) -> str:
    """Some lines, no name twice, with a table behind them or none."""
    lines = draw(st.lists(st.sampled_from(_TOML), max_size=6, unique=True))
    table = draw(st.sampled_from(["", "", "", *_TOML_TABLES]))
    return draw(ended("\n".join([*lines, table])))


@st.composite
def yaml_list(draw: st.DrawFn, *path: str) -> str:
    """A file with a list at the names of `path`, filled, empty or lacking; without names a file that is one list."""
    outer = "  " * max(len(path) - 1, 0)
    indent = outer + draw(st.sampled_from(["", "  ", "    "])) if path else ""
    items = draw(st.lists(st.sampled_from(_YAML_ITEMS), max_size=3))
    names = ""
    lacks = not items and draw(st.booleans())
    for depth, name in enumerate(() if lacks else path):
        empty = " []" if depth == len(path) - 1 and not items else ""
        names += f"{'  ' * depth}{name}:{empty}{draw(st.sampled_from(['', ' # {c}']))}\n"
    body = ""
    for number, item in enumerate(items):
        text = f"{draw(st.sampled_from(_YAML_BETWEEN))}{item}\n"
        body += text.replace("{i}", indent).replace("{n}", str(number))
    rest = draw(st.sampled_from(_YAML_RESTS if path else ["", "# {c}\n"]))
    return draw(ended(draw(st.sampled_from(_YAML_HEADS)) + names + body + rest))


@st.composite
def shell(draw: st.DrawFn) -> str:
    """A crushrc."""
    return draw(ended("\n".join(draw(st.lists(st.sampled_from(_SHELL), max_size=5)))))


FILES: dict[str, Callable[[], st.SearchStrategy[str]]] = {
    "codex": toml,
    "opencode": lambda: jsonc_object("provider"),
    "kilo": lambda: jsonc_object("provider"),
    "cline": lambda: jsonc_object("providers"),
    "zed": lambda: jsonc_object("language_models", "openai_compatible"),
    "vscode": jsonc_list,
    "continue": lambda: yaml_list("models"),
    "librechat": lambda: yaml_list("endpoints", "custom"),
    "llm": yaml_list,
    "aider": lambda: yaml_list("read"),
    "crush": shell,
}
"""By client: the files that its users may have."""
