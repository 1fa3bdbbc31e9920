"""A server of one tool, by the Model Context Protocol over standard input and output."""

import json
import sys

TOOL = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "annotations": {"readOnlyHint": True},
}


def answer(method: str, params: dict[str, object]) -> object:
    """The result of one request; what nobody asked for is empty."""
    if method == "initialize":
        info = {"name": "weather", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        given = params["arguments"]
        city = given["city"] if isinstance(given, dict) else ""
        return {"content": [{"type": "text", "text": f"18 degrees in {city}"}]}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        told = {"jsonrpc": "2.0", "id": message["id"], "result": answer(message["method"], message.get("params", {}))}
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()
