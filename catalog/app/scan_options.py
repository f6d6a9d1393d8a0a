"""Options of a scan: its limits, and the results that make it fail."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """Limits of one scan; None is no limit. Reaching one of the first four ends the scan with ``LimitReached``.

    ``photos``: photos read. ``seconds``: duration. ``calls`` and ``dollars``: paid calls and their price.
    ``wait_seconds``: how long to wait for another scan of a source to end, before LockHeld. ``believe_empty`` marks
    the photos of an empty source or folder as missing; without it an empty one is taken for an unmounted disk.
    ``shared`` lets other processes work on the same sources (PostgreSQL only).
    """

    photos: int | None = None
    seconds: float | None = None
    calls: int | None = None
    dollars: Decimal | None = None
    wait_seconds: float = 0
    believe_empty: bool = False
    shared: bool = False


class FailCondition(StrEnum):
    """A result that makes :meth:`ScanRun.check` raise CheckRefused (exit code 9)."""

    CHURN = "churn"
    CONFLICTS = "conflicts"
    HITS = "hits"
