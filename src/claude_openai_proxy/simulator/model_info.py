"""Rows of `GET /v1/models` (https://docs.anthropic.com/en/api/models-list): newest first, retired ones left out."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from claude_openai_proxy.simulator.loose_json import JSONObject
from claude_openai_proxy.simulator.model_table import Model

YES: JSONObject = {"supported": True}
NO: JSONObject = {"supported": False}


def model_info(model: Model) -> JSONObject:
    """One row."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": f"{model.released}T00:00:00Z",
        "line": model.line,
        "lifecycle": model.lifecycle,
        "deprecated_at": None if model.lifecycle == "active" else f"{model.released}T00:00:00Z",
        "retires_at": f"{model.retires}T00:00:00Z" if model.retires else None,
        "max_input_tokens": model.context,
        "max_tokens": model.max_output,
        "capabilities": _capabilities(model),
    }


def model_page(models: Sequence[Model], query: str) -> JSONObject:
    """The page that `limit`, `after_id` and `before_id` ask for."""
    asked = parse_qs(query)
    rows = [model_info(model) for model in models if model.lifecycle != "retired"]
    ids = [row["id"] for row in rows]
    limit = int(asked.get("limit", ["20"])[0])
    if "before_id" in asked:
        end = ids.index(asked["before_id"][0]) if asked["before_id"][0] in ids else 0
        page, more = rows[max(0, end - limit) : end], end > limit
    else:
        after = asked.get("after_id", [""])[0]
        start = ids.index(after) + 1 if after in ids else 0
        page, more = rows[start : start + limit], start + limit < len(rows)
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return {"data": page, "has_more": more, **ends}


def _capabilities(model: Model) -> JSONObject:
    return {
        "batch": YES,
        "citations": YES,
        "code_execution": YES,
        "context_management": {
            "supported": True,
            "clear_thinking_20251015": YES,
            "clear_tool_uses_20250919": YES,
            "compact_20260112": _supported(model.context > 200_000),
        },
        "effort": {
            "supported": bool(model.efforts),
            **{effort: _supported(effort in model.efforts) for effort in ("low", "medium", "high", "xhigh", "max")},
        },
        "image_input": YES,
        "pdf_input": YES,
        "server_tools": {"supported": True, "code_execution": YES, "web_search": YES},
        "structured_outputs": YES,
        "thinking": {"supported": True, "types": _thinking_types(model)},
    }


def _thinking_types(model: Model) -> JSONObject:
    kinds = {kind: _supported(kind in model.thinking) for kind in ("adaptive", "disabled", "enabled")}
    return {**kinds, "between_tools": NO}


def _supported(yes: object) -> JSONObject:
    return YES if yes else NO
