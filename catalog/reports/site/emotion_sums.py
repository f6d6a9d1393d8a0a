"""Shares of apparent expressions by month and year, weighted by confidence.

A face counts with the confidence of its expression. Faces of one person in one period are no independent observations:
the confidence interval of a share is that of as many observations as there are people, where people with more faces
count for less (Kish's effective sample size). On the page of one person the observations are days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from catalog.reports.confidence_interval import SMALL_SAMPLE, wilson_interval

_MONTHS = 24
"""A chart over more months shows years."""
_PER_MONTH = 10
"""A chart with fewer faces per month on average shows years, too."""


@dataclass(frozen=True, slots=True)
class Share:
    """The share of one expression in one period. ``position`` is the number of the month or year on the time axis.

    ``weight`` of ``total_weight`` is the share: sums of confidences, 0 to 1 each. ``faces`` is the number of measured
    faces, ``observations`` the effective number of people or days.
    """

    label: str
    position: int
    weight: float
    total_weight: float
    faces: int
    observations: float

    @property
    def percent(self) -> float:
        return 100 * self.weight / self.total_weight

    @property
    def band(self) -> tuple[float, float]:
        """The 95 % confidence interval, in percent."""
        low, high = wilson_interval(self.weight / self.total_weight * self.observations, self.observations)
        return 100 * low, 100 * high

    @property
    def small(self) -> bool:
        return self.faces < SMALL_SAMPLE


class EmotionSums:
    """Sums over faces. ``add`` is called once for each face with a date and a measured expression."""

    def __init__(self) -> None:
        self._by_emotion: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._faces: Counter[str] = Counter()
        self._by_group: defaultdict[tuple[str, Hashable], float] = defaultdict(float)
        self._squares: defaultdict[str, float] = defaultdict(float)

    def add(self, taken: str, emotion: str, confidence: float | None, group: Hashable | None) -> None:
        """Add a face. ``taken`` begins with YYYY-MM. ``group`` is its person or day; None: no other face is of it."""
        weight = 1.0 if confidence is None else confidence / 100
        if weight <= 0:
            return
        for period in (taken[:7], taken[:4]):
            self._by_emotion[period, emotion] += weight
            self._faces[period] += 1
            if group is None:
                self._squares[period] += weight**2
            else:
                self._by_group[period, group] += weight

    @property
    def is_monthly(self) -> bool:
        """Months if there are few of them with enough faces, else years."""
        months = [faces for period, faces in self._faces.items() if len(period) == 7]
        return len(months) <= _MONTHS and sum(months) >= _PER_MONTH * len(months)

    def shares(self) -> Iterator[tuple[str, list[Share]]]:
        """Yield each expression with its shares, oldest first; the most frequent expression first."""
        length = 7 if self.is_monthly else 4
        periods = sorted(period for period in self._faces if len(period) == length)
        squares = defaultdict(float, self._squares)
        for (period, _), weight in self._by_group.items():
            squares[period] += weight**2
        weights = dict.fromkeys(periods, 0.0)
        by_emotion: defaultdict[str, float] = defaultdict(float)
        for (period, emotion), weight in self._by_emotion.items():
            if len(period) == length:
                weights[period] += weight
                by_emotion[emotion] += weight
        first = _position(periods[0]) if periods else 0
        for emotion in sorted(by_emotion, key=lambda emotion: (-by_emotion[emotion], emotion)):
            yield (
                emotion,
                [
                    Share(
                        label=period,
                        position=_position(period) - first,
                        weight=min(self._by_emotion[period, emotion], weights[period]),
                        total_weight=weights[period],
                        faces=self._faces[period],
                        observations=weights[period] ** 2 / squares[period],
                    )
                    for period in periods
                ],
            )


def period_label(position: int, first: str) -> str:
    """Return the period ``position`` months or years after ``first``, which is YYYY-MM or YYYY."""
    number = _position(first) + position
    return f"{number // 12:04}-{number % 12 + 1:02}" if len(first) == 7 else f"{number:04}"


def _position(period: str) -> int:
    return int(period) if len(period) == 4 else int(period[:4]) * 12 + int(period[5:]) - 1
