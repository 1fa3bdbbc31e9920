"""Signatures that bind a thinking block to its model and to everything that stood before it."""

import base64
import hashlib

from claude_openai_proxy.simulator.complaints.asked import blocks_at
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, list_in, object_in

MARK = b"sim:"
MARK_ENCODED = "c2ltO"


def bound_signature(body: JSONObject, before: int) -> str:
    """Signature of thinking that answers the first `before` messages of this request."""
    prefix: list[object] = [body.get("model"), _plain(body.get("tools")), _blocks(body.get("system"))]
    for message in list_in(body.get("messages"))[:before]:
        fields = object_in(message)
        prefix.append([fields.get("role"), _blocks(fields.get("content"))])
    return base64.b64encode(MARK + hashlib.sha256(compact(prefix).encode()).digest()).decode()


def is_bound(signature: str) -> bool:
    """Whether the simulator made this signature; those that scripts bring are not judged."""
    return signature.startswith(MARK_ENCODED)


def _blocks(content: object) -> list[object]:
    return [_plain(block) for _, block in blocks_at("", content)]


def _plain(part: object) -> object:
    """Without cache marks, which bind nothing."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if isinstance(part, dict):
        return {name: _plain(value) for name, value in part.items() if name != "cache_control"}
    return part
