"""Scans: counts of each run, problems by photo, and charges."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection, func, insert, select, update

from catalog.domain.charges import Charge
from catalog.domain.photos import Outcome
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display
from catalog.store.call_intents import close_intents
from catalog.store.damaged_rows import required_stored_time, stored_time
from catalog.store.tables import charges as charges_table
from catalog.store.tables import enrollments, problems, scan_sources, scans

ScanState = Literal["running", "completed", "interrupted", "limited", "failed"]

COUNTS = tuple(
    column.name
    for column in scans.columns
    if column.name not in ("id", "exit_code", "pid") and column.default is not None
)
"""Names of the count columns, from ``discovered`` to ``conflicts``."""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One run of ``catalog scan``. ``finished_at`` is None while it runs, and stays None if it was killed."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    state: ScanState
    exit_code: int | None
    engine: str
    gallery: str
    model: str
    version: str
    sources: tuple[str, ...]
    counts: Mapping[str, int]


def start_scan(
    conn: Connection, *, engine: str, gallery: str, model: str, sources: Sequence[str], version: str, now: datetime
) -> int:
    """Record the start of a scan of these sources. Returns its id."""
    row = {
        "started_at": utc_text(now),
        "state": "running",
        "engine": engine,
        "gallery": gallery,
        "model": model,
        "version": version,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
    scan_id = int(conn.execute(insert(scans).returning(scans.c.id), row).scalar_one())
    if sources:
        conn.execute(insert(scan_sources), [{"scan_id": scan_id, "source_uri": uri} for uri in dict.fromkeys(sources)])
    return scan_id


def close_abandoned(conn: Connection, sources: Sequence[str]) -> int:
    """Mark unfinished scans of these sources as interrupted. Returns their number.

    The caller holds the locks of the sources, so that none of these scans can be running.
    """
    abandoned = select(scan_sources.c.scan_id).where(scan_sources.c.source_uri.in_(sources))
    return conn.execute(
        update(scans).where(scans.c.state == "running", scans.c.id.in_(abandoned)).values(state="interrupted")
    ).rowcount


def running_scans(conn: Connection) -> list[int]:
    """Ids of unfinished scans whose process runs on this machine, or that run on another machine."""
    query = select(scans.c.id, scans.c.host, scans.c.pid).where(scans.c.state == "running")
    return [row.id for row in conn.execute(query) if row.host != socket.gethostname() or _is_running(row.pid)]


def count_recorded(conn: Connection, scan_ids: Sequence[int]) -> int:
    """Number of photos that these scans have enrolled."""
    query = select(func.count()).select_from(enrollments).where(enrollments.c.scan_id.in_(list(scan_ids)))
    return int(conn.scalar(query) or 0)


def _is_running(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def others_running(conn: Connection, scan_id: int, sources: Sequence[str]) -> bool:
    """Return True if a scan of other sources may be running. A killed scan counts until its sources are scanned."""
    query = select(scan_sources.c.scan_id).join(scans, scans.c.id == scan_sources.c.scan_id)
    query = query.where(
        scans.c.state == "running", scans.c.id != scan_id, scan_sources.c.source_uri.not_in(list(sources))
    )
    return conn.scalar(query.limit(1)) is not None


def record_problem(conn: Connection, scan_id: int, outcome: Outcome, now: datetime) -> None:
    """Record why a photo failed or was skipped."""
    conn.execute(
        insert(problems),
        {
            "scan_id": scan_id,
            "uri": outcome.uri,
            "outcome": outcome.kind.value,
            "sha256": outcome.sha256,
            "reason": outcome.reason or "",
            "at": utc_text(now),
        },
    )


def record_charges(
    conn: Connection,
    charges: Sequence[Charge],
    *,
    engine: str,
    region: str,
    command: str,
    scan_id: int | None,
    now: datetime,
) -> None:
    """Record answered calls, in the transaction that stores their results."""
    rows = [
        {
            "charged_at": utc_text(now),
            "scan_id": scan_id,
            "command": command,
            "engine": engine,
            "region": region,
            "operation": charge.operation.value,
            "calls": charge.calls,
            "microdollars": int((charge.dollars * 1_000_000).to_integral_value()),
        }
        for charge in charges
    ]
    if rows:
        conn.execute(insert(charges_table), rows)
        close_intents(conn, [intent for charge in charges for intent in charge.intents])


def complete_source(conn: Connection, scan_id: int, source_uri: str, discovered: int, now: datetime) -> None:
    """Record that the listing of a source is complete."""
    conn.execute(
        update(scan_sources)
        .where(scan_sources.c.scan_id == scan_id, scan_sources.c.source_uri == source_uri)
        .values(discovered=discovered, completed_at=utc_text(now))
    )


def finish_scan(
    conn: Connection, scan_id: int, *, state: ScanState, exit_code: int, counts: Mapping[str, int], now: datetime
) -> None:
    """Record the end of a scan. ``counts`` has names of :data:`COUNTS` as keys; missing ones are 0."""
    unknown = set(counts).difference(COUNTS)
    if unknown:
        raise ValueError(f"a scan has no counts {sorted(unknown)}")
    conn.execute(
        update(scans)
        .where(scans.c.id == scan_id)
        .values(finished_at=utc_text(now), state=state, exit_code=exit_code, **counts)
    )


def last_scans(conn: Connection, n: int) -> list[ScanRow]:
    """Return the last ``n`` scans, newest first."""
    rows = conn.execute(select(scans).order_by(scans.c.id.desc()).limit(n)).mappings().all()
    sources: dict[int, list[str]] = {row["id"]: [] for row in rows}
    listed = select(scan_sources.c.scan_id, scan_sources.c.source_uri).where(scan_sources.c.scan_id.in_(list(sources)))
    for scan_id, uri in conn.execute(listed.order_by(scan_sources.c.source_uri)):
        sources[scan_id].append(uri)
    return [
        ScanRow(
            id=row["id"],
            started_at=required_stored_time(row["started_at"], f"Scan {row['id']}", "started_at"),
            finished_at=stored_time(row["finished_at"], f"Scan {row['id']}", "finished_at"),
            state=row["state"],
            exit_code=row["exit_code"],
            engine=row["engine"],
            gallery=row["gallery"],
            model=row["model"],
            version=row["version"],
            sources=tuple(sources[row["id"]]),
            counts=MappingProxyType({name: row[name] for name in COUNTS}),
        )
        for row in rows
    ]


def last_completed(conn: Connection, source_uri: str) -> datetime | None:
    """Return the time of the last complete listing of this source; all its present locations were seen then."""
    query = select(func.max(scan_sources.c.completed_at)).where(scan_sources.c.source_uri == source_uri)
    return stored_time(conn.scalar(query), f'The listing of "{display(source_uri)}"', "completed_at")


_TIMED_SCANS, _MIN_TIMED_PHOTOS = 5, 20
"""Scans that the time of a photo is taken from, and the fewest photos that such a scan read."""


def seconds_per_photo(conn: Connection, engine: str) -> float | None:
    """Return the mean seconds for a new photo in the last complete scans; None if none of them is large enough."""
    read = scans.c.new + scans.c.changed
    query = (
        select(scans.c.started_at, scans.c.finished_at, read.label("photos"))
        .where(scans.c.engine == engine, scans.c.state == "completed", read >= _MIN_TIMED_PHOTOS)
        .order_by(scans.c.id.desc())
        .limit(_TIMED_SCANS)
    )
    seconds, photos = 0.0, 0
    for row in conn.execute(query):
        started = required_stored_time(row.started_at, "A scan", "started_at")
        finished = required_stored_time(row.finished_at, "A scan", "finished_at")
        seconds += (finished - started).total_seconds()
        photos += row.photos
    return seconds / photos if photos else None
