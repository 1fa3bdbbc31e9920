"""Claude's web search tool, with results that stand here (https://docs.anthropic.com/en/docs/agents-and-tools)."""

import re

from claude_openai_proxy.simulator.loose_json import JSONObject, text_in

URL = "https://example.com/simulated-result"
TITLE = "A simulated result"
WANTED = re.compile(r"search|look up|\bweb\b|news|latest|today|online|搜索|查一下|新闻|最新|今天", re.IGNORECASE)


def is_wanted(tools: list[JSONObject], said: str) -> bool:
    """The tool is there, and the prompt asks for something that is looked up."""
    there = any(text_in(tool.get("type")).startswith("web_search_") for tool in tools)
    return there and WANTED.search(said) is not None


def blocks(query: str, call_id: str) -> list[JSONObject]:
    """The call and its result."""
    call: JSONObject = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": query}}
    page = {"type": "web_search_result", "title": TITLE, "url": URL, "page_age": None, "encrypted_content": "c2lt"}
    return [call, {"type": "web_search_tool_result", "tool_use_id": call_id, "content": [page]}]


def summary(query: str) -> tuple[str, list[object]]:
    """What was found, and its citation."""
    cited = f"Nothing real is known about: {query}"
    citation = {"type": "web_search_result_location", "url": URL, "title": TITLE, "encrypted_index": "c2lt"}
    return cited, [{**citation, "cited_text": cited[:150]}]
