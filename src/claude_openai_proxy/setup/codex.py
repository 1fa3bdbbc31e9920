"""Codex: a profile is a file of its own, which `codex -p` lays over the user's, so nothing of theirs is touched.

(https://developers.openai.com/codex/config-reference; its own command line, 0.171.)
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from claude_openai_proxy.service.codex_profile import KEY_VARIABLE, NAME, profile
from claude_openai_proxy.setup.block import with_block, without_block
from claude_openai_proxy.setup.client import PROMPT, WrittenClient
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.target import Target
from claude_openai_proxy.setup.text_edit import EditError, checked
from claude_openai_proxy.setup.user_file import Edit


def _file(machine: Machine) -> Path:
    own = machine.environment.get("CODEX_HOME")
    return (Path(own) if own else machine.home / ".codex") / f"{NAME}.config.toml"


def with_profile(target: Target) -> Edit:
    """Our lines between two marks; what the user adds around them stays, as long as TOML still says the same of it."""
    lines = profile(target.base_url, target.model.id, with_key=bool(target.key))

    def edit(text: str) -> str:
        own, ours = _load(without_block(text)), _load("\n".join(lines))
        providers = own.get("model_providers", {})
        if taken := next((name for name in ("model", "model_provider") if name in own), ""):
            raise EditError(f"{taken} is set already, to something of your own.")
        if not isinstance(providers, dict) or NAME in providers:
            raise EditError(f"model_providers.{NAME} is set already, to something of your own.")
        expected = {**own, **ours, "model_providers": providers | ours["model_providers"]}
        return checked(with_block(text, lines), _load, expected)

    return edit


def _load(text: str) -> dict[str, Any]:
    """Raises `EditError` where the text is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EditError(f"The file is no TOML: {error}.") from error


def _after(target: Target) -> Sequence[str]:
    key = (f"Codex reads the key from the environment: export {KEY_VARIABLE}=<one of the proxy's client keys>",)
    return (
        *(key if target.key else ()),
        f"Then: codex -p {NAME}",
        "The desktop app and the IDE's extension read no profiles: what is in the file goes into config.toml there.",
    )


CODEX: Final = WrittenClient(
    "codex",
    "Codex",
    installed=lambda machine: machine.program("codex") is not None,
    file=_file,
    write=with_profile,
    remove=without_block,
    after=_after,
    command=lambda *_: ("codex", "exec", "--skip-git-repo-check", "-s", "read-only", "-p", NAME, PROMPT),
)
