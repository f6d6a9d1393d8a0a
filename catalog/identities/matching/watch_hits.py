"""Hits: faces that resemble somebody on the watch list, each once, and what humans said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select, update

from catalog.domain.errors import UsageError
from catalog.domain.timestamps import required_time, utc_text
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, catalogued_faces_by_row, faces_at_key
from catalog.store.database import Database
from catalog.store.tables import faces, watch_hits, watches
from catalog.store.upsert import batches, insert_into

REVIEW = "A hit is a guess by a machine: a person must look at both photos before anything follows from it."

State = Literal["open", "confirmed", "dismissed"]


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A stored face that resembles somebody on the list. ``margin`` is None where no negative reference came near."""

    number: int
    watch: str
    face: CataloguedFace
    similarity: float
    margin: float | None
    state: State
    found_at: datetime
    reviewed_by: str | None


def record_new_hits(
    connection: Connection,
    watch_id: int,
    like: Mapping[str, float],
    unlike: Mapping[str, float],
    engine: str,
    gallery: str,
    scan_id: int | None,
    now: datetime,
) -> list[int]:
    """Write down the hits that are not known yet; returns their numbers."""
    known = catalogued_faces_by_id(connection, list(like), engine=engine, gallery=gallery)
    told = set(connection.scalars(select(watch_hits.c.face_id).where(watch_hits.c.watch_id == watch_id)))
    fresh = []
    for face_id, similarity in sorted(like.items(), key=lambda pair: -pair[1]):
        face, other = known.get(face_id), unlike.get(face_id)
        if face is None or face.row in told or (other is not None and other >= similarity):
            continue
        seen = _reviewed_elsewhere(connection, watch_id, face)
        row = {
            "watch_id": watch_id,
            "face_id": face.row,
            "similarity": similarity,
            "margin": None if other is None else similarity - other,
            "state": "open",
            "found_at": utc_text(now),
            "scan_id": scan_id,
            **(seen or {}),
        }
        added = connection.execute(
            insert_into(connection, watch_hits).on_conflict_do_nothing().returning(watch_hits.c.id), row
        ).scalar()
        if added is not None and seen is None:
            fresh.append(int(added))
    return fresh


def _reviewed_elsewhere(connection: Connection, watch_id: int, face: CataloguedFace) -> dict[str, object] | None:
    """What a human said of this hit when another gallery had the face: it is no new hit."""
    others = {each.row for each in faces_at_key(connection, face.place)} - {face.row}
    query = select(watch_hits.c.state, watch_hits.c.reviewed_at, watch_hits.c.reviewed_by).where(
        watch_hits.c.watch_id == watch_id, watch_hits.c.face_id.in_(others), watch_hits.c.state != "open"
    )
    found = connection.execute(query.limit(1)).mappings().first() if others else None
    return None if found is None else dict(found)


def read_hits(database: Database, *, state: State | None = None, name: str | None = None) -> list[WatchHit]:
    """Hits, newest first; of one state, of one watch, if asked so."""
    with database.read() as connection:
        return list_hits(connection, state=state, name=name)


def review_hit(connection: Connection, number: int, state: State, stamp: DecisionStamp) -> None:
    """Say what a human saw. Raises ``UsageError`` for a number that is no hit's."""
    reviewed = {"state": state, "reviewed_at": utc_text(stamp.now), "reviewed_by": stamp.who}
    if connection.execute(update(watch_hits).where(watch_hits.c.id == number).values(**reviewed)).rowcount == 0:
        raise UsageError(f"There is no hit {number}.", remedy="`catalog watch hits` lists them.")


def list_hits(
    connection: Connection, *, state: State | None = None, name: str | None = None, numbers: Sequence[int] | None = None
) -> list[WatchHit]:
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
    asked = [query]
    if numbers is not None:
        asked = [query.where(watch_hits.c.id.in_(some)) for some in batches(sorted(numbers, reverse=True))]
    rows = [row for each in asked for row in connection.execute(each)]
    shown = catalogued_faces_by_row(connection, [row.face_id for row in rows])
    return [
        WatchHit(
            row.id,
            row.name,
            shown[row.face_id],
            row.similarity,
            row.margin,
            row.state,
            required_time(row.found_at),
            row.reviewed_by,
        )
        for row in rows
        if row.face_id in shown
    ]
