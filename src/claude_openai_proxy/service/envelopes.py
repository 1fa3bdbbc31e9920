"""What of an answer no form of the client's can hold, sealed for the client to carry: `encrypted_content`.

An envelope is `cp1.` and, in base64url, eight bytes that tell whose it is, a kind, and what `Seal` made of the
compressed content. It opens for the principal that it was made for, with the key that it was made with.
"""

import hashlib
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import Seal
from claude_openai_proxy.translate.responses.opened import Opened

Kind = Literal["thinking", "search", "compaction"]

MARK: Final = "cp1."
LARGEST: Final = 1_048_576
"""Characters of one envelope; it travels with every request."""
LARGEST_CONTENT: Final = 16 * LARGEST
"""Bytes that one may hold: whoever can seal could else fill the memory with little."""
_OWNER_BYTES: Final = 8

_encode: Final = msgspec.json.Encoder().encode


class _Content(Struct, frozen=True, omit_defaults=True):
    """What is sealed."""

    blocks: Sequence[Raw] = ()
    summary: str = ""
    model: str = ""
    upstream: str = ""
    prefix: str = ""


_decode: Final = msgspec.json.Decoder(_Content).decode


class Envelopes:
    """Seals and opens; `seal` raises what `Stores.seal` raises where there is no key."""

    def __init__(self, seal: Callable[[], Seal]) -> None:
        self._seal = seal

    def sealed(
        self,
        kind: Kind,
        principal: str,
        *,
        blocks: Sequence[Raw] = (),
        summary: str = "",
        model: str = "",
        upstream: str = "",
        prefix: str = "",
    ) -> str | None:
        """An envelope; None where there is no key for it, or where it would be too large to travel."""
        try:
            seal = self._seal()
        except (StorageRefusedError, OSError):
            return None
        content = zlib.compress(_encode(_Content(blocks, summary, model, upstream, prefix)))
        owner = _owner(principal)
        whole = owner + kind[:1].encode() + seal.seal(content, _about(kind[:1], principal))
        envelope = MARK + urlsafe_b64encode(whole).decode().rstrip("=")
        return envelope if len(envelope) <= LARGEST else None

    def opened(self, envelopes: Iterable[str], principal: str) -> dict[str, Opened]:
        """Each that is one, by itself. What cannot be used says why."""
        return {envelope: self._opened(envelope, principal) for envelope in envelopes}

    def _opened(self, envelope: str, principal: str) -> Opened:
        foreign = Opened(trouble="organization_mismatch")
        if not envelope.startswith(MARK) or len(envelope) > LARGEST:
            return foreign
        try:
            whole = urlsafe_b64decode(envelope[len(MARK) :] + "=" * (-(len(envelope) - len(MARK)) % 4))
            seal = self._seal()
        except (ValueError, StorageRefusedError, OSError):
            return foreign
        owner, kind, sealed = whole[:_OWNER_BYTES], whole[_OWNER_BYTES : _OWNER_BYTES + 1], whole[_OWNER_BYTES + 1 :]
        if owner != _owner(principal):
            return Opened(trouble="end_user_mismatch")
        plain = seal.open(sealed, _about(kind.decode("latin-1"), principal))
        if plain is None:
            return foreign
        unpacked = zlib.decompressobj()
        content = _decode(unpacked.decompress(plain, LARGEST_CONTENT))
        return Opened(content.blocks, content.summary, content.model, content.upstream, content.prefix)


def _owner(principal: str) -> bytes:
    return hashlib.blake2b(b"envelope\0" + principal.encode(), digest_size=_OWNER_BYTES).digest()


def _about(kind: str, principal: str) -> bytes:
    return f"{MARK}{kind}\0{principal}".encode()
