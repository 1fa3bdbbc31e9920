"""Requests that are asked together and begin alike: what they share is marked, to be cached for all of them.

A mark costs: what goes into the cache for an hour is charged twice (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching),
and requests that run at the same moment may all write it. So a few must share it; lone beginnings have no mark.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Raw

SHARERS: Final = 4
"""So many share it that a write for all of them is paid back, even where it happens twice."""

_Members = dict[str, Raw]
_decode: Final = msgspec.json.Decoder(_Members).decode
_decode_list: Final = msgspec.json.Decoder(list[Raw]).decode
_encode: Final = msgspec.json.Encoder().encode
_HOUR: Final = Raw(b'{"type":"ephemeral","ttl":"1h"}')


def with_shared_prefixes(bodies: Sequence[bytes]) -> list[bytes]:
    """The same requests; those whose tools and system prompt `SHARERS` of them share have one mark at the end of those.

    A request that has marks of its client's stays as it is.
    """
    keys = [_key(body) for body in bodies]
    counts = Counter(keys)
    return [_marked(body) if key and counts[key] >= SHARERS else body for body, key in zip(bodies, keys, strict=True)]


def _key(body: bytes) -> bytes:
    """Of model, tools and system prompt; b"" where there is nothing to share, or the client has placed marks."""
    if b'"cache_control"' in body:
        return b""
    members = _decode(body)
    if not ("system" in members or "tools" in members):
        return b""
    parts = (bytes(members.get(name, b"")) for name in ("model", "tools", "system"))
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def _marked(body: bytes) -> bytes:
    members = _decode(body)
    name = "system" if "system" in members else "tools"
    *before, last = _decode_list(members[name])
    members[name] = Raw(_encode([*before, Raw(_encode(_decode(last) | {"cache_control": _HOUR}))]))
    return _encode(members)
