"""Tokens of the simulated model: one per word or sign, one per character of a script without spaces."""

import itertools
import re

from claude_openai_proxy.simulator.loose_json import JSONObject, object_in

EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
TOKEN = re.compile(rf"\s*(?:[{EAST_ASIAN}]|[^\W{EAST_ASIAN}]+|[^\w\s])|\s+")
BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1_600


def tokens_in(text: str, most: int) -> list[str]:
    """The first `most` tokens of a text; all joined they are the text."""
    return [found.group() for found in itertools.islice(TOKEN.finditer(text), most)]


def prompt_tokens(body: JSONObject) -> int:
    """Input tokens of a request, by size."""
    return 8 + sum(part_tokens(body.get(name)) for name in ("system", "tools", "messages"))


def part_tokens(part: object) -> int:
    """Tokens of a part of a prompt; media count the same whatever their size."""
    if isinstance(part, str):
        return -(-len(part.encode()) // BYTES_PER_TOKEN)
    if isinstance(part, list):
        return sum(part_tokens(item) for item in part)
    fields = object_in(part)
    if fields.get("type") in ("base64", "url"):
        return MEDIA_TOKENS
    return sum(1 + part_tokens(value) for name, value in fields.items() if name != "cache_control")
