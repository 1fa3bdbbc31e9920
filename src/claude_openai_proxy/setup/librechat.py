"""LibreChat: one more endpoint in the `librechat.yaml` of whoever runs it.

(https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint.)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from claude_openai_proxy.setup import yaml_text
from claude_openai_proxy.setup.client import WrittenClient
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.named_items import OURS, without_items
from claude_openai_proxy.setup.target import ANY_KEY, CONTAINER_HOST, KEY_VARIABLE, Target
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Edit

_ENDPOINTS: Final = ("endpoints", "custom")


def _file(machine: Machine) -> Path:
    """In its folder, where it is started."""
    return Path(machine.environment.get("PWD", "")) / "librechat.yaml"


def _endpoint(target: Target) -> Edit:
    item: dict[str, object] = {
        "name": f"Claude{OURS}",
        "apiKey": f"${{{KEY_VARIABLE}}}" if target.key else ANY_KEY,
        "baseURL": target.base_url,
        "models": {"default": [model.id for model in target.offered], "fetch": True},
        "titleConvo": True,
        "titleModel": target.model.id,
        "modelDisplayLabel": "Claude",
    }

    def edit(text: str) -> str:
        if not text.strip():
            raise EditError("There is no librechat.yaml here: run this in the folder where LibreChat has it.")
        return yaml_text.with_item(text, _ENDPOINTS, item, by="name")

    return edit


def _after(target: Target) -> Sequence[str]:
    key = (f"Put {KEY_VARIABLE}=<one of the proxy's client keys> into LibreChat's .env.",)
    there = target.base_url.partition("://")[2].partition(":")[0]
    container = (f"The proxy needs ALLOWED_HOSTS={there}, and to listen where the container can reach it.",)
    return (
        *(key if target.key else ()),
        *(container if there == CONTAINER_HOST else ()),
        "Restart LibreChat: its log then lists the endpoint.",
    )


LIBRECHAT: Final = WrittenClient(
    "librechat",
    "LibreChat",
    installed=lambda machine: _file(machine).exists(),
    file=_file,
    write=_endpoint,
    remove=without_items(_ENDPOINTS, "name"),
    after=_after,
)
