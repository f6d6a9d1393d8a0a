"""Watch hits: stored faces that match an entry of the watch list, each once, with the user's review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.identities.decisions.log import DecisionStamp
from catalog.store import watch_rows
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, catalogued_faces_by_row, faces_at_key
from catalog.store.database import Database
from catalog.store.watch_rows import State as State


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A stored face that matches an entry. ``margin`` is None if no negative reference matches the face."""

    number: int
    watch: str
    face: CataloguedFace
    similarity: float
    margin: float | None
    state: State
    found_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None = None


def record_new_hits(
    connection: Connection,
    watch_id: int,
    matches: Mapping[str, float],
    negatives: Mapping[str, float],
    engine: str,
    gallery: str,
    scan_id: int | None,
    now: datetime,
) -> list[int]:
    """Store the new hits of an entry; returns the numbers of those that need a review.

    Both mappings give similarities, 0-100, by face id. A face that matches a negative reference as much or more is no
    hit. A hit that a user reviewed in another gallery keeps that review.
    """
    faces = catalogued_faces_by_id(connection, list(matches), engine=engine, gallery=gallery)
    known_rows = watch_rows.hit_face_rows(connection, watch_id)
    unreviewed = []
    for face_id, similarity in sorted(matches.items(), key=lambda pair: -pair[1]):
        face, negative = faces.get(face_id), negatives.get(face_id)
        if face is None or face.row in known_rows or (negative is not None and negative >= similarity):
            continue
        review = _review_in_other_galleries(connection, watch_id, face)
        number = watch_rows.insert_hit(
            connection,
            watch_id,
            face.row,
            similarity=similarity,
            margin=None if negative is None else similarity - negative,
            review=review,
            scan_id=scan_id,
            now=now,
        )
        if number is not None and review is None:
            unreviewed.append(number)
    return unreviewed


def _review_in_other_galleries(
    connection: Connection, watch_id: int, face: CataloguedFace
) -> watch_rows.HitReview | None:
    rows = {match.row for match in faces_at_key(connection, face.place)} - {face.row}
    return watch_rows.review_of_faces(connection, watch_id, rows) if rows else None


def read_hits(database: Database, *, state: State | None = None, name: str | None = None) -> list[WatchHit]:
    """Hits, newest first; of one state or of one entry, if given. Raises ``UsageError`` for an unknown entry."""
    with database.read() as connection:
        if name is not None and not watch_rows.has_watch(connection, name):
            raise UsageError(
                f'"{display_name(name)}" is not on the watch list.', remedy="`catalog watch list` shows it."
            )
        return list_hits(connection, state=state, name=name)


def review_hit(connection: Connection, number: int, state: State, stamp: DecisionStamp) -> None:
    """Record the user's review. Raises ``UsageError`` for an unknown number."""
    if not watch_rows.set_hit_state(connection, number, state, who=stamp.who, now=stamp.now):
        raise UsageError(f"There is no hit {number}.", remedy="`catalog watch hits` lists them.")


def list_hits(
    connection: Connection, *, state: State | None = None, name: str | None = None, numbers: Sequence[int] | None = None
) -> list[WatchHit]:
    """Hits, newest first; of one state, of one entry, or of these numbers, if given."""
    rows = watch_rows.read_hits(connection, state=state, name=name, numbers=numbers)
    faces = catalogued_faces_by_row(connection, [row.face for row in rows])
    return [
        WatchHit(
            row.number,
            row.watch,
            faces[row.face],
            row.similarity,
            row.margin,
            row.state,
            row.found_at,
            row.reviewed_by,
            row.reviewed_at,
        )
        for row in rows
        if row.face in faces
    ]
