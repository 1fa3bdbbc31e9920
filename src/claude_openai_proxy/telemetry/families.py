"""Families of metrics as plain values, and their text (https://prometheus.io/docs/instrumenting/exposition_formats/).

`prometheus_client` makes the text. It is imported when somebody asks for it, and counts nothing itself: what is counted
with every request is a number in a dict.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX: Final = "claude_openai_proxy_"
OTHER: Final = "other"

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[str, ...]
"""Values, in the order of the family's names."""


class Histogram:
    """How many values there were up to each of `bounds`, and beyond them."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Count them."""
        counts, bounds = self._counts, self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self._sum += sum(values)

    @classmethod
    def of(cls, bounds: Sequence[float], counts: Sequence[int], total: float) -> "Histogram":
        """From its `parts`."""
        histogram = cls(tuple(bounds))
        histogram._counts, histogram._sum = list(counts), total
        return histogram

    @property
    def parts(self) -> tuple[tuple[float, ...], list[int], float]:
        """Bounds, how many values each alone has, the last beyond them, and the sum of all values."""
        return tuple(self._bounds), self._counts, self._sum

    def with_those_of(self, other: "Histogram") -> "Histogram":
        """A histogram of the values of both, which have the same bounds."""
        bounds, more, total = other.parts
        assert bounds == tuple(self._bounds), "values are counted by the same bounds"
        counts = [one + another for one, another in zip(self._counts, more, strict=True)]
        return Histogram.of(bounds, counts, self._sum + total)

    @property
    def total(self) -> float:
        """Of all values."""
        return self._sum

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many values were not above it; the last one is `+Inf`."""
        counted, rows = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            counted += count
            rows.append((bound, float(counted)))
        return rows


@dataclass(frozen=True, slots=True)
class Family:
    """`name` without the prefix; `samples` by the values of `labels`. A counter's name has its `_total` by itself."""

    name: str
    kind: Kind
    about: str
    labels: Labels = ()
    samples: Mapping[Labels, float | Histogram] = field(default_factory=dict)


def one(name: str, kind: Kind, about: str, value: float) -> Family:
    """A family of a single number."""
    return Family(name, kind, about, (), {(): value})


def by_label(values: Mapping[str, float]) -> dict[Labels, float]:
    """For a family with one label."""
    return {(name,): value for name, value in values.items()}


def exposition(families: Sequence[Family], accept: str) -> tuple[bytes, bytes]:
    """The text that a scraper's `Accept` asks for, and its content type."""
    from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415 - only who asks for it pays for it
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(families))
    ProcessCollector(registry=registry)
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type.encode()


class _Collected:
    """What `prometheus_client` calls a collector."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> "Iterator[Metric]":
        """Every family."""
        return map(_metric, self._families)


def _metric(family: Family) -> "Metric":
    from prometheus_client.core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    if family.kind == "histogram":
        histograms = HistogramMetricFamily(PREFIX + family.name, family.about, labels=family.labels)
        for labels, sample in family.samples.items():
            assert isinstance(sample, Histogram)
            histograms.add_metric(labels, buckets=sample.buckets, sum_value=sample.total)
        return histograms
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(PREFIX + family.name, family.about, labels=family.labels)
    for labels, sample in family.samples.items():
        assert isinstance(sample, float | int)
        metric.add_metric(labels, sample)
    return metric
