"""Items of a user's YAML lists that are known as ours by their names, whatever model stands behind them."""

from collections.abc import Sequence
from typing import Final

from claude_openai_proxy.setup import yaml_text
from claude_openai_proxy.setup.target import ID, TITLE, OfferedModel
from claude_openai_proxy.setup.user_file import Edit

OURS: Final = f" ({TITLE})"
"""How the names end that people see."""


def named(model: OfferedModel) -> str:
    """The same, however the model behind an alias is called."""
    return f"{model.id}{OURS}"


def without_items(path: Sequence[str], by: str) -> Edit:
    """Without the items of the list whose member `by` shows that they are ours."""

    def edit(text: str) -> str:
        for item in _items(yaml_text.load(text), path):
            name = str(item.get(by, ""))
            if name.endswith(OURS) or name.startswith(f"{ID}/"):
                text = yaml_text.without_item(text, path, by=by, value=item[by])
        return text

    return edit


def _items(value: object, path: Sequence[str]) -> list[dict[str, object]]:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
