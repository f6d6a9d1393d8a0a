"""The watch list: entries, reference crops and hits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.domain.timestamps import utc_text
from catalog.store.damaged_rows import required_stored_time, stored_time
from catalog.store.tables import faces, watch_hits, watch_references, watches
from catalog.store.upsert import batches, insert_into

State = Literal["open", "confirmed", "dismissed"]


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """One entry of the watch list, with counts of its references, negative references and unreviewed hits."""

    id: int
    name: str
    threshold: float
    created_at: datetime
    created_by: str
    references: int
    negatives: int
    open_hits: int


@dataclass(frozen=True, slots=True)
class HitRow:
    """One hit. ``face`` is a row id; ``margin`` is None if no negative reference matched the face."""

    number: int
    watch: str
    face: int
    similarity: float
    margin: float | None
    state: State
    found_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HitReview:
    """The answer of a user to a hit."""

    state: State
    reviewed_at: str
    reviewed_by: str


def insert_watch(
    connection: Connection,
    name: str,
    threshold: float,
    references: Iterable[tuple[bytes, str, bool]],
    *,
    who: str,
    now: datetime,
) -> None:
    """Add an entry with its references: crop (JPEG), content hash of the photo, and the flag of a negative one."""
    row = {"name": name, "threshold": threshold, "created_at": utc_text(now), "created_by": who}
    watch_id = connection.execute(insert(watches).returning(watches.c.id), row).scalar_one()
    for image, sha256, negative in references:
        connection.execute(
            insert(watch_references), {"watch_id": watch_id, "negative": negative, "image": image, "sha256": sha256}
        )


def has_watch(connection: Connection, name: str) -> bool:
    return connection.scalar(select(watches.c.id).where(watches.c.name == name)) is not None


def delete_watch(connection: Connection, name: str) -> bool:
    """Delete an entry with its references and hits; returns False if there is none of this name."""
    return connection.execute(delete(watches).where(watches.c.name == name)).rowcount > 0


def read_watches(connection: Connection) -> list[WatchEntry]:
    """All entries, by name."""
    rows = connection.execute(select(watches).order_by(watches.c.name)).all()
    kinds = connection.execute(
        select(watch_references.c.watch_id, watch_references.c.negative, func.count()).group_by(
            watch_references.c.watch_id, watch_references.c.negative
        )
    ).all()
    open_hits = connection.execute(
        select(watch_hits.c.watch_id, func.count()).where(watch_hits.c.state == "open").group_by(watch_hits.c.watch_id)
    ).all()
    reference_counts = {(watch, bool(negative)): count for watch, negative, count in kinds}
    open_counts = {row[0]: row[1] for row in open_hits}
    return [
        WatchEntry(
            row.id,
            row.name,
            row.threshold,
            required_stored_time(row.created_at, f'Watch entry "{row.name}"', "created_at"),
            row.created_by,
            reference_counts.get((row.id, False), 0),
            reference_counts.get((row.id, True), 0),
            open_counts.get(row.id, 0),
        )
        for row in rows
    ]


def read_references(connection: Connection, watch_id: int) -> list[tuple[bool, bytes]]:
    """The references of an entry in order of their addition: the flag of a negative one, and the crop."""
    query = select(watch_references.c.negative, watch_references.c.image).where(watch_references.c.watch_id == watch_id)
    return [
        (bool(negative), bytes(image)) for negative, image in connection.execute(query.order_by(watch_references.c.id))
    ]


def reference_numbers(connection: Connection, name: str) -> list[int]:
    """Row ids of the references of an entry that show the person, in order of their addition."""
    query = (
        select(watch_references.c.id)
        .join(watches, watches.c.id == watch_references.c.watch_id)
        .where(watches.c.name == name, watch_references.c.negative.is_(False))
    )
    return list(connection.scalars(query.order_by(watch_references.c.id)))


def reference_image(connection: Connection, number: int) -> bytes | None:
    """The crop (JPEG) of a reference; None for an unknown row id."""
    image = connection.scalar(select(watch_references.c.image).where(watch_references.c.id == number))
    return None if image is None else bytes(image)


def all_watch_references(connection: Connection) -> list[tuple[int, str, bytes]]:
    """Row id, content hash of the photo and crop of every reference, negative ones included."""
    query = select(watch_references.c.id, watch_references.c.sha256, watch_references.c.image)
    rows = connection.execute(query.order_by(watch_references.c.id))
    return [(int(row), sha256, bytes(image)) for row, sha256, image in rows]


def delete_watch_references(connection: Connection, rows: Sequence[int]) -> None:
    """Delete references by row id, and entries that have no positive reference left, with their hits."""
    if not rows:
        return
    for batch in batches(rows):
        connection.execute(delete(watch_references).where(watch_references.c.id.in_(batch)))
    positive = select(watch_references.c.watch_id).where(watch_references.c.negative.is_(False))
    connection.execute(delete(watches).where(watches.c.id.not_in(positive)))


def hit_face_rows(connection: Connection, watch_id: int) -> set[int]:
    """Row ids of the faces that are hits of an entry already."""
    return set(connection.scalars(select(watch_hits.c.face_id).where(watch_hits.c.watch_id == watch_id)))


def review_of_faces(connection: Connection, watch_id: int, face_rows: Iterable[int]) -> HitReview | None:
    """The review of a hit at one of these faces, if there is one."""
    query = select(watch_hits.c.state, watch_hits.c.reviewed_at, watch_hits.c.reviewed_by).where(
        watch_hits.c.watch_id == watch_id, watch_hits.c.face_id.in_(list(face_rows)), watch_hits.c.state != "open"
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else HitReview(row.state, row.reviewed_at, row.reviewed_by)


def insert_hit(
    connection: Connection,
    watch_id: int,
    face_row: int,
    *,
    similarity: float,
    margin: float | None,
    review: HitReview | None,
    scan_id: int | None,
    now: datetime,
) -> int | None:
    """Add a hit, reviewed already if ``review`` says so. Returns its number, or None if the hit exists."""
    row: dict[str, object] = {
        "watch_id": watch_id,
        "face_id": face_row,
        "similarity": similarity,
        "margin": margin,
        "state": "open",
        "found_at": utc_text(now),
        "scan_id": scan_id,
    }
    if review is not None:
        row |= {"state": review.state, "reviewed_at": review.reviewed_at, "reviewed_by": review.reviewed_by}
    statement = insert_into(connection, watch_hits).on_conflict_do_nothing().returning(watch_hits.c.id)
    number = connection.execute(statement, row).scalar()
    return None if number is None else int(number)


def set_hit_state(connection: Connection, number: int, state: State, *, who: str, now: datetime) -> bool:
    """Set the state of a hit; returns False for an unknown number."""
    reviewed = {"state": state, "reviewed_at": utc_text(now), "reviewed_by": who}
    return connection.execute(update(watch_hits).where(watch_hits.c.id == number).values(**reviewed)).rowcount > 0


def read_hits(
    connection: Connection, *, state: State | None = None, name: str | None = None, numbers: Sequence[int] | None = None
) -> list[HitRow]:
    """Hits, newest first, without faces that a user marked as not a face; filtered by each argument that is given."""
    query = (
        select(watch_hits, watches.c.name)
        .join(watches, watches.c.id == watch_hits.c.watch_id)
        .join(faces, faces.c.id == watch_hits.c.face_id)
        .where(faces.c.not_a_face.is_(False))
        .order_by(watch_hits.c.id.desc())
    )
    if state is not None:
        query = query.where(watch_hits.c.state == state)
    if name is not None:
        query = query.where(watches.c.name == name)
    queries = [query]
    if numbers is not None:
        queries = [query.where(watch_hits.c.id.in_(batch)) for batch in batches(sorted(numbers, reverse=True))]
    return [
        HitRow(
            row.id,
            row.name,
            row.face_id,
            row.similarity,
            row.margin,
            row.state,
            required_stored_time(row.found_at, f"Watch hit {row.id}", "found_at"),
            row.reviewed_by,
            stored_time(row.reviewed_at, f"Watch hit {row.id}", "reviewed_at"),
        )
        for each_query in queries
        for row in connection.execute(each_query)
    ]
