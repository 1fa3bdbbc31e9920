"""What the simulated model answers by itself."""

from claude_openai_proxy.simulator.loose_json import list_in, object_in, objects_in, text_in
from claude_openai_proxy.simulator.received import ReceivedRequest
from claude_openai_proxy.simulator.script import Script


def answer(request: ReceivedRequest) -> Script:
    """A sensible answer, always the same for the same request."""
    messages = list_in(request.json.get("messages"))
    content = object_in(messages[-1]).get("content") if messages else ""
    said = (
        content if isinstance(content, str) else " ".join(text_in(block.get("text")) for block in objects_in(content))
    )
    return Script.text(f"This is {request.model}, simulated. You said: {said}", pieces=6)
