"""The CLI's menu of models as a list of models."""

from collections.abc import Iterable

from claude_openai_proxy.protocols.anthropic import ModelInfo
from claude_openai_proxy.protocols.claude_code import OfferedModel
from claude_openai_proxy.translate.models.facts import LINES


def offered_models(menu: Iterable[OfferedModel]) -> list[ModelInfo]:
    """One row for each model, in the menu's order; what the menu does not say is left open."""
    rows: dict[str, ModelInfo] = {}
    for row in menu:
        id_ = row.resolved_model or row.value
        if "[" in id_:
            continue  # The same model with a larger context, under a name that only the CLI knows.
        if id_ not in rows or row.value in LINES:
            rows[id_] = ModelInfo(id=id_, display_name=row.display_name, line=row.value if row.value in LINES else None)
    return list(rows.values())
