"""Sums of the recorded charges, by scan and since a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, literal, select, union_all

from catalog.domain.timestamps import required_time, utc_text
from catalog.store.tables import call_intents, charges


@dataclass(frozen=True, slots=True)
class ChargeSum:
    """Calls of one operation. ``scan_id`` is None outside scans. ``since`` is the time of the first call."""

    scan_id: int | None
    command: str
    engine: str
    region: str
    operation: str
    calls: int
    microdollars: int
    since: datetime

    @property
    def dollars(self) -> float:
        return self.microdollars / 1_000_000


UNANSWERED = "lost"
"""Command of calls whose answer was lost in a kill, or is still awaited by a running command."""

_SUMS = (
    func.sum(charges.c.calls).label("calls"),
    func.sum(charges.c.microdollars).label("microdollars"),
    func.min(charges.c.charged_at).label("since"),
)


def charges_by_scan(conn: Connection, *, scans: int) -> list[ChargeSum]:
    """Return the charges of the last ``scans`` scans that have any, newest scan first, by operation."""
    scan = charges.c.scan_id
    last = select(scan).where(scan.is_not(None)).group_by(scan).order_by(scan.desc()).limit(scans).subquery()
    keys = (scan, charges.c.command, charges.c.engine, charges.c.region, charges.c.operation)
    query = select(*keys, *_SUMS).where(scan.in_(select(last.c.scan_id))).group_by(*keys)
    rows = conn.execute(query.order_by(scan.desc(), charges.c.operation)).mappings()
    return [_sum(row["scan_id"], row) for row in rows]


def charges_since(conn: Connection, moment: datetime) -> list[ChargeSum]:
    """Return the charges since a time by command and operation, highest dollars first.

    Calls without a recorded charge have the command :data:`UNANSWERED`.
    """
    keys = (charges.c.command, charges.c.engine, charges.c.region, charges.c.operation)
    recorded = select(*keys, *_SUMS).where(charges.c.charged_at >= utc_text(moment)).group_by(*keys)
    # One statement: between two of them a scan may move a call from the intents to the charges.
    rows = conn.execute(union_all(recorded, _unanswered(moment))).mappings()
    sums = [_sum(None, row) for row in rows]
    return sorted(sums, key=lambda total: (-total.microdollars, total.command, total.operation))


def _unanswered(moment: datetime) -> Select[Any]:
    keys = (call_intents.c.engine, call_intents.c.region, call_intents.c.operation)
    return (
        select(
            literal(UNANSWERED).label("command"),
            *keys,
            func.count().label("calls"),
            func.sum(call_intents.c.microdollars).label("microdollars"),
            func.min(call_intents.c.started_at).label("since"),
        )
        .where(call_intents.c.started_at >= utc_text(moment))
        .group_by(*keys)
    )


def _sum(scan_id: int | None, row: RowMapping) -> ChargeSum:
    return ChargeSum(
        scan_id,
        command=row["command"],
        engine=row["engine"],
        region=row["region"],
        operation=row["operation"],
        calls=int(row["calls"]),
        microdollars=int(row["microdollars"]),
        since=required_time(row["since"]),
    )
