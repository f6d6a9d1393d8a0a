"""Prices of Amazon Rekognition: dollars per call, by the calls of the month and by region.

The table is in ``config/default.toml`` (``rekognition.prices``). One call is one image, also for SearchFaces, which
sends none, and for CompareFaces, which sends two. ListFaces, DeleteFaces and the operations on collections are free.
Storing faces is charged by the month.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import SettingsError

GROUP_2 = frozenset({Operation.DETECT_FACES})
"""Operations that Amazon counts separately. All others are its group 1."""


@dataclass(frozen=True, slots=True)
class Tier:
    """``dollars`` a call, for the calls of a month up to ``up_to`` (None: all further ones)."""

    up_to: int | None
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The tiers of both groups and the factor of the region."""

    group_1: Sequence[Tier]
    group_2: Sequence[Tier]
    factor: Decimal = Decimal(1)

    def dollars(self, operation: Operation, calls: int, before: int = 0) -> Decimal:
        """Price of ``calls`` further calls after ``before`` calls of the group this month."""
        total, left = Decimal(0), calls
        for tier in self.group_2 if operation in GROUP_2 else self.group_1:
            room = left if tier.up_to is None else max(0, min(left, tier.up_to - before))
            total += room * tier.dollars
            before += room
            left -= room
        return total * self.factor


def read_prices(table: Mapping[str, Any], region: str) -> PriceTable:
    """The price table of a region from the settings. Raises ValueError for a table that cannot be used."""
    factor = table["region_factors"].get(region, table["other_regions_factor"])
    return PriceTable(_tiers(table["group_1"]), _tiers(table["group_2"]), Decimal(str(factor)))


def prices_of(table: Mapping[str, Any], region: str, calls_this_month: Mapping[Operation, int]) -> Prices:
    """The prices of a region after the calls of this month. Raises SettingsError for a table that cannot be used."""
    try:
        return Prices(read_prices(table, region), calls_this_month)
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise SettingsError([f"The table of prices for Rekognition cannot be used: {error}."]) from error


def price_note(table: Mapping[str, Any], region: str) -> str:
    """Sentence for a region whose price factor is not in the table; empty where it is."""
    if not is_guess(table, region):
        return ""
    return (
        f"The prices of {region or 'an unset region'} are not known. Costs are calculated with "
        f"{table['other_regions_factor']} times the prices of us-east-1, which is rather too much. Enter the region in "
        "rekognition.prices (region_factors)."
    )


def is_guess(table: Mapping[str, Any], region: str) -> bool:
    """True if the table has no factor for the region, so that the highest factor is used."""
    return region not in table["region_factors"]


def _tiers(rows: Sequence[Mapping[str, Any]]) -> list[Tier]:
    tiers = [Tier(int(row["up_to"]) or None, Decimal(str(row["dollars"]))) for row in rows]
    bounds = [tier.up_to or 0 for tier in tiers[:-1]]
    if not tiers or tiers[-1].up_to is not None or 0 in bounds or sorted(bounds) != bounds:
        raise ValueError("the tiers of a price table must rise, and the last one must have up_to = 0")
    return tiers


class Prices:
    """Counts the calls of the month and prices the next ones. May be used from several threads.

    A month is a calendar month in UTC, as on the bill. A new month starts at the first tier.
    """

    def __init__(
        self,
        table: PriceTable,
        calls_this_month: Mapping[Operation, int] | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._clock = clock
        self._month = _month(clock())
        self._lock = threading.Lock()
        self._before: Counter[bool] = Counter()
        self._lost: Counter[Operation] = Counter()
        self._lost_intents: defaultdict[Operation, tuple[int, ...]] = defaultdict(tuple)
        for operation, calls in (calls_this_month or {}).items():
            self._before[operation in GROUP_2] += calls

    def quote(self, operation: Operation, calls: int) -> Charge:
        """Price of further calls. Counts nothing."""
        with self._lock:
            return Charge(operation, calls, self._cost(operation, calls))

    def charge(self, operation: Operation, calls: int = 1, *, intents: tuple[int, ...] = ()) -> Charge:
        """The charge of calls that were answered, and of the operation's lost calls before them. Counts them."""
        with self._lock:
            return self._count(operation, calls + self._lost.pop(operation, 0), intents)

    def lose(self, operation: Operation, intents: tuple[int, ...] = ()) -> None:
        """Count a call whose response was lost: it may have been billed. The next charge includes it."""
        with self._lock:
            self._lost[operation] += 1
            self._lost_intents[operation] += intents

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        """The charges of lost calls that no other charge includes. Counts them, and returns them once."""
        with self._lock:
            lost, self._lost = self._lost, Counter()
            return tuple(self._count(operation, calls, ()) for operation, calls in lost.items())

    def _count(self, operation: Operation, calls: int, intents: tuple[int, ...]) -> Charge:
        dollars = self._cost(operation, calls)
        self._before[operation in GROUP_2] += calls
        return Charge(operation, calls, dollars, intents + self._lost_intents.pop(operation, ()))

    def _cost(self, operation: Operation, calls: int) -> Decimal:
        month = _month(self._clock())
        if month != self._month:
            self._month = month
            self._before.clear()
        return self._table.dollars(operation, calls, self._before[operation in GROUP_2])


def _month(moment: datetime) -> tuple[int, int]:
    return moment.year, moment.month
