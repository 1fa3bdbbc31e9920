"""Named client keys. The key itself is shown once, when it is made; kept is its SHA-256, found by its prefix.

A key reads `cop_<prefix>_<secret>`: eight hexadecimal digits to find it by, 256 random bits to know it by. Rotating
gives a name another secret and lets the old one expire. The id of a key is random, survives rotation, and is never
used again, not even by a later key of the same name.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, Protocol

from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.storage.interface import Changes, Database, Row, Transaction

KEY_MARK: Final = "cop"

_REQUIRED: Final = "client_keys_required"
_ALONE: Final = "client keys"
_PREFIX_BYTES: Final = 4
_SECRET_BYTES: Final = 32


class ClientKeyError(ProxyError):
    """A name that is taken, or that no key has."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key. Times are seconds since 1970; `models` empty: all of them."""

    id: str
    name: str
    models: tuple[str, ...] = ()
    operator: bool = False
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    limits: KeyLimits | None = None

    @property
    def principal(self) -> Principal:
        """Who shows it."""
        return Principal(self.name, self.id, self.models, limits=self.limits, operator=self.operator)

    def is_valid(self, now: float) -> bool:
        """Whether it opens the door at `now`."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class KeySecret:
    """One secret of a key: what a presented key is compared with. After a rotation there are two for a while."""

    key_id: str
    digest: bytes
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All that the door needs to know, at one moment."""

    required: bool = False
    """A key was once stored and nobody has said that none is needed: without a valid one nobody comes in."""
    keys: tuple[StoredKey, ...] = ()
    secrets: dict[str, KeySecret] = field(default_factory=dict)
    """By prefix."""

    def find(self, presented: str, now: float) -> StoredKey | None:
        """The valid key that `presented` is; takes as long for a wrong one as for a right one."""
        secret = self.secrets.get(prefix_of(presented))
        digest = digest_of(presented)
        same = hmac.compare_digest(digest, secret.digest if secret else bytes(len(digest)))
        if secret is None or not same or (secret.expires is not None and now >= secret.expires):
            return None
        return next((key for key in self.keys if key.id == secret.key_id and key.is_valid(now)), None)

    def until(self, prefix: str, key: StoredKey) -> float:
        """When `key`, found by `prefix`, expires; infinity for never."""
        ends = (key.expires, self.secrets[prefix].expires)
        return min((end for end in ends if end is not None), default=inf)

    def valid(self, now: float) -> list[StoredKey]:
        """The keys that open the door at `now`."""
        return [key for key in self.keys if key.is_valid(now)]


class ClientKeyStore(Protocol):
    """Keys that were made with `keys add`. All raise `StorageUnavailableError`."""

    @property
    def changes(self) -> Changes | None:
        """What hears of those that others make; None where nothing does."""
        ...

    async def ring(self) -> KeyRing:
        """All keys, revoked ones included."""
        ...

    async def add(self, key: StoredKey, secret: str) -> None:
        """Keep a new key, and require keys from now on. Raises `ClientKeyError` where a valid one has the name."""
        ...

    async def rotate(self, name: str, secret: str, *, now: float, old_until: float) -> StoredKey:
        """Give `name` another secret; the ones before open until `old_until`. Raises `ClientKeyError`."""
        ...

    async def revoke(self, name: str, *, now: float) -> StoredKey:
        """Let `name` in no more. Raises `ClientKeyError`."""
        ...

    async def limit(self, name: str, limits: KeyLimits | None, *, now: float) -> StoredKey:
        """Give `name` these limits in place of those it had. Raises `ClientKeyError`."""
        ...

    async def require(self, *, required: bool) -> None:
        """Say whether keys are required."""
        ...


def new_secret() -> str:
    """A key to be shown once."""
    return f"{KEY_MARK}_{secrets.token_hex(_PREFIX_BYTES)}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def new_id() -> str:
    """An id for a new key."""
    return f"key_{secrets.token_hex(12)}"


def prefix_of(secret: str) -> str:
    """What a key is found by; "" for what is not one of ours."""
    parts = secret.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == KEY_MARK and parts[2] else ""


