"""Lines of ours in a text file that has no other structure, between two marks."""

import re
from collections.abc import Sequence
from typing import Final

_BEGIN: Final = "# >>> claude-openai-proxy"
_END: Final = "# <<< claude-openai-proxy"
_BLOCK: Final = re.compile(rf"(?ms)^{re.escape(_BEGIN)}$.*?^{re.escape(_END)}$\n?")


def with_block(text: str, lines: Sequence[str]) -> str:
    """`text` with our block at its end, or where it was before."""
    block = "".join(f"{line}\n" for line in (_BEGIN, *lines, _END))
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: block, text, count=1)
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{block}"


def without_block(text: str) -> str:
    """`text` without it."""
    return _BLOCK.sub("", text)
