"""Charts as SVG, drawn by leather; their colors are left to the page's style sheet."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import leather
from leather import theme
from leather.scales import Scale
from leather.shapes import Line
from leather.shapes.base import Shape

from catalog.reports.confidence_interval import SMALL_SAMPLE, wilson_interval

WIDTH, HEIGHT = 340, 190
_MONTHS = 24
"""Up to so many months a chart shows months, beyond that years;"""
_PER_MONTH = 10
"""but years, too, where a month has fewer faces than this on average."""

theme.background_color = "none"
theme.title_color = theme.label_color = theme.axis_title_color = "currentColor"
theme.tick_color = theme.zero_color = "var(--line)"
theme.title_font_family = theme.tick_font_family = theme.axis_title_font_family = "inherit"
theme.title_font_size = theme.tick_font_size = 13
theme.tick_font_char_width = 7


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the faces measured in one stretch of time count."""

    label: str
    count: int
    total: int

    @property
    def percent(self) -> float:
        return 100 * self.count / self.total

    @property
    def band(self) -> tuple[float, float]:
        """The 95 % confidence interval, in percent."""
        low, high = wilson_interval(self.count, self.total)
        return 100 * low, 100 * high

    @property
    def small(self) -> bool:
        return self.total < SMALL_SAMPLE


def share_chart(title: str, shares: Sequence[Share]) -> str:
    """A line of shares in percent with their confidence bands; small samples are hollow dots. SVG text."""
    chart = leather.Chart(title)
    points = [(index, share.percent) for index, share in enumerate(shares)]
    chart.set_x_scale(_Places(len(shares)))
    chart.add_y_scale(0, 100)
    ticks = _ticks(len(shares), 5 if len(shares[0].label) == 4 else 3)
    chart.add_x_axis(ticks=ticks, tick_formatter=lambda value, _index, _count: shares[int(value)].label)
    chart.add_y_axis(ticks=[0, 50, 100], tick_formatter=lambda value, _index, _count: f"{int(value)}%")
    chart.add_series(leather.Series(points), _Band([share.band for share in shares]))
    chart.add_series(leather.Series(points), _PlainLine(stroke_color="var(--tone)", width=2))
    chart.add_series(leather.Series(points), _Marks(shares))
    svg = chart.to_svg(width=WIDTH, height=HEIGHT)
    return str(svg).replace("<svg ", f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" ', 1)


def _ticks(count: int, most: int) -> list[int]:
    """At most so many labels, evenly spread."""
    step = max(1, -(-count // most))
    return list(range(0, count, step))


class _Places(Scale):  # type: ignore[misc]
    """So many places side by side, each as wide as the others; leather's own scale would round the ends."""

    def __init__(self, count: int) -> None:
        self._count = count

    def contains(self, v: float) -> bool:
        return 0 <= v < self._count

    def project(self, value: float, range_min: float, range_max: float) -> float:
        return float(range_min) + (float(range_max) - float(range_min)) * (float(value) + 0.5) / self._count


class _Unnamed:
    """A shape without an entry in the legend: one line needs no key."""

    def legend_to_svg(self, *_: Any) -> list[tuple[ET.Element, int]]:
        return []

    def validate_series(self, series: Any) -> None:
        """Anything with numbers will do."""


class _PlainLine(_Unnamed, Line):  # type: ignore[misc]
    pass


class _Band(_Unnamed, Shape):  # type: ignore[misc]
    """The area between the ends of confidence intervals; where there is one point, a bar."""

    def __init__(self, bands: Sequence[tuple[float, float]]) -> None:
        self._bands = bands

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette  # the bands are all there is to draw
        group = ET.Element("g", {"class": "band"})

        def at(x: float, y: float) -> str:
            return f"{float(x_scale.project(x, 0, width)):.1f},{float(y_scale.project(y, height, 0)):.1f}"

        if len(self._bands) == 1:
            low, high = self._bands[0]
            corners = [(-0.1, low), (0.1, low), (0.1, high), (-0.1, high)]
        else:
            corners = [(x, band[0]) for x, band in enumerate(self._bands)]
            corners += [(x, band[1]) for x, band in reversed(list(enumerate(self._bands)))]
        group.append(ET.Element("polygon", points=" ".join(at(x, y) for x, y in corners), fill="var(--tone)"))
        return group


class _Marks(_Unnamed, Shape):  # type: ignore[misc]
    """A dot for each share, with its numbers as the tooltip; hollow where few faces are behind it."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette  # the shares are all there is to draw
        group = ET.Element("g", {"class": "marks"})
        for index, share in enumerate(self._shares):
            dot = ET.SubElement(
                group,
                "circle",
                cx=f"{float(x_scale.project(index, 0, width)):.1f}",
                cy=f"{float(y_scale.project(share.percent, height, 0)):.1f}",
                r="3",
                fill="var(--page)" if share.small else "var(--tone)",
                stroke="var(--tone)",
            )
            low, high = share.band
            told = f"{share.label}: {share.percent:.0f} % ({low:.0f} to {high:.0f} %) of {share.total} faces"
            ET.SubElement(dot, "title").text = told + (", a small sample" if share.small else "")
        return group


def emotion_charts(felt: Mapping[tuple[str, str], int]) -> dict[str, object]:
    """A chart for each emotion, by month or, over many months, by year. ``felt`` counts (YYYY-MM, emotion)."""
    months = {month for month, _ in felt}
    by_month = len(months) <= _MONTHS and sum(felt.values()) >= _PER_MONTH * len(months)
    period, length = ("month", 7) if by_month else ("year", 4)
    counted: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for (month, emotion), faces in felt.items():
        counted[month[:length], emotion] += faces
        totals[month[:length]] += faces
    labels = sorted(totals)
    by_emotion: Counter[str] = Counter()
    for (_, emotion), faces in counted.items():
        by_emotion[emotion] += faces
    charts = []
    for emotion, _ in by_emotion.most_common():
        shares = [Share(label, counted[label, emotion], totals[label]) for label in labels]
        title = emotion.capitalize()
        charts.append({"emotion": emotion, "title": title, "shares": shares, "svg": share_chart(title, shares)})
    return {"charts": charts, "labels": labels, "period": period}
