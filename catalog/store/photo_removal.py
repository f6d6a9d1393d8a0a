"""Photos that leave the catalogue, and the faces that their galleries must then let go of.

Rows go in one transaction, gallery faces in another, later one: in between, and after a kill in between, the table
``removals`` remembers what is still owed. ``catalog scan`` pays such debts before anything else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, or_, select

from catalog.domain.faces import BoundingBox
from catalog.store.tables import assignments, decisions, faces, locations, photos, removals, tombstones, utc_text
from catalog.store.upsert import batches, insert_into

SAME_FACE = 0.5
"""Boxes that overlap by this much (intersection over union) in the old and the new content show the same face."""

_BOX = ("box_left", "box_top", "box_width", "box_height")


@dataclass(frozen=True, slots=True)
class CarriedDecisions:
    """What went over from a photo to its successor: row ids of faces and of copied decisions."""

    assigned: tuple[int, ...]
    no_faces: tuple[int, ...]
    decisions: tuple[int, ...]


def carry_decisions_over(conn: Connection, photo_id: int, successor: int) -> CarriedDecisions | None:
    """The content of a place was edited: what held for a photo holds for its successor, which must be new.

    Human decisions and assignments whose boxes overlap a face of the successor are carried over to it; so are
    tombstones. The old photo keeps its own: other places may show it.
    """
    old = _content(conn, photo_id)
    new = _content(conn, successor)
    if old is None or new is None or photo_id == successor:
        return None
    assigned, no_faces = _carry_assignments(conn, photo_id, successor)
    said = _carry_decisions(conn, old, new, _faces_of(conn, successor))
    _carry_tombstones(conn, old, new)
    return CarriedDecisions(tuple(assigned), tuple(no_faces), tuple(said))


def revert_carried(conn: Connection, carried: CarriedDecisions) -> None:
    """Undo :func:`carry_decisions_over`: the successor turned out to be another photo, not an edit.

    Tombstones stay: rather is one face too many left out than one brought back that was forgotten.
    """
    conn.execute(delete(assignments).where(assignments.c.face_id.in_(carried.assigned)))
    conn.execute(faces.update().where(faces.c.id.in_(carried.no_faces)).values(not_a_face=False))
    conn.execute(delete(decisions).where(decisions.c.id.in_(carried.decisions), decisions.c.undone_by.is_(None)))


def appeared_elsewhere(conn: Connection, photo_id: int, since: datetime) -> bool:
    """Whether a photo came to a place after some moment, and is still there: it was moved or copied, not edited."""
    return bool(
        conn.scalar(
            select(
                exists().where(
                    locations.c.photo_id == photo_id,
                    locations.c.missing_since.is_(None),
                    locations.c.first_seen >= utc_text(since),
                )
            )
        )
    )


def release_photos(
    conn: Connection, photo_ids: Sequence[int], *, engine: str, gallery: str, now: datetime
) -> list[str]:
    """Take out those among these photos that no place shows any more.

    Returns the ids of the faces that this gallery must let go of; other galleries' are remembered.
    """
    released = []
    for some in batches(sorted(set(photo_ids))):
        # Locked before their places are asked for, so that no other scan gives them one in between.
        held = conn.scalars(select(photos.c.id).where(photos.c.id.in_(some)).order_by(photos.c.id).with_for_update())
        here = set(held)
        shown = select(locations.c.photo_id).where(locations.c.photo_id.in_(here), locations.c.missing_since.is_(None))
        here -= set(conn.scalars(shown))
        released += _remove(conn, sorted(here), engine, gallery, str(utc_text(now)))
    return released


def remove_photos(conn: Connection, photo_ids: Sequence[int], *, engine: str, gallery: str, now: datetime) -> list[str]:
    """Take photos out with all that was seen in them; decisions and charges stay. Returns as :func:`release_photos`."""
    return [
        face_id for some in batches(photo_ids) for face_id in _remove(conn, some, engine, gallery, str(utc_text(now)))
    ]


def missing_since(conn: Connection, before: datetime, limit: int = 500) -> list[int]:
    """Row ids of places that were missed before a moment, the oldest first."""
    query = select(locations.c.id).where(locations.c.missing_since < utc_text(before))
    return list(conn.scalars(query.order_by(locations.c.missing_since, locations.c.id).limit(limit)))


def count_missing(conn: Connection, before: datetime) -> tuple[int, int]:
    """How many places were missed before a moment, and how many photos would be left without any place."""
    old = locations.c.missing_since < utc_text(before)
    place_count = conn.scalar(select(func.count()).select_from(locations).where(old)) or 0
    other = locations.alias()
    stays = exists().where(
        other.c.photo_id == locations.c.photo_id,
        or_(other.c.missing_since.is_(None), other.c.missing_since >= utc_text(before)),
    )
    photo_count = conn.scalar(select(func.count(locations.c.photo_id.distinct())).where(old, ~stays)) or 0
    return int(place_count), int(photo_count)


def remove_places(conn: Connection, location_ids: Sequence[int]) -> list[int]:
    """Take places out; returns the row ids of the photos that have none left."""
    shown = set(conn.scalars(select(locations.c.photo_id).where(locations.c.id.in_(location_ids))))
    conn.execute(delete(locations).where(locations.c.id.in_(location_ids)))
    kept = set(conn.scalars(select(locations.c.photo_id).where(locations.c.photo_id.in_(shown))))
    return sorted(shown - kept)


def photos_without_location(conn: Connection, limit: int = 500) -> list[int]:
    """Photos without any place: two workers changed the last two places of one at the same instant."""
    shown = exists().where(locations.c.photo_id == photos.c.id)
    return list(conn.scalars(select(photos.c.id).where(~shown).order_by(photos.c.id).limit(limit)))


def pending_removals(conn: Connection, engine: str, gallery: str, limit: int = 1000) -> list[str]:
    """Face ids that this gallery must still let go of."""
    query = select(removals.c.face_id).where(removals.c.engine == engine, removals.c.gallery == gallery)
    return list(conn.scalars(query.order_by(removals.c.face_id).limit(limit)))


def clear_pending_removals(conn: Connection, face_ids: Sequence[str], engine: str, gallery: str) -> None:
    """Note that the gallery has let go of these faces."""
    for some in batches(face_ids):
        conn.execute(
            delete(removals).where(
                removals.c.engine == engine, removals.c.gallery == gallery, removals.c.face_id.in_(some)
            )
        )


def _remove(conn: Connection, photo_ids: Sequence[int], engine: str, gallery: str, at: str) -> list[str]:
    gone = conn.execute(
        select(faces.c.face_id, faces.c.engine, faces.c.gallery).where(faces.c.photo_id.in_(photo_ids))
    ).all()
    if gone:
        conn.execute(
            insert_into(conn.dialect.name, removals).on_conflict_do_nothing(),
            [{"face_id": row[0], "engine": row[1], "gallery": row[2], "wanted_at": at} for row in gone],
        )
    conn.execute(delete(photos).where(photos.c.id.in_(photo_ids)))
    return [row[0] for row in gone if (row[1], row[2]) == (engine, gallery)]


def _content(conn: Connection, photo_id: int) -> str | None:
    return conn.scalar(select(photos.c.sha256).where(photos.c.id == photo_id))


def _faces_of(conn: Connection, photo_id: int) -> list[RowMapping]:
    query = select(
        faces.c.id, faces.c.engine, faces.c.gallery, faces.c.not_a_face, *(faces.c[edge] for edge in _BOX)
    ).where(faces.c.photo_id == photo_id)
    return list(conn.execute(query.order_by(faces.c.id)).mappings())


def _carry_assignments(conn: Connection, photo_id: int, successor: int) -> tuple[list[int], list[int]]:
    """What a human said of a face, and for the rest the person it was given, holds for the face in its place.

    Returns the faces that got a person, and those that were said to be none.
    """
    assigned: list[int] = []
    no_faces: list[int] = []
    fresh = _faces_of(conn, successor)
    given = set(
        conn.scalars(select(assignments.c.face_id).where(assignments.c.face_id.in_([row["id"] for row in fresh])))
    )
    for face in _faces_of(conn, photo_id):
        candidates = [
            row
            for row in fresh
            if (row["engine"], row["gallery"]) == (face["engine"], face["gallery"]) and row["id"] not in given
        ]
        heir = _at(candidates, _box(face))
        if heir is None:
            continue
        before = conn.execute(select(assignments).where(assignments.c.face_id == face["id"])).mappings().first()
        if before is not None:
            conn.execute(insert(assignments), {**before, "face_id": heir["id"]})
            given.add(heir["id"])
            assigned.append(heir["id"])
        if face["not_a_face"]:
            conn.execute(faces.update().where(faces.c.id == heir["id"]).values(not_a_face=True))
            no_faces.append(heir["id"])
    return assigned, no_faces


def _carry_decisions(conn: Connection, old: str, new: str, fresh: Sequence[RowMapping]) -> list[int]:
    """Append a copy of each decision on faces of the old content for those in their places; the old ones stay.

    Returns the copies, which come in the order of what they repeat. Each tells in its details what was decided on: an
    undo takes all of them back as one.
    """
    on_one = decisions.c.photo_sha256 == old
    on_several = decisions.c.verb.in_(("split", "merge")) & decisions.c.details.contains(old)
    query = select(decisions).where(on_one | on_several, decisions.c.undone_by.is_(None), decisions.c.verb != "undo")
    copies: list[int] = []
    for decision in conn.execute(query.order_by(decisions.c.id)).mappings().all():
        if decision["photo_sha256"] is None:
            copies += _repeat_for_several(conn, decision, old, new, fresh)
        elif decision["box_left"] is not None and (heir := _at(fresh, _box(decision))) is not None:
            key = {"photo_sha256": new, **{edge: heir[edge] for edge in _BOX}}
            copies.append(_copy(conn, {**decision, **key, "details": _carried_details(decision, old, new, fresh)}))
    return copies


def _repeat_for_several(
    conn: Connection, decision: RowMapping, old: str, new: str, fresh: Sequence[RowMapping]
) -> list[int]:
    """The copy of a split, or of a merge of two who are on one photo, for the faces of one content."""
    details = json.loads(decision["details"])
    there = [BoundingBox(*box) for content, *box in details.get("faces", ()) if content == old]
    heirs = [heir for box in there if (heir := _at(fresh, box)) is not None]
    if not heirs:
        return []
    details["faces"] = [[new, *(heir[edge] for edge in _BOX)] for heir in heirs]
    details.setdefault("carried_from", [old])
    details.setdefault("copy_of", decision["id"])
    before = details.get("before", {})
    before["faces"] = [each for each in before.get("faces", ()) if each["place"][0] == old]
    _follow(before["faces"], old, new, fresh)
    return [_copy(conn, {**decision, "details": json.dumps(details, separators=(",", ":"))})]


def _copy(conn: Connection, row: dict[str, Any]) -> int:
    """Append a decision once more; its number."""
    fresh = {name: value for name, value in row.items() if name != "id"}
    return int(conn.execute(insert(decisions).returning(decisions.c.id), fresh).scalar_one())


def _carried_details(decision: RowMapping, old: str, new: str, fresh: Sequence[RowMapping]) -> str:
    """What to put back when the copy is undone lies at the faces of the new content."""
    details: dict[str, Any] = json.loads(decision["details"]) if decision["details"] else {}
    details.setdefault("carried_from", [old, *(decision[edge] for edge in _BOX)])
    details.setdefault("copy_of", decision["id"])
    _follow(details.get("before", {}).get("faces", ()), old, new, fresh)
    return json.dumps(details, separators=(",", ":"))


def _follow(saved_faces: Sequence[dict[str, Any]], old: str, new: str, fresh: Sequence[RowMapping]) -> None:
    """Let rows saved for an undo lie at the faces of the new content."""
    for saved in saved_faces:
        content, *box = saved["place"]
        heir = _at(fresh, BoundingBox(*box)) if content == old else None
        if heir is not None:
            saved["place"] = [new, *(heir[edge] for edge in _BOX)]


def _carry_tombstones(conn: Connection, old: str, new: str) -> None:
    stones = conn.execute(select(tombstones).where(tombstones.c.photo_sha256 == old)).mappings().all()
    if stones:
        rows = [{**stone, "photo_sha256": new} for stone in stones]
        for row in rows:
            del row["id"]
        conn.execute(insert(tombstones), rows)


def _box(row: RowMapping) -> BoundingBox:
    return BoundingBox(*(row[edge] for edge in _BOX))


def _at(candidates: Sequence[RowMapping], box: BoundingBox) -> RowMapping | None:
    """The face that covers a box best, if any covers it well."""
    best = max(candidates, key=lambda row: _box(row).iou(box), default=None)
    return best if best is not None and _box(best).iou(box) >= SAME_FACE else None
