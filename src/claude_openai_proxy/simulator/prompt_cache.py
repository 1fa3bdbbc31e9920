"""Prompt caching (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching): marked prefixes, read again."""

import hashlib
from collections.abc import Iterator

from claude_openai_proxy.simulator.complaints.asked import blocks_at
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, list_in, object_in, objects_in, text_in
from claude_openai_proxy.simulator.tokens import part_tokens, prompt_tokens


class PromptCache:
    """Remembers the marked prefixes of the newest `keep` requests. No prefix is too short, none grows old."""

    def __init__(self, *, keep: int = 10_000) -> None:
        self._keep = keep
        self._seen: dict[str, None] = {}

    def input_usage(self, body: JSONObject) -> JSONObject:
        """The input half of `usage`: uncached, read from and written to the cache."""
        read, marked, hour = 0, 0, False
        for key, tokens, ttl in _marked_prefixes(body):
            if key in self._seen:
                read = tokens
            marked, hour = tokens, ttl == "1h"
            self._remember(key)
        written = marked - read
        return {
            "input_tokens": prompt_tokens(body) - marked,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0 if hour else written,
                "ephemeral_1h_input_tokens": written if hour else 0,
            },
        }

    def _remember(self, key: str) -> None:
        self._seen.pop(key, None)
        self._seen[key] = None
        if len(self._seen) > self._keep:
            del self._seen[next(iter(self._seen))]


def _marked_prefixes(body: JSONObject) -> Iterator[tuple[str, int, str]]:
    """Digest, tokens and time to live of each prefix that ends at a cache mark."""
    parts = list(_parts(body))
    digest = hashlib.sha256(text_in(body.get("model")).encode())
    tokens = 0
    automatic = object_in(body.get("cache_control"))
    for number, (name, part) in enumerate(parts, start=1):
        mark = object_in(part.get("cache_control")) or (automatic if number == len(parts) else {})
        plain = {field: value for field, value in part.items() if field != "cache_control"}
        digest.update(f"{name}{compact(plain)}".encode())
        tokens += part_tokens(plain)
        if mark:
            yield digest.hexdigest(), tokens, text_in(mark.get("ttl"))


def _parts(body: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for tool in objects_in(body.get("tools")):
        yield "tool", tool
    for _, block in blocks_at("system", body.get("system")):
        yield "system", block
    for message in list_in(body.get("messages")):
        fields = object_in(message)
        for _, block in blocks_at("", fields.get("content")):
            yield text_in(fields.get("role")), block
