"""SVG charts drawn with leather. The style sheet of the page sets the colors."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from typing import Any

import leather
from leather import theme
from leather.scales import Scale
from leather.shapes.base import Shape

from catalog.reports.site.emotion_sums import EmotionSums, Share, period_label

WIDTH, HEIGHT = 340, 190

theme.background_color = "none"
theme.title_color = theme.label_color = theme.axis_title_color = "currentColor"
theme.tick_color = theme.zero_color = "var(--line)"
theme.title_font_family = theme.tick_font_family = theme.axis_title_font_family = "inherit"
theme.title_font_size = theme.tick_font_size = 13
theme.tick_font_char_width = 7


def share_chart(title: str, shares: Sequence[Share], observed: str = "people") -> str:
    """Return SVG text: shares in percent on a time axis, with confidence intervals. Small samples are hollow dots.

    Months or years without a measured face leave a gap. ``observed`` names the observations of the intervals.
    """
    chart = leather.Chart(title)
    first = shares[0].label
    count = shares[-1].position + 1
    # A sum of many shares may exceed 100 by a rounding error, and leather would print a warning.
    points = [(share.position, min(max(share.percent, 0), 100)) for share in shares]
    chart.set_x_scale(_EqualSteps(count))
    chart.add_y_scale(0, 100)
    ticks = _ticks(count, 5 if len(first) == 4 else 3)
    chart.add_x_axis(ticks=ticks, tick_formatter=lambda value, _index, _count: period_label(int(value), first))
    chart.add_y_axis(ticks=[0, 50, 100], tick_formatter=lambda value, _index, _count: f"{int(value)}%")
    for shape in (_Band(shares), _Line(shares), _Marks(shares, observed)):
        chart.add_series(leather.Series(points), shape)
    svg = chart.to_svg(width=WIDTH, height=HEIGHT)
    return str(svg).replace("<svg ", f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" ', 1)


def _ticks(count: int, tick_limit: int) -> list[int]:
    """Return at most ``tick_limit`` evenly spaced positions."""
    step = max(1, -(-count // tick_limit))
    return list(range(0, count, step))


def _runs(shares: Sequence[Share]) -> Iterator[list[Share]]:
    """Yield the longest runs of shares without a gap between them."""
    run: list[Share] = []
    for share in shares:
        if run and share.position != run[-1].position + 1:
            yield run
            run = []
        run.append(share)
    yield run


class _EqualSteps(Scale):  # type: ignore[misc]
    """``count`` positions of equal width. leather's own scale would round the ends."""

    def __init__(self, count: int) -> None:
        self._count = count

    def contains(self, v: float) -> bool:
        return 0 <= v < self._count

    def project(self, value: float, range_min: float, range_max: float) -> float:
        return float(range_min) + (float(range_max) - float(range_min)) * (float(value) + 0.5) / self._count


class _ShareShape(Shape):  # type: ignore[misc]
    """A shape that draws shares and has no entry in the legend."""

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares

    def legend_to_svg(self, *_: Any) -> list[tuple[ET.Element, int]]:
        return []

    def validate_series(self, series: Any) -> None:
        """Accept any series of numbers."""


class _Band(_ShareShape):
    """The area between the ends of the confidence intervals; a bar for a share between two gaps."""

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette
        group = ET.Element("g", {"class": "band"})
        for run in _runs(self._shares):
            if len(run) == 1:
                x, (low, high) = run[0].position, run[0].band
                corners = [(x - 0.1, low), (x + 0.1, low), (x + 0.1, high), (x - 0.1, high)]
            else:
                corners = [(share.position, share.band[0]) for share in run]
                corners += [(share.position, share.band[1]) for share in reversed(run)]
            points = _points(corners, width, height, x_scale, y_scale)
            group.append(ET.Element("polygon", points=points, fill="var(--tone)"))
        return group


class _Line(_ShareShape):
    """A line through the shares, interrupted at each gap."""

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette
        group = ET.Element("g", {"class": "line"})
        for run in _runs(self._shares):
            points = _points([(share.position, share.percent) for share in run], width, height, x_scale, y_scale)
            line = {"points": points, "fill": "none", "stroke": "var(--tone)", "stroke-width": "2"}
            group.append(ET.Element("polyline", line))
        return group


class _Marks(_ShareShape):
    """A dot for each share with its numbers as tooltip; hollow for a small sample."""

    def __init__(self, shares: Sequence[Share], observed: str) -> None:
        super().__init__(shares)
        self._observed = observed

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, series: Any, palette: Any) -> ET.Element:
        del series, palette
        group = ET.Element("g", {"class": "marks"})
        for share in self._shares:
            dot = ET.SubElement(
                group,
                "circle",
                cx=f"{float(x_scale.project(share.position, 0, width)):.1f}",
                cy=f"{float(y_scale.project(share.percent, height, 0)):.1f}",
                r="3",
                fill="var(--page)" if share.small else "var(--tone)",
                stroke="var(--tone)",
            )
            low, high = share.band
            tooltip = (
                f"{share.label}: {share.percent:.0f} % ({low:.0f} to {high:.0f} %) of {share.faces} faces, "
                f"as of {share.observations:.0f} {self._observed}"
            )
            ET.SubElement(dot, "title").text = tooltip + (", a small sample" if share.small else "")
        return group


def _points(corners: Sequence[tuple[float, float]], width: Any, height: Any, x_scale: Any, y_scale: Any) -> str:
    return " ".join(
        f"{float(x_scale.project(x, 0, width)):.1f},{float(y_scale.project(y, height, 0)):.1f}" for x, y in corners
    )


def emotion_charts(sums: EmotionSums, observed: str = "people") -> dict[str, object]:
    """Return a chart per emotion, by month or year. ``observed`` names the groups of the sums: people or days."""
    charts: list[dict[str, object]] = []
    labels: list[str] = []
    for emotion, shares in sums.shares():
        title = emotion.capitalize()
        labels = [share.label for share in shares]
        svg = share_chart(title, shares, observed)
        charts.append({"emotion": emotion, "title": title, "shares": shares, "svg": svg})
    period = "month" if sums.is_monthly else "year"
    return {"charts": charts, "labels": labels, "period": period, "observed": observed}
