"""What several processes count, told as one."""

from collections.abc import Callable

from claude_openai_proxy.telemetry.families import Family, Histogram, one
from claude_openai_proxy.telemetry.shared_counts import PLACE_BYTES, SharedCounts, Telling, added_up
from telemetry.test_log_lines import a_record


def family(**samples: float) -> Family:
    return Family("tokens", "counter", "Tokens.", ("kind",), {(kind,): count for kind, count in samples.items()})


def histogram(*values: float) -> Family:
    times = Histogram((1.0, 2.0))
    times.add(values)
    return Family("seconds", "histogram", "Seconds.", ("way",), {("api",): times})


class Process:
    """One that counts, and tells when the moment has come."""

    def __init__(self, shared: SharedCounts, place: int) -> None:
        self.families: list[Family] = []
        self.moments: list[Callable[[], None]] = []
        self.telling = Telling(shared, place, lambda: self.families, lambda _, tell: self.moments.append(tell))

    def counts(self, *families: Family) -> None:
        self.families = list(families)
        self.telling.ended(a_record())
        while self.moments:
            self.moments.pop()()

    def whole(self) -> dict[str, Family]:
        return {family.name: family for family in self.telling.whole(self.families)}


def test_numbers_are_added_up_by_their_labels_and_histograms_by_their_buckets() -> None:
    shared = SharedCounts(2)
    one_, other = Process(shared, 0), Process(shared, 1)
    one_.counts(family(input=3.0, output=1.0), histogram(0.5, 1.5), one("under_way", "gauge", "Now.", 2))
    other.counts(family(input=4.0, cache=7.0), histogram(5.0), one("under_way", "gauge", "Now.", 1))

    for process in (one_, other):
        whole = process.whole()
        assert whole["tokens"].samples == {("input",): 7, ("output",): 1, ("cache",): 7}
        assert whole["under_way"].samples == {(): 3}
        times = whole["seconds"].samples["api",]
        assert isinstance(times, Histogram)
        assert (times.buckets, times.total) == ([("1.0", 1.0), ("2.0", 2.0), ("+Inf", 3.0)], 7.0)


def test_who_takes_a_place_over_goes_on_from_its_counters_and_not_from_its_gauges() -> None:
    shared = SharedCounts(2)
    Process(shared, 0).counts(family(input=3.0), one("under_way", "gauge", "Now.", 2))
    again, other = Process(shared, 0), Process(shared, 1)
    assert other.whole()["under_way"].samples == {(): 2}

    again.counts(family(input=1.0), one("under_way", "gauge", "Now.", 0))

    for process in (again, other):
        assert process.whole()["tokens"].samples == {("input",): 4}
        assert process.whole()["under_way"].samples == {(): 0}
    third = Process(shared, 0)
    assert third.whole()["tokens"].samples == {("input",): 4}


def test_one_moment_is_planned_for_all_that_happens_until_then() -> None:
    process = Process(SharedCounts(1), 0)
    for happens in (process.telling.started, process.telling.first_token, process.telling.ended):
        happens(a_record())
    assert len(process.moments) == 1


def test_what_is_half_written_is_told_as_it_was_before() -> None:
    shared = SharedCounts(1)
    shared.tell(0, [family(input=1.0)])
    assert shared.of(0)[0].samples == {("input",): 1}
    shared._memory[20:24] = b"\xff\xff\xff\xff"

    assert shared.of(0)[0].samples == {("input",): 1}


def test_what_is_too_large_leaves_what_was_told() -> None:
    shared = SharedCounts(1)
    shared.tell(0, [family(input=1.0)])
    shared.tell(0, [Family("huge", "gauge", "x" * PLACE_BYTES)])
    assert [told.name for told in shared.of(0)] == ["tokens"]


def test_nothing_told_adds_nothing() -> None:
    assert added_up([[family(input=1.0)], []]) == [family(input=1.0)]
    assert SharedCounts(3).of_others(1) == [[], []]
