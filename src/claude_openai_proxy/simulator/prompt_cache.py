"""Prompt caching as published (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching).

What is written: the prefix up to each mark, if it is long enough for the model. What is read: the longest prefix that
was written before, byte for byte, and ends at a mark or at one of the 20 blocks before it. The automatic mark of a
request is one on its last block that can carry one. What thinks in another way (type, budget) has another prefix from
the first message on, and thinking that a model does not read is none of it (`earlier_thinking`). Reading renews a
prefix's time; a mark may keep it for an hour.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from claude_openai_proxy.simulator.complaints.asked import blocks_at
from claude_openai_proxy.simulator.loose_json import JSONObject, compact, list_in, object_in, objects_in, text_in
from claude_openai_proxy.simulator.tokens import part_tokens, prompt_tokens

LOOK_BACK: Final = 20
"""Blocks before a mark, itself included, at which an earlier prefix is looked for."""
FIVE_MINUTES: Final = 300.0
ONE_HOUR: Final = 3_600.0
_UNMARKABLE: Final = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class _Prefix:
    """Up to and with one block: its digest, its tokens, and the life of the mark there, 0 for none."""

    key: str
    tokens: int
    life: float


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What one request read and wrote, in tokens, and what it had beside."""

    read: int
    written: int
    written_for_an_hour: int
    uncached: int

    def usage(self) -> JSONObject:
        """The input half of `usage`."""
        return {
            "input_tokens": self.uncached,
            "cache_read_input_tokens": self.read,
            "cache_creation_input_tokens": self.written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.written - self.written_for_an_hour,
                "ephemeral_1h_input_tokens": self.written_for_an_hour,
            },
        }


class PromptCache:
    """Remembers the newest `keep` prefixes. `clock` counts seconds."""

    def __init__(self, *, keep: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._until: dict[str, float] = {}

    def use(self, body: JSONObject, *, minimum: int) -> CacheUse:
        """What this request finds and leaves; prefixes of fewer than `minimum` tokens are not cached."""
        prefixes = list(_prefixes(body))
        marked = [place for place, prefix in enumerate(prefixes) if prefix.life]
        read = max((self._found(prefixes, place) for place in marked), key=lambda found: found.tokens, default=_NOTHING)
        if read is not _NOTHING:
            self._remember(read)
        written, hour, until = 0, 0, read.tokens
        for place in marked:
            prefix = prefixes[place]
            if prefix.tokens < minimum:
                continue
            new = max(0, prefix.tokens - until)
            written, hour = written + new, hour + (new if prefix.life == ONE_HOUR else 0)
            until = max(until, prefix.tokens)
            self._remember(prefix)
        return CacheUse(read.tokens, written, hour, prompt_tokens(body) - until)

    def _found(self, prefixes: list[_Prefix], place: int) -> _Prefix:
        now = self._clock()
        for prefix in reversed(prefixes[max(0, place - LOOK_BACK + 1) : place + 1]):
            if self._until.get(prefix.key, 0.0) > now:
                return _Prefix(prefix.key, prefix.tokens, prefixes[place].life)
        return _NOTHING

    def _remember(self, prefix: _Prefix) -> None:
        until = max(self._clock() + prefix.life, self._until.pop(prefix.key, 0.0))
        self._until[prefix.key] = until
        if len(self._until) > self._keep:
            del self._until[next(iter(self._until))]


_NOTHING: Final = _Prefix("", 0, 0.0)


def _prefixes(body: JSONObject) -> Iterator[_Prefix]:
    parts = list(_parts(body))
    automatic = object_in(body.get("cache_control"))
    last = max((number for number, (_, part) in enumerate(parts) if part.get("type") not in _UNMARKABLE), default=-1)
    digest = hashlib.sha256(text_in(body.get("model")).encode())
    tokens, in_messages = 0, False
    for number, (name, part) in enumerate(parts):
        if not in_messages and name not in ("tool", "system"):
            in_messages = True
            digest.update(_way_of_thinking(body).encode())
        mark = object_in(part.get("cache_control")) or (automatic if number == last else {})
        plain = {field: value for field, value in part.items() if field != "cache_control"}
        digest.update(f"{name}{compact(plain)}".encode())
        tokens += part_tokens(plain)
        life = (ONE_HOUR if mark.get("ttl") == "1h" else FIVE_MINUTES) if mark else 0.0
        yield _Prefix(digest.hexdigest(), tokens, life)


def _way_of_thinking(body: JSONObject) -> str:
    thinking = object_in(body.get("thinking"))
    return compact([thinking.get("type"), thinking.get("budget_tokens")])


def _parts(body: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for tool in objects_in(body.get("tools")):
        yield "tool", tool
    for _, block in blocks_at("system", body.get("system")):
        yield "system", block
    for message in list_in(body.get("messages")):
        fields = object_in(message)
        for _, block in blocks_at("", fields.get("content")):
            yield text_in(fields.get("role")), block
