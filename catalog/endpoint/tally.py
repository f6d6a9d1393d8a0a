"""Counts calls by operation and error code."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """Number of calls by operation and error code. Several threads may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str]] = Counter()

    def count(self, operation: str, error: str) -> None:
        """``operation``: Amazon's name, empty if unknown. ``error``: Amazon's error code, empty for success."""
        with self._lock:
            self._calls[operation, error] += 1

    def calls(self) -> Counter[tuple[str, str]]:
        """The calls so far."""
        with self._lock:
            return Counter(self._calls)

    def lines(self) -> list[str]:
        """A table for people: operation, status, calls; ordered by operation and status."""
        rows = [
            (operation or "(unknown)", error or "success", str(calls))
            for (operation, error), calls in sorted(self.calls().items())
        ]
        rows.insert(0, ("operation", "status", "calls"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return [f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows]
