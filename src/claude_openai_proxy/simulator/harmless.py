"""What the simulated model never does: an agent that runs unattended would carry out whatever it invents.

It calls no tool that says it runs, writes or deletes something, and puts nothing that was said into a parameter that
looks like a command, code, a path, a query or an address. A script of a test may ask for all of that.
"""

import re
from typing import Final

from claude_openai_proxy.simulator.loose_json import JSONObject, text_in

LONGEST_ECHO: Final = 80
"""Characters of what was said that come back, on one line."""

_RISKY_TOOL: Final = re.compile(
    r"\b(bash|zsh|sh|shell|powershell|terminal|exec|execute[sd]?|executing|run|runs|writes?|writing|deletes?|deleting|"
    r"removes?|edits?|patch|patches|apply)\b"
)
_RISKY_DESCRIPTION: Final = re.compile(r"\b(bash|shell|exec|execute[sd]?|executing|writes?|deletes?|patch|patches)\b")
_HARMLESS: Final = (
    (re.compile(r"\b(url|urls|uri|uris|link|href|endpoint|address of a page)\b"), "https://example.com/"),
    (re.compile(r"\b(command|commands|cmd|script|shell|argv|args|program)\b"), "echo simulated"),
    (re.compile(r"\b(code|expression|snippet|source)\b"), "true"),
    (
        re.compile(r"\b(path|paths|file|files|filename|filepath|dir|directory|folder|cwd|workdir|glob|pattern)\b"),
        "simulated",
    ),
    (re.compile(r"\b(query|queries|sql|patch|diff|regex)\b"), "simulated"),
)
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_FENCES: Final = re.compile(r"[`~<>]{3,}")


def is_risky(tool: JSONObject) -> bool:
    """Whether name or description says that it runs, writes or deletes something."""
    name, description = _words(text_in(tool.get("name"))), text_in(tool.get("description")).lower()
    return bool(_RISKY_TOOL.search(name) or _RISKY_DESCRIPTION.search(description))


def harmless_value(name: str, schema: JSONObject) -> str | None:
    """What stands in a parameter that looks like something to be run, opened or asked; None for any other."""
    for told in (_words(name), text_in(schema.get("description")).lower()):
        for looks_like, value in _HARMLESS:
            if looks_like.search(told):
                return value
    return None


def echo(said: str) -> str:
    """One line of what was said."""
    line = _BLANKS.sub(" ", _FENCES.sub(" ", said)).strip(" ")
    return line if len(line) <= LONGEST_ECHO else f"{line[: LONGEST_ECHO - 1]}…"


def _words(name: str) -> str:
    """`applyPatch` and `apply_patch` as words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]", " ", name).lower()
