"""Status: counts of the catalogue, and the last scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, select

from catalog.reports.person_counts import read_person_counts
from catalog.reports.reading import reading
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.tables import (
    assignments,
    charges,
    decisions,
    employees,
    enrollments,
    faces,
    locations,
    persons,
    photos,
    rejected_faces,
    scan_sources,
    scans,
)


@dataclass(frozen=True, slots=True)
class GalleryStatus:
    engine: str
    gallery: str
    model: str
    photos: int


@dataclass(frozen=True, slots=True)
class ScanStatus:
    """Summary of a scan. Counts are photos."""

    scan: int
    started_at: str
    finished_at: str | None
    state: str
    sources: tuple[str, ...]
    discovered: int
    new: int
    failed: int


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of the catalogue. ``people`` excludes hidden persons. ``dollars`` is the sum of all charges."""

    database: str
    photos: int
    places: int
    missing_places: int
    faces: int
    rejected_faces: int
    unassigned_faces: int
    people: int
    named_people: int
    hidden_people: int
    decisions: int
    dollars: float
    galleries: tuple[GalleryStatus, ...]
    scans: tuple[ScanStatus, ...]
    pending_removals: int = 0
    """Faces that galleries must still delete, after a killed `people forget`, prune or scan."""
    employees: int = 0
    """Employees enrolled for verification."""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def read_status(database: Database, last: int = 5) -> Status:
    """Read the status with the last ``last`` scans, newest first."""
    with reading(database) as connection:
        count = _Count(connection)
        face_count = count(select(func.count()).select_from(faces).where(faces.c.not_a_face.is_(False)))
        assigned = count(select(func.count()).select_from(assignments).where(assignments.c.photo_id.is_not(None)))
        hidden = (
            select(func.count()).select_from(persons).where(persons.c.merged_into.is_(None), persons.c.hidden.is_(True))
        )
        person_counts = read_person_counts(connection)
        return Status(
            database=database.url,
            photos=count(select(func.count()).select_from(photos).where(photos.c.left_out_by.is_(None))),
            places=count(select(func.count()).select_from(locations).where(locations.c.missing_since.is_(None))),
            missing_places=count(
                select(func.count()).select_from(locations).where(locations.c.missing_since.is_not(None))
            ),
            faces=face_count,
            rejected_faces=count(select(func.count()).select_from(rejected_faces)),
            unassigned_faces=face_count - assigned,
            people=person_counts.people,
            named_people=person_counts.named_people,
            hidden_people=count(hidden),
            decisions=count(select(func.count()).select_from(decisions)),
            dollars=count(select(func.coalesce(func.sum(charges.c.microdollars), 0))) / 1_000_000,
            galleries=_galleries(connection),
            scans=_scans(connection, last),
            pending_removals=pending_removals.count(connection),
            employees=count(select(func.count()).select_from(employees)),
        )


class _Count:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, query: object) -> int:
        return int(self._connection.execute(query).scalar_one())  # type: ignore[call-overload]


def _galleries(connection: Connection) -> tuple[GalleryStatus, ...]:
    columns = (enrollments.c.engine, enrollments.c.gallery, enrollments.c.model)
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    return tuple(GalleryStatus(*row) for row in connection.execute(query))


def _scans(connection: Connection, last: int) -> tuple[ScanStatus, ...]:
    rows = connection.execute(select(scans).order_by(scans.c.id.desc()).limit(last)).all()
    return tuple(
        ScanStatus(
            scan=row.id,
            started_at=row.started_at,
            finished_at=row.finished_at,
            state=row.state,
            sources=tuple(_sources(connection, row.id)),
            discovered=row.discovered,
            new=row.new,
            failed=row.failed,
        )
        for row in rows
    )


def _sources(connection: Connection, scan_id: int) -> Sequence[str]:
    query = select(scan_sources.c.source_uri).where(scan_sources.c.scan_id == scan_id)
    return connection.scalars(query.order_by(scan_sources.c.source_uri)).all()
