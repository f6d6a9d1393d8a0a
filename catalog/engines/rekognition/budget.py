"""Spending limit of one command: each paid call is counted here before it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import LimitReached

_REMEDY = "Finished work is kept; the same command with a higher limit continues."


class Budget:
    """Counts paid calls and their dollars before they are made. May be used from several threads."""

    def __init__(
        self,
        price: Callable[[Operation, int], Charge],
        *,
        max_calls: int | None = None,
        max_dollars: Decimal | None = None,
    ) -> None:
        """``price`` quotes further calls. A limit of None is no limit."""
        self._price = price
        self._max_calls = max_calls
        self._max_dollars = max_dollars
        self._lock = threading.Lock()
        self._calls = 0
        self._dollars = Decimal(0)

    def spend(self, operation: Operation) -> None:
        """Count one call. Raises LimitReached; the call must then not be made."""
        with self._lock:
            cost = self._price(operation, 1).dollars
            if self._max_calls is not None and self._calls + 1 > self._max_calls:
                calls = f"{self._max_calls:,} paid call{'' if self._max_calls == 1 else 's'}"
                raise LimitReached(f"The limit of {calls} is reached.", remedy=_REMEDY)
            if self._max_dollars is not None and self._dollars + cost > self._max_dollars:
                spent = f"${self._dollars.normalize():f}"
                raise LimitReached(
                    f"The limit of ${self._max_dollars.normalize():f} is reached: {spent} are spent "
                    f"and the next call costs ${cost.normalize():f}.",
                    remedy=_REMEDY,
                )
            self._calls += 1
            self._dollars += cost

    @property
    def calls(self) -> int:
        return self._calls

    @property
    def dollars(self) -> Decimal:
        return self._dollars
