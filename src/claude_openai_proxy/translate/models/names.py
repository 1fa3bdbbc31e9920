"""What clients make of a model's name on its way here, and the names that may be meant by it.

A name that is an alias or an id as it stands is never read otherwise: who asks looks for the exact name first.
"""

import re
from typing import Final

from msgspec import Struct

from claude_openai_proxy.translate.models.facts import LINES

_PROVIDERS: Final = frozenset(
    {
        *("anthropic", "openai", "openrouter", "azure", "bedrock", "vertex_ai", "litellm_proxy", "litellm"),
        *("openai-compatible", "openai_compatible", "custom_openai", "claude-openai-proxy"),
    }
)
_MILLION: Final = re.compile(r"(\[1m\]|:1m)$", re.IGNORECASE)
_THINKING: Final = re.compile(r"[-:]thinking$", re.IGNORECASE)
_LATEST: Final = re.compile(rf"(?:claude-)?(?:[0-9]+-)*({'|'.join(LINES)})(?:-[0-9]+)*-latest")


class Spelling(Struct, frozen=True):
    """`names` are what may be meant, most like the text first. `line`: the newest of that line is meant.

    `million`: a context of a million tokens is asked for; `thinking`: a variant that thinks, which no model name stands
    for.
    """

    names: tuple[str, ...]
    line: str | None = None
    million: bool = False
    thinking: bool = False


def read_name(text: str) -> Spelling:
    """Without blanks around it, the prefix of a known provider, the mark of a large context, capitals, and dots."""
    bare = text.strip()
    while (slash := bare.partition("/"))[0].lower() in _PROVIDERS and slash[1]:
        bare = slash[2].strip()
    unmarked = _MILLION.sub("", bare)
    thinking = _THINKING.search(unmarked) is not None
    lower = _THINKING.sub("", unmarked).lower()
    dashed = lower.replace(".", "-")
    latest = _LATEST.fullmatch(dashed)
    return Spelling(
        names=tuple(dict.fromkeys((unmarked, lower, dashed))),
        line=latest[1] if latest else None,
        million=unmarked != bare,
        thinking=thinking,
    )
