"""SVG charts drawn with leather. The style sheet of the page sets the colors."""

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
"""A chart over more months shows years."""
_PER_MONTH = 10
"""A chart with fewer faces per month on average shows years, too."""

theme.background_color = "none"
theme.title_color = theme.label_color = theme.axis_title_color = "currentColor"
theme.tick_color = theme.zero_color = "var(--line)"
theme.title_font_family = theme.tick_font_family = theme.axis_title_font_family = "inherit"
theme.title_font_size = theme.tick_font_size = 13
theme.tick_font_char_width = 7


@dataclass(frozen=True, slots=True)
class Share:
    """A count of faces and the number of measured faces in one period."""

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
    """Return SVG text: a line of shares in percent with confidence intervals. Small samples are hollow dots."""
    chart = leather.Chart(title)
    points = [(index, share.percent) for index, share in enumerate(shares)]
    chart.set_x_scale(_EqualSteps(len(shares)))
    chart.add_y_scale(0, 100)
    ticks = _ticks(len(shares), 5 if len(shares[0].label) == 4 else 3)
    chart.add_x_axis(ticks=ticks, tick_formatter=lambda value, _index, _count: shares[int(value)].label)
    chart.add_y_axis(ticks=[0, 50, 100], tick_formatter=lambda value, _index, _count: f"{int(value)}%")
    chart.add_series(leather.Series(points), _Band([share.band for share in shares]))
    chart.add_series(leather.Series(points), _PlainLine(stroke_color="var(--tone)", width=2))
    chart.add_series(leather.Series(points), _Marks(shares))
    svg = chart.to_svg(width=WIDTH, height=HEIGHT)
    return str(svg).replace("<svg ", f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" ', 1)


def _ticks(count: int, tick_limit: int) -> list[int]:
    """Return at most ``most`` evenly spaced indexes."""
    step = max(1, -(-count // tick_limit))
    return list(range(0, count, step))


class _EqualSteps(Scale):  # type: ignore[misc]
    """``count`` positions of equal width. leather's own scale would round the ends."""

    def __init__(self, count: int) -> None:
        self._count = count

    def contains(self, v: float) -> bool:
        return 0 <= v < self._count

    def project(self, value: float, range_min: float, range_max: float) -> float:
        return float(range_min) + (float(range_max) - float(range_min)) * (float(value) + 0.5) / self._count


class _WithoutLegend:
    """A shape without an entry in the legend."""

    def legend_to_svg(self, *_: Any) -> list[tuple[ET.Element, int]]:
        return []

    def validate_series(self, series: Any) -> None:
        """Accept any series of numbers."""


class _PlainLine(_WithoutLegend, Line):  # type: ignore[misc]
    pass


class _Band(_WithoutLegend, Shape):  # type: ignore[misc]
    """The area between the ends of the confidence intervals; a bar if there is one point only."""

    def __init__(self, bands: Sequence[tuple[float, float]]) -> None:
        self._bands = bands

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette
        group = ET.Element("g", {"class": "band"})

        def point(x: float, y: float) -> str:
            return f"{float(x_scale.project(x, 0, width)):.1f},{float(y_scale.project(y, height, 0)):.1f}"

        if len(self._bands) == 1:
            low, high = self._bands[0]
            corners = [(-0.1, low), (0.1, low), (0.1, high), (-0.1, high)]
        else:
            corners = [(x, band[0]) for x, band in enumerate(self._bands)]
            corners += [(x, band[1]) for x, band in reversed(list(enumerate(self._bands)))]
        group.append(ET.Element("polygon", points=" ".join(point(x, y) for x, y in corners), fill="var(--tone)"))
        return group


class _Marks(_WithoutLegend, Shape):  # type: ignore[misc]
    """A dot for each share with its numbers as tooltip; hollow for a small sample."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette
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
            tooltip = f"{share.label}: {share.percent:.0f} % ({low:.0f} to {high:.0f} %) of {share.total} faces"
            ET.SubElement(dot, "title").text = tooltip + (", a small sample" if share.small else "")
        return group


def emotion_charts(counts: Mapping[tuple[str, str], int]) -> dict[str, object]:
    """Return a chart per emotion, by month or year. ``counts``: faces by (YYYY-MM, emotion)."""
    months = {month for month, _ in counts}
    by_month = len(months) <= _MONTHS and sum(counts.values()) >= _PER_MONTH * len(months)
    period, length = ("month", 7) if by_month else ("year", 4)
    faces_by_period: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for (month, emotion), faces in counts.items():
        faces_by_period[month[:length], emotion] += faces
        totals[month[:length]] += faces
    labels = sorted(totals)
    by_emotion: Counter[str] = Counter()
    for (_, emotion), faces in faces_by_period.items():
        by_emotion[emotion] += faces
    charts = []
    for emotion, _ in by_emotion.most_common():
        shares = [Share(label, faces_by_period[label, emotion], totals[label]) for label in labels]
        title = emotion.capitalize()
        charts.append({"emotion": emotion, "title": title, "shares": shares, "svg": share_chart(title, shares)})
    return {"charts": charts, "labels": labels, "period": period}
