"""Cline: one store of providers for its command, its editor extensions and its SDK, with one place for one like ours.

Cline writes the file itself whenever it runs, so what is compared is what was set, not the moment (`updatedAt`).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from claude_openai_proxy.setup import jsonc
from claude_openai_proxy.setup.client import PROMPT, WrittenClient
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.target import ANY_KEY, Target
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Edit

PROVIDER: Final = "openai-compatible"

_PLACE: Final = ("providers", PROVIDER)
_LAST: Final = "lastUsedProvider"
_EMPTY: Final = f"{json.dumps({'version': 1, 'modes': {}, 'providers': {}}, indent=2)}\n"
_MOMENT: Final = "2026-01-01T00:00:00.000Z"
"""Cline takes no entry without one, and writes its own the next time that it runs."""
_OURS: Final = ("http://localhost:", "http://127.0.0.1:", "http://[::1]:")


def _file(machine: Machine) -> Path:
    own = machine.environment.get("CLINE_DATA_DIR")
    return (Path(own) if own else machine.home / ".cline" / "data") / "settings" / "providers.json"


def _settings(text: str) -> dict[str, Any]:
    """What stands in the place; empty where nothing does. Raises `EditError`."""
    value = jsonc.load(text)
    for name in (*_PLACE, "settings"):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _provider(target: Target) -> Edit:
    settings = {
        "provider": PROVIDER,
        "apiKey": target.key or ANY_KEY,
        "model": target.model.id,
        "baseUrl": target.base_url,
    }

    def edit(text: str) -> str:
        text = text if text.strip() else _EMPTY
        there = _settings(text)
        if there == settings:
            return text
        if there.get("baseUrl", target.base_url) != target.base_url:
            raise EditError(f"Cline has one place for a provider like this, and it is taken: {there['baseUrl']}.")
        return jsonc.with_entry(text, _PLACE, {"settings": settings, "updatedAt": _MOMENT, "tokenSource": "manual"})

    return edit


def _removed(text: str) -> str:
    """Where it is still of this machine; what was put there since is its user's."""
    there = str(_settings(text).get("baseUrl", "")) if text.strip() else ""
    if there and not there.startswith(_OURS):
        raise EditError(f"The place is another provider's by now: {there}.")
    return jsonc.without_entry(text, _PLACE) if there else text


def _given_back(before: str) -> Edit:
    """Without us as the provider that was used last, which the proof has made us."""
    known = jsonc.load(before) if before.strip() else {}
    former = known.get(_LAST) if isinstance(known, dict) else None

    def edit(text: str) -> str:
        text = _removed(text)
        whole = jsonc.load(text) if text.strip() else {}
        if not isinstance(whole, dict) or whole.get(_LAST) != PROVIDER:
            return text
        return jsonc.with_entry(text, (_LAST,), former) if former else jsonc.without_entry(text, (_LAST,))

    return edit


def _after(target: Target) -> Sequence[str]:
    return (
        f"Then: cline -P {PROVIDER} -m {target.model.id}",
        "The key is in Cline's own file, which it keeps for its owner alone. Cline remembers the provider used last.",
    )


CLINE: Final = WrittenClient(
    "cline",
    "Cline",
    installed=lambda machine: machine.program("cline") is not None or _file(machine).exists(),
    file=_file,
    write=_provider,
    remove=_removed,
    give_back=_given_back,
    after=_after,
    command=lambda target, _: (
        "cline", "--json", "--auto-approve", "false", "-P", PROVIDER, "-m", target.model.id, PROMPT,
    ),
    # Else it leaves a server of its own behind, in the folder of the proof.
    variables={"CLINE_SESSION_BACKEND_MODE": "local"},
)  # fmt: skip
