"""Who comes in by which key, how soon a change is known, and that doubt closes the door."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from claude_openai_proxy.records import KeyLimits, Principal
from claude_openai_proxy.service.client_keys import OPERATOR, OPERATOR_MARK, RING_SECONDS, ClientKeys
from claude_openai_proxy.storage.client_keys import KeyRing, MemoryClientKeys, StoredKey, new_secret
from claude_openai_proxy.storage.interface import StorageUnavailableError

ANN = StoredKey("key_1", "ann", models=("sonnet",), created=1.0, expires=50.0)
OPS = StoredKey("key_2", "ops", operator=True, created=1.0)


@dataclass
class Store(MemoryClientKeys):
    """Counts the readings, can be out of order, and can make who reads wait."""

    readings: int = 0
    broken: bool = False
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__()
        self.may_answer.set()

    async def ring(self) -> KeyRing:
        self.readings += 1
        await self.may_answer.wait()
        if self.broken:
            raise StorageUnavailableError("The disk is gone.")
        return await super().ring()


@dataclass
class Day:
    now: float = 10.0

    def __call__(self) -> float:
        return self.now


def keys(store: Store, day: Day, *, may_be_stored: bool = False, **configured: str) -> ClientKeys:
    return ClientKeys(
        store=store,
        clock=day,
        wall_clock=day,
        configured={key: name for name, key in configured.items()},
        principal_id=lambda name: f"id of {name}",
        credential=lambda: f"{OPERATOR_MARK}0123",
        may_be_stored=lambda: may_be_stored,
    )


def troubled(known: ClientKeys) -> bool:
    return known.trouble is not None


async def test_a_configured_and_a_stored_key_each_name_their_owner() -> None:
    store, secret = Store(), new_secret()
    await store.add(ANN, secret)
    known = keys(store, Day(), bob="sk-bob")
    await known.refresh()

    assert known.owner(["sk-bob"]) == Principal("bob", "id of bob")
    assert known.owner([secret]) == Principal("ann", "key_1", models=("sonnet",))
    assert known.owner(["dummy", secret]) == Principal("ann", "key_1", models=("sonnet",))
    assert known.owner(["sk-bo", secret[:-1], "", "cop_", f"{OPERATOR_MARK}0124"]) is None
    assert known.owner([f"{OPERATOR_MARK}0123"]) is OPERATOR
    assert known.count == 2


async def test_an_expired_key_opens_nothing_and_does_not_count() -> None:
    store, day, secret = Store(), Day(), new_secret()
    await store.add(ANN, secret)
    known = keys(store, day)
    await known.refresh()
    day.now = 50.0

    assert known.owner([secret]) is None
    assert (known.count, known.required) == (0, True)


async def test_a_key_that_came_in_is_judged_anew_once_it_is_revoked_or_changed() -> None:
    store, day, secret = Store(), Day(), new_secret()
    await store.add(ANN, secret)
    known = keys(store, day)
    await known.refresh()
    before = [known.owner([secret]) for _ in range(2)]
    assert before == [ANN.principal] * 2

    limits = KeyLimits(requests_a_minute=1)
    await store.limit("ann", limits, now=day.now)
    await known.refresh()
    changed = known.owner([secret])
    assert changed == replace(ANN, limits=limits).principal

    await store.revoke("ann", now=day.now)
    await known.refresh()
    revoked = [known.owner([secret]) for _ in range(2)]
    assert revoked == [None, None]


async def test_a_key_that_came_in_expires_at_its_second_without_a_reading() -> None:
    store, day, secret = Store(), Day(), new_secret()
    await store.add(ANN, secret)
    known = keys(store, day)
    await known.refresh()
    day.now = 49.9
    before = known.owner([secret])
    day.now = 50.0
    at = known.owner([secret])
    assert (before, at, store.readings) == (ANN.principal, None, 1)


async def test_a_rotated_secret_that_came_in_expires_before_its_key() -> None:
    store, day, old, new = Store(), Day(), new_secret(), new_secret()
    await store.add(OPS, old)
    await store.rotate("ops", new, now=day.now, old_until=20.0)
    known = keys(store, day)
    await known.refresh()
    before = [known.owner([secret]) for secret in (old, new)]
    day.now = 20.0
    after = [known.owner([secret]) for secret in (old, new)]
    assert (before, after) == ([OPS.principal] * 2, [None, OPS.principal])


async def test_only_what_opens_the_door_is_remembered() -> None:
    store, secret = Store(), new_secret()
    await store.add(ANN, secret)
    known = keys(store, Day())
    await known.refresh()
    wrong = [f"{secret}x", secret[:-1], secret.upper(), *(new_secret() for _ in range(100))]
    for key in (secret, *wrong, secret):
        known.owner([key])
    assert [*known._known] == [secret]
    assert not any(known.owner([key]) for key in wrong)


async def test_what_is_known_is_read_again_after_a_second_once_for_all_who_wait() -> None:
    store, day = Store(), Day()
    known = keys(store, day)
    before = known.stale
    await asyncio.gather(*(known.refresh() for _ in range(20)))
    assert (before, store.readings, known.stale) == (True, 1, False)

    day.now += RING_SECONDS
    later = known.stale
    assert later
    await store.add(OPS, new_secret())
    await known.refresh()
    assert (known.required, known.valid()) == (True, [OPS])


@pytest.mark.parametrize("ever_stored", [False, True])
async def test_without_a_reading_the_door_is_closed_where_keys_may_be_stored(ever_stored: bool) -> None:
    store = Store(broken=True)
    known = keys(store, Day(), may_be_stored=ever_stored)
    await known.refresh()

    assert (known.trouble is not None, known.required) == (ever_stored, ever_stored)


async def test_a_disk_that_fails_later_closes_the_door_only_where_keys_are_required() -> None:
    store, day, secret = Store(), Day(), new_secret()
    known = keys(store, day, may_be_stored=True, bob="sk-bob")
    await known.refresh()
    store.broken = True
    await known.refresh()
    assert not troubled(known)

    store.broken = False
    await store.add(ANN, secret)
    await known.refresh()
    assert known.owner([secret]) is not None
    store.broken = True
    await known.refresh()
    assert troubled(known)
    assert known.owner([secret]) is None
    assert known.owner(["sk-bob"]) is not None

    store.broken = False
    await known.refresh()
    assert known.owner([secret]) is not None


async def test_a_name_that_is_configured_and_stored_is_told() -> None:
    store = Store()
    await store.add(ANN, new_secret())
    known = keys(store, Day(), ann="sk-ann", bob="sk-bob")
    await known.refresh()
    assert known.taken_names() == ["ann"]


async def test_a_reading_under_way_is_stopped_at_the_end() -> None:
    store = Store()
    store.may_answer.clear()
    known = keys(store, Day())
    waiting = asyncio.create_task(known.refresh())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await known.aclose()
    await waiting
    assert known.trouble is None
