"""What several processes count, each for itself, told as one: memory that they share, with a place for each.

A place has the families of one process as it last told them. Whoever takes a place over, because its process has
ended, begins with the counters that are in it, so that no sum ever falls; gauges were that process's own and are gone.
"""

import mmap
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from claude_openai_proxy.records import RecordReader, RequestRecord
from claude_openai_proxy.telemetry.families import Family, Histogram, Kind, Labels

PLACE_BYTES: Final = 1 << 20
"""Of each process; memory that nothing was written to takes none."""
TELL_SECONDS: Final = 0.25
"""What others know of a process is at most so old."""
_HEAD: Final = struct.Struct("<II")
"""Length and checksum: who reads while another writes can tell."""
_TRIES: Final = 10

_Told: TypeAlias = tuple[str, Kind, str, Labels, list[tuple[Labels, Any]]]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[_Told]).decode


class SharedCounts:
    """Made before the processes are: they inherit it. Places count from 0."""

    def __init__(self, places: int) -> None:
        self._memory = mmap.mmap(-1, places * PLACE_BYTES)
        self._places = places
        self._last: dict[int, list[Family]] = {}
        """What was read last of each place, for a moment at which its owner writes."""

    def tell(self, place: int, families: Iterable[Family]) -> None:
        """Instead of what was told of `place`; what is too large for it is left as it was."""
        content = _encode([_told(family) for family in families])
        if len(content) > PLACE_BYTES - _HEAD.size:
            return
        start = place * PLACE_BYTES
        self._memory[start : start + _HEAD.size] = _HEAD.pack(len(content), zlib.crc32(content))
        self._memory[start + _HEAD.size : start + _HEAD.size + len(content)] = content

    def of(self, place: int) -> list[Family]:
        """What was last told of `place`; nothing where nobody has told anything."""
        start = place * PLACE_BYTES
        for _ in range(_TRIES):
            length, checksum = _HEAD.unpack_from(self._memory, start)
            content = self._memory[start + _HEAD.size : start + _HEAD.size + length]
            if zlib.crc32(content) == checksum:
                self._last[place] = [_family(told) for told in _decode(content)] if content else []
                break
        return self._last.get(place, [])

    def of_others(self, place: int) -> list[list[Family]]:
        """What every place but this one has told."""
        return [self.of(other) for other in range(self._places) if other != place]


class Telling(RecordReader):
    """A reader of records that tells the others, a moment after something has happened, what is counted here.

    `families` gives that; `later` calls a function after so many seconds.
    """

    def __init__(
        self,
        shared: SharedCounts,
        place: int,
        families: Callable[[], list[Family]],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._shared = shared
        self._place = place
        self._families = families
        self._later = later
        self._planned = False
        self._before = counters(shared.of(place))
        """Of whoever had this place before."""

    def started(self, record: RequestRecord) -> None:  # noqa: ARG002 - the signature of readers
        """One more is under way."""
        self._plan()

    def first_token(self, record: RequestRecord) -> None:  # noqa: ARG002 - the signature of readers
        """One more stream is open."""
        self._plan()

    def ended(self, record: RequestRecord) -> None:  # noqa: ARG002 - the signature of readers
        """It was counted."""
        self._plan()

    def whole(self, own: list[Family]) -> list[Family]:
        """The families of this process, and what was counted elsewhere."""
        return added_up([own, self._before, *self._shared.of_others(self._place)])

    def tell(self) -> None:
        """Now."""
        self._planned = False
        self._shared.tell(self._place, added_up([self._families(), self._before]))

    async def aclose(self) -> None:
        """Tell the last of it."""
        self.tell()

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._later(TELL_SECONDS, self.tell)


def counters(families: Iterable[Family]) -> list[Family]:
    """Those that only grow."""
    return [family for family in families if family.kind != "gauge"]


def added_up(told: Sequence[Sequence[Family]]) -> list[Family]:
    """One of each name, in the order in which they come; samples of the same labels are added up."""
    sums: dict[str, Family] = {}
    for family in (family for families in told for family in families):
        known = sums.get(family.name)
        sums[family.name] = family if known is None else _sum(known, family)
    return list(sums.values())


def _sum(one: Family, other: Family) -> Family:
    samples = dict(one.samples)
    for labels, sample in other.samples.items():
        known = samples.get(labels)
        if known is None:
            samples[labels] = sample
        elif isinstance(known, Histogram):
            assert isinstance(sample, Histogram)
            samples[labels] = known.with_those_of(sample)
        else:
            assert not isinstance(sample, Histogram)
            samples[labels] = known + sample
    return Family(one.name, one.kind, one.about, one.labels, samples)


def _told(family: Family) -> _Told:
    samples = [
        (labels, sample.parts if isinstance(sample, Histogram) else sample) for labels, sample in family.samples.items()
    ]
    return family.name, family.kind, family.about, family.labels, samples


def _family(told: _Told) -> Family:
    name, kind, about, labels, samples = told
    read = {of: Histogram.of(*sample) if kind == "histogram" else sample for of, sample in samples}
    return Family(name, kind, about, labels, read)