def digest_of(secret: str) -> bytes:
    """What is kept of a key: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


class MemoryClientKeys:
    """Keys for as long as the process lives."""

    changes = None

    def __init__(self) -> None:
        self._ring = KeyRing()

    async def ring(self) -> KeyRing:
        """See `ClientKeyStore.ring`."""
        return self._ring

    async def add(self, key: StoredKey, secret: str) -> None:
        """See `ClientKeyStore.add`."""
        _check_free(self._ring.keys, key)
        self._ring = KeyRing(
            required=True,
            keys=(*self._ring.keys, key),
            secrets={**self._ring.secrets, prefix_of(secret): KeySecret(key.id, digest_of(secret))},
        )

    async def rotate(self, name: str, secret: str, *, now: float, old_until: float) -> StoredKey:
        """See `ClientKeyStore.rotate`."""
        key = _named(self._ring.keys, name, now)
        kept = {
            prefix: replace(old, expires=_earlier(old.expires, old_until)) if old.key_id == key.id else old
            for prefix, old in self._ring.secrets.items()
        }
        self._ring = replace(self._ring, secrets={**kept, prefix_of(secret): KeySecret(key.id, digest_of(secret))})
        return key

    async def revoke(self, name: str, *, now: float) -> StoredKey:
        """See `ClientKeyStore.revoke`."""
        return self._changed(replace(_named(self._ring.keys, name, now), revoked=now))

    async def limit(self, name: str, limits: KeyLimits | None, *, now: float) -> StoredKey:
        """See `ClientKeyStore.limit`."""
        return self._changed(replace(_named(self._ring.keys, name, now), limits=limits))

    def _changed(self, changed: StoredKey) -> StoredKey:
        keys = tuple(changed if key.id == changed.id else key for key in self._ring.keys)
        self._ring = replace(self._ring, keys=keys)
        return changed

    async def require(self, *, required: bool) -> None:
        """See `ClientKeyStore.require`."""
        self._ring = replace(self._ring, required=required)


class StoredClientKeys:
    """Keys in a database."""

    def __init__(self, database: Database, changes: Changes | None = None) -> None:
        self._database = database
        self.changes = changes

    async def ring(self) -> KeyRing:
        """See `ClientKeyStore.ring`."""
        return await self._database.read(_ring)

    async def add(self, key: StoredKey, secret: str) -> None:
        """See `ClientKeyStore.add`."""

        def work(transaction: Transaction) -> None:
            transaction.alone(_ALONE)
            _check_free(_keys(transaction), key)
            transaction.execute(
                "INSERT INTO client_keys (id, name, models, operator, created, expires, rpm, tpm, dollars_a_day) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key.id, key.name, "\n".join(key.models), int(key.operator), key.created, key.expires,
                    *_columns(key.limits),
                ),
            )  # fmt: skip
            _keep_secret(transaction, key, secret)
            _require(transaction, required=True)

        await self._database.write(work, abandon=True)

    async def rotate(self, name: str, secret: str, *, now: float, old_until: float) -> StoredKey:
        """See `ClientKeyStore.rotate`."""

        def work(transaction: Transaction) -> StoredKey:
            transaction.alone(_ALONE)
            key = _named(_keys(transaction), name, now)
            transaction.execute(
                "UPDATE client_key_secrets SET expires = ? WHERE key_id = ? AND (expires IS NULL OR expires > ?)",
                (old_until, key.id, old_until),
            )
            _keep_secret(transaction, key, secret)
            return key

        return await self._database.write(work, abandon=True)

    async def revoke(self, name: str, *, now: float) -> StoredKey:
        """See `ClientKeyStore.revoke`."""

        def work(transaction: Transaction) -> StoredKey:
            transaction.alone(_ALONE)
            key = _named(_keys(transaction), name, now)
            transaction.execute("UPDATE client_keys SET revoked = ? WHERE id = ?", (now, key.id))
            return replace(key, revoked=now)

        return await self._database.write(work, abandon=True)

    async def require(self, *, required: bool) -> None:
        """See `ClientKeyStore.require`."""
        await self._database.write(lambda transaction: _require(transaction, required=required), abandon=True)

    async def limit(self, name: str, limits: KeyLimits | None, *, now: float) -> StoredKey:
        """See `ClientKeyStore.limit`."""

        def work(transaction: Transaction) -> StoredKey:
            key = _named(_keys(transaction), name, now)
            transaction.execute(
                "UPDATE client_keys SET rpm = ?, tpm = ?, dollars_a_day = ? WHERE id = ?", (*_columns(limits), key.id)
            )
            return replace(key, limits=limits)

        return await self._database.write(work, abandon=True)


def _columns(limits: KeyLimits | None) -> tuple[int | None, int | None, float | None]:
    limits = limits or KeyLimits()
    return limits.requests_a_minute, limits.tokens_a_minute, limits.dollars_a_day


def _ring(transaction: Transaction) -> KeyRing:
    required = transaction.execute("SELECT value FROM facts WHERE name = ?", (_REQUIRED,))
    rows = transaction.execute("SELECT prefix, key_id, digest, expires FROM client_key_secrets")
    return KeyRing(
        required=required == [("yes",)],
        keys=_keys(transaction),
        secrets={prefix: KeySecret(key_id, bytes(digest), expires) for prefix, key_id, digest, expires in rows},
    )


def _keys(transaction: Transaction) -> tuple[StoredKey, ...]:
    rows = transaction.execute(
        "SELECT id, name, models, operator, created, expires, revoked, rpm, tpm, dollars_a_day FROM client_keys "
        "ORDER BY created, id"
    )
    return tuple(_stored(row) for row in rows)


def _stored(row: Row) -> StoredKey:
    id_, name, models, operator, created, expires, revoked, *columns = row
    names = tuple(models.split("\n")) if models else ()
    limits = KeyLimits(*columns)
    return StoredKey(id_, name, names, bool(operator), created, expires, revoked, limits if limits.any else None)


def _keep_secret(transaction: Transaction, key: StoredKey, secret: str) -> None:
    transaction.execute(
        "INSERT INTO client_key_secrets (prefix, key_id, digest) VALUES (?, ?, ?)",
        (prefix_of(secret), key.id, digest_of(secret)),
    )


def _require(transaction: Transaction, *, required: bool) -> None:
    transaction.execute(
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_REQUIRED, "yes" if required else "no"),
    )


def _check_free(keys: Sequence[StoredKey], new: StoredKey) -> None:
    if any(key.name == new.name and key.is_valid(new.created) for key in keys):
        raise ClientKeyError(f"There is a key named {new.name} already. Rotate or revoke it, or take another name.")


def _named(keys: Sequence[StoredKey], name: str, now: float) -> StoredKey:
    for key in keys:
        if key.name == name and key.is_valid(now):
            return key
    raise ClientKeyError(f"No valid key is named {name}.")


def _earlier(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)
