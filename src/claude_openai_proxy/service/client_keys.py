"""Whose keys open the door: those of PROXY_API_KEYS, those that `keys add` stored, and the operator's own credential.

Closed when in doubt: once a key was ever stored, a key is required until `keys off` is said, though none be valid; and
where the stored ones cannot be read, nobody comes in by one, and nobody without one either where any may be required.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from claude_openai_proxy.records import Principal
from claude_openai_proxy.storage.client_keys import ClientKeyStore, KeyRing, StoredKey, prefix_of
from claude_openai_proxy.storage.interface import StorageUnavailableError

RING_SECONDS: Final = 1.0
"""What is known of the stored keys is at most so old when a request is judged by it, where no change would be heard."""
RING_WAIT_SECONDS: Final = 1.0
"""No request waits longer for them to be read."""
OPERATOR_MARK: Final = "cop_operator_"
"""How the credential begins that the commands use."""
OPERATOR: Final = Principal("operator", "operator", operator=True)

_FOREVER: Final = float("-inf")


class ClientKeys:
    """`configured`: names by key, whose ids `principal_id` gives; `credential`: the operator's, "" for none.

    `may_be_stored` says whether keys may have been stored where nothing could be read yet. `clock` counts seconds,
    `wall_clock` seconds since 1970.
    """

    def __init__(
        self,
        *,
        store: ClientKeyStore,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        configured: Mapping[str, str] | None = None,
        principal_id: Callable[[str], str] = str,
        credential: Callable[[], str] = str,
        may_be_stored: Callable[[], bool] = lambda: False,
    ) -> None:
        self._configured = [(_digest(key), name) for key, name in (configured or {}).items()]
        self._principal = lru_cache(maxsize=None)(lambda name: Principal(name, principal_id(name)))
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._credential = credential
        self._may_be_stored = may_be_stored
        self._changes = store.changes
        self._ring = KeyRing()
        self._known: dict[str, tuple[Principal, float]] = {}
        """Keys of this ring that were found right: whose, and until when. Found by a hash of the whole key, which takes
        as long for any; no more of them than there are keys."""
        self._heard: int | None = None
        """`Changes.count` when the ring was asked for; None where it could not be read, or nothing hears of changes."""
        self._was_read = False
        self._looked = _FOREVER
        self._look: asyncio.Task[None] | None = None
        self.trouble: StorageUnavailableError | None = None
        """Why nobody can say whether a key is needed or right; None where that is known."""

    # ---- how fresh --------------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether `refresh` has something to do: a change was heard of, or would not have been and time has passed."""
        if self._changes is not None:
            sure = self._changes.sure()
            if self._heard is not None and self._heard != self._changes.count:
                return True
            if self._heard is not None and sure:
                return False
        return self._clock() - self._looked >= RING_SECONDS

    async def refresh(self) -> None:
        """Read the stored keys, once for all who wait; what cannot be read is in `trouble`."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._read())
        await asyncio.wait([self._look], timeout=RING_WAIT_SECONDS)
        if not self._look.done() and self._in_doubt():
            self.trouble = StorageUnavailableError("The client keys could not be read in time.")

    async def aclose(self) -> None:
        """Stop reading."""
        if self._look is not None and not self._look.done():
            self._look.cancel()
            await asyncio.wait([self._look])

    async def _read(self) -> None:
        heard, self._heard = self._changes.count if self._changes else None, None
        try:
            self._ring, self._known = await self._store.ring(), {}
            self._heard = heard
        except StorageUnavailableError as error:
            self.trouble = error if self._in_doubt() else None
        else:
            self._was_read, self.trouble = True, None
        finally:
            self._looked = self._clock()

    def _in_doubt(self) -> bool:
        """Whether keys may be required, as far as is known without reading them now."""
        return self._ring.required if self._was_read else self._may_be_stored()

    # ---- who --------------------------------------------------------------------------------------------------------

    @property
    def required(self) -> bool:
        """Whether nobody comes in without one."""
        return bool(self._configured) or self._ring.required or self.trouble is not None

    @property
    def exist(self) -> bool:
        """Whether there is any to show, required or not."""
        return bool(self._configured or self._ring.secrets) or self.required

    def owner(self, presented: Iterable[str]) -> Principal | None:
        """Who shows one of these; None for nobody. Every key is compared, each in constant time."""
        owner = None
        for key in presented:
            if self._configured:
                digest = _digest(key)
                for known, name in self._configured:
                    if hmac.compare_digest(known, digest):
                        owner = self._principal(name)
            owner = self._stored(key) or owner
        return owner

    def valid(self) -> list[StoredKey]:
        """The stored keys that open the door now."""
        return self._ring.valid(self._wall_clock())

    def stored(self, principal: Principal) -> StoredKey | None:
        """The stored key of a principal; None where it has none of those."""
        return next((key for key in self._ring.keys if key.id == principal.id), None)

    @property
    def count(self) -> int:
        """How many people there may be: keys that open the door now, wherever they are kept."""
        return len(self._configured) + len(self.valid())

    def taken_names(self) -> list[str]:
        """Names that are both configured and stored: nobody could tell the two apart."""
        stored = {key.name for key in self.valid()}
        return [name for _, name in self._configured if name in stored]

    def _stored(self, key: str) -> Principal | None:
        known = self._known.get(key)
        if known and self._wall_clock() < known[1] and not self.trouble:
            return known[0]
        if not (prefix := prefix_of(key)):
            return None
        if key.startswith(OPERATOR_MARK):
            credential = self._credential()
            return OPERATOR if credential and hmac.compare_digest(_digest(credential), _digest(key)) else None
        found = None if self.trouble else self._ring.find(key, self._wall_clock())
        if found is None:
            return None
        self._known[key] = found.principal, self._ring.until(prefix, found)
        return self._known[key][0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
