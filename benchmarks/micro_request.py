"""What a request costs on its way in: `python benchmarks/micro_request.py` prints µs per request.

Decode (the client's bytes to a typed request, checked), translate, encode (the bytes that go to Claude): a short chat,
and what an agent sends in the middle of its work. In process, one thread, the fastest of many rounds, in CPU time.
"""

import json
import time
from collections.abc import Callable

import msgspec

from claude_openai_proxy.protocols.openai_chat_request import ChatCompletionRequest
from claude_openai_proxy.translate.chat.request import to_messages_request
from claude_openai_proxy.translate.messages_api.capabilities import Capabilities
from claude_openai_proxy.translate.messages_api.translation import Translation
from claude_openai_proxy.translate.models.facts import facts_for
from claude_openai_proxy.web.chat.decode import decode_chat_request

MODEL = "claude-opus-5-5"
TURNS = 60
TOOLS = 20
ROUNDS = 60
ROUND_SECONDS = 0.01

FACTS = facts_for(MODEL, None)
CAPABILITIES = Capabilities()
RULES = "Read before you write. Change as little as the task needs, and say which files you changed and why.\n"
SOURCE = 'def area(width: float, height: float) -> float:\n    """In m²."""\n    return width * height\n\n\n'


def chat_body() -> bytes:
    """1 kB: instructions, three turns."""
    messages = [
        {"role": "system", "content": RULES * 4},
        {"role": "user", "content": "Which of “ready” and “steady” comes first?\nOne sentence, please."},
        {"role": "assistant", "content": "“Ready” comes first, and “steady” follows it. " * 6},
        {"role": "user", "content": [{"type": "text", "text": "And what comes after them — “go”? " * 3}]},
    ]
    return encoded({"messages": messages, "temperature": 0.7})


def agent_body() -> bytes:
    """About 100 kB: 20 tools, and 60 calls with their results."""
    messages: list[dict[str, object]] = [
        {"role": "system", "content": RULES * 36},
        {"role": "user", "content": "The area of a square comes out wrong. Find out why."},
    ]
    for turn in range(TURNS):
        call = {"name": "tool_7", "arguments": json.dumps({"path": f"shapes/part_{turn}.py", "lines": 40})}
        said = {"role": "assistant", "content": "Let me look at the next file."}
        messages.append({**said, "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": call}]})
        messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": SOURCE * 11})
    messages.append({"role": "user", "content": "Carry on."})
    return encoded({"messages": messages, "tools": [tool(number) for number in range(TOOLS)]})


def tool(number: int) -> dict[str, object]:
    texts = {f"filter_{letter}": {"type": "string", "description": "Only lines with this. " * 3} for letter in "abcd"}
    properties: dict[str, object] = {
        "path": {"type": "string", "description": "Below the project's root."},
        "lines": {"type": "integer", "minimum": 1, "maximum": 2000},
        "encoding": {"type": "string", "enum": ["utf-8", "latin-1"]},
        "filters": {"type": "object", "properties": texts},
    }
    schema = {"type": "object", "properties": properties, "required": ["path"], "additionalProperties": False}
    description = "Reads a file of the project and returns its lines, numbered. " * 4
    function = {"name": f"tool_{number}", "description": description, "parameters": schema}
    return {"type": "function", "function": function}


def encoded(body: dict[str, object]) -> bytes:
    return json.dumps({"model": MODEL, "max_tokens": 1024, **body}, ensure_ascii=False).encode()


def translate(request: ChatCompletionRequest) -> Translation:
    return to_messages_request(request, facts=FACTS, capabilities=CAPABILITIES)


def best(work: Callable[[], object]) -> float:
    """CPU microseconds of `work` in the fastest round."""
    fastest = float("inf")
    for _ in range(ROUNDS):
        calls, started, ended = 0, time.process_time(), 0.0
        while ended - started < ROUND_SECONDS:
            work()
            calls, ended = calls + 1, time.process_time()
        fastest = min(fastest, (ended - started) / calls)
    return fastest * 1e6


def show(name: str, body: bytes) -> None:
    encode = msgspec.json.Encoder().encode
    request = decode_chat_request(body).request
    message = translate(request).request
    steps: tuple[Callable[[], object], ...] = (
        lambda: decode_chat_request(body),
        lambda: translate(request),
        lambda: encode(message),
    )
    costs = [best(step) for step in steps]
    print(f"{name:6}{len(body):8d}" + "".join(f"{cost:11.1f}" for cost in (*costs, sum(costs))))


def main() -> None:
    print(f"{'µs':6}{'bytes':>8}{'decode':>11}{'translate':>11}{'encode':>11}{'sum':>11}")
    show("chat", chat_body())
    show("agent", agent_body())


if __name__ == "__main__":
    main()
