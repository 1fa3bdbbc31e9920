"""Codex: a profile is a file of its own, which `codex -p` lays over the user's, so nothing of theirs is touched.

(https://developers.openai.com/codex/config-reference; its own command line, 0.171.)
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from claude_openai_proxy.setup.client import PROMPT, WrittenClient, ours_alone
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.target import ID, KEY_VARIABLE, TITLE, Target
from claude_openai_proxy.setup.user_file import Edit

IDLE_MILLISECONDS: Final = 600_000
"""Claude may think for minutes before the first word."""


def _file(machine: Machine) -> Path:
    own = machine.environment.get("CODEX_HOME")
    return (Path(own) if own else machine.home / ".codex") / f"{ID}.config.toml"


def _profile(target: Target) -> Edit:
    """TOML's basic strings are written as JSON's are (https://toml.io/en/v1.0.0#string)."""
    provider = {"name": TITLE, "base_url": target.base_url, "wire_api": "responses"}
    provider |= {"env_key": KEY_VARIABLE} if target.key else {}
    provider |= {"model_catalog_url": f"{target.base_url}/models"}
    lines = [f"model = {json.dumps(target.model.id)}", f'model_provider = "{ID}"', "", f"[model_providers.{ID}]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in provider.items()]
    lines += [f"stream_idle_timeout_ms = {IDLE_MILLISECONDS}", ""]
    return lambda _: "\n".join(lines)


def _after(target: Target) -> Sequence[str]:
    key = (f"Codex reads the key from the environment: export {KEY_VARIABLE}=<one of the proxy's client keys>",)
    return (
        *(key if target.key else ()),
        f"Then: codex -p {ID}",
        "The desktop app and the IDE's extension read no profiles: what is in the file goes into config.toml there.",
    )


CODEX: Final = WrittenClient(
    "codex",
    "Codex",
    installed=lambda machine: machine.program("codex") is not None,
    file=_file,
    write=_profile,
    remove=ours_alone,
    after=_after,
    command=lambda *_: ("codex", "exec", "--skip-git-repo-check", "-s", "read-only", "-p", ID, PROMPT),
)
