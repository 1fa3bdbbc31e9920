"""What Codex is told to reach this proxy: a profile, which is a file of its own beside its user's `config.toml`."""

import json
from collections.abc import Sequence
from typing import Final

NAME: Final = "claude-openai-proxy"
"""Of the profile and of the provider in it: `codex -p claude-openai-proxy` reads `claude-openai-proxy.config.toml`."""
KEY_VARIABLE: Final = "CLAUDE_OPENAI_PROXY_KEY"
"""Where Codex looks for a client key."""


def profile(base_url: str, model: str, *, with_key: bool) -> Sequence[str]:
    """The lines of the file, in TOML; `base_url` ends with `/v1`.

    Codex asks for the list of models only where it has some key to send. Its provider is not called "OpenAI": by that
    name it would ask for compaction by the server.
    """
    key = f'env_key = "{KEY_VARIABLE}"' if with_key else 'experimental_bearer_token = "any"'
    return (
        f"model = {_text(model)}",
        f'model_provider = "{NAME}"',
        "",
        f"[model_providers.{NAME}]",
        'name = "Claude OpenAI Proxy"',
        f"base_url = {_text(base_url)}",
        'wire_api = "responses"',
        key,
        f"model_catalog_url = {_text(f'{base_url}/models')}",
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
