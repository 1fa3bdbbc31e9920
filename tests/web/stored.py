"""Responses that are kept, made without asking anybody."""

import msgspec

from claude_openai_proxy.records import LOCAL, Principal
from claude_openai_proxy.service.response_state import ResponseState
from web.wired import NOW


def message(text: str, **more: object) -> bytes:
    """An input item."""
    return msgspec.json.encode({"type": "message", "role": "user", "content": text, **more})


def said(text: str, id_: str) -> dict[str, object]:
    """An output item."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": id_, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def response(id_: str, status: str = "in_progress", /, **more: object) -> bytes:
    """A response's JSON with all that the official SDK reads of it."""
    members: dict[str, object] = {
        "id": id_, "object": "response", "created_at": int(NOW), "status": status, "model": "opus", "store": True,
        "output": [], "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
        "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
    }  # fmt: skip
    return msgspec.json.encode(members | more)


async def answered(
    state: ResponseState, id_: str, asked: str, answer: str, principal: Principal = LOCAL, **more: object
) -> None:
    """A response that is complete and kept."""
    async with state.begin(principal, response(id_, **more), [message(asked)]) as underway:
        assert await underway.finish(response(id_, "completed", output=[said(answer, f"msg_of_{id_}")], **more))
