"""Blocks and tools that are handed on byte for byte: what matters of them here."""

from typing import Final

import msgspec
from msgspec import Struct

from claude_openai_proxy.protocols.anthropic import CacheControlEphemeral


class RawPart(Struct, frozen=True):
    """`name` is a tool's; a block may have none."""

    type: str = ""
    name: str = ""
    cache_control: CacheControlEphemeral | None = None


decode_part: Final = msgspec.json.Decoder(RawPart).decode
"""Raises `msgspec.DecodeError`."""
