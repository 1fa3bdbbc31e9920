"""Charts as SVG, made here: shapes and classes only, no style of their own, nothing to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 150
_GAP: Final = 0.2
"""Of a column's place."""
SERIES: Final = 5
"""Colours that there are; the last is for the others."""


@dataclass(frozen=True, slots=True)
class Series:
    """`name` for people, and a value for each column."""

    name: str
    values: Sequence[float]


def stacked_columns(series: Sequence[Series], tips: Sequence[str], *, title: str) -> str:
    """One column for each of `tips`, which are shown on pointing, of as many pieces as there are series.

    A path for each series, and an invisible column with its tip: small, whatever the number of days.
    """
    assert len(series) <= SERIES, "there are no more colours"
    sums = [sum(one.values[place] for one in series) for place in range(len(tips))]
    largest, place_width = max(sums, default=0.0) or 1.0, WIDTH / max(1, len(tips))
    floors = [0.0] * len(tips)
    paths = []
    for number, one in enumerate(series):
        pieces = []
        for place, value in enumerate(one.values):
            height = value / largest * HEIGHT
            if height > 0:
                left = (place + _GAP / 2) * place_width
                top = HEIGHT - floors[place] - height
                pieces.append(f"M{left:.1f} {top:.1f}h{place_width * (1 - _GAP):.1f}v{height:.1f}H{left:.1f}z")
            floors[place] += height
        paths.append(f'<path class="s{number}" d="{"".join(pieces)}"/>')
    pointed = "".join(
        f'<rect x="{place * place_width:.1f}" width="{place_width:.1f}" height="{HEIGHT}"><title>{escape(tip)}</title>'
        "</rect>"
        for place, tip in enumerate(tips)
    )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT + 1}" role="img" aria-label="{escape(title)}">'
        f'{"".join(paths)}<path class="axis" d="M0 {HEIGHT}.5h{WIDTH}"/><g class="tips">{pointed}</g></svg>'
    )


def bar(share: float, *, title: str, level: str = "") -> str:
    """A part of a whole; `level` is a class of its own."""
    part = max(0.0, min(1.0, share)) * 100
    return (
        f'<svg class="bar {level}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}">'
        f'<rect class="whole" width="100" height="6"/><rect class="part" width="{part:.1f}" height="6"/></svg>'
    )
