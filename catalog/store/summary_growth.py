"""Counts of persons after merges and their undo, from earlier counts: a large person's faces are not read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from catalog.store.catalogued_faces import clearness, in_gallery
from catalog.store.face_order import FaceOrder
from catalog.store.many_faces import many_faces
from catalog.store.person_summaries import face_is_clear, person_state, refresh_summaries
from catalog.store.tables import assignments, faces, person_summaries, persons, photos, stacked_photos
from catalog.store.upsert import batches, insert_into


@dataclass(frozen=True, slots=True)
class _CountedFace:
    """A face with what it adds to the counts of its person, or subtracts from them."""

    row: int
    person: int
    clearness: float
    is_clear: bool
    first_taken: str | None
    last_taken: str | None


def grow_summaries(
    connection: Connection,
    canonical: Mapping[int, int],
    gained_faces: Collection[int],
    lost_faces: Mapping[int, int] | None = None,
    *,
    engine: str,
    gallery: str,
) -> set[int]:
    """Update the counts of persons that others were merged into, or that gained faces. Returns their row ids.

    ``canonical`` has the row ids of persons whose counts were exact, and of the persons that they are now.
    ``gained_faces`` are row ids of all other faces that any of them gained. ``lost_faces`` are those that have no
    person any more, each with the row id of the person that had it. A person is left alone if it does not have exactly
    these faces. All persons are left alone if there is another gallery, or if photos of one exposure count once. Dates
    of photos are those of the earlier counts.
    """
    targets = sorted(set(canonical.values()))
    if not targets or _has_other_gallery(connection, engine, gallery) or _has_stacks(connection, targets):
        return set()
    earlier = _earlier(connection, sorted({*canonical, *targets}), engine, gallery)
    counts = _counts(connection, targets)
    members: dict[int, list[Any]] = {target: [] for target in targets}
    for row, summary in earlier.items():
        members[canonical.get(row, row)].append(summary)
    covers = [summary.cover_id for summaries in members.values() for summary in summaries]
    candidates = _faces(connection, {*gained_faces, *(cover for cover in covers if cover is not None)}, engine, gallery)
    lost = _lost(connection, lost_faces or {}, canonical)
    values = []
    for target, summaries in members.items():
        own_covers = {summary.cover_id for summary in summaries}
        own_gained = [face for face in candidates.values() if face.person == target and face.row in gained_faces]
        count, shots = counts.get(target, (0, 0))
        own_lost = [face for face in lost if face.person == target]
        is_exact = count == sum(summary.faces for summary in summaries) + len(own_gained) - len(own_lost)
        lost_covers = own_covers & {face.row for face in own_lost}
        own_covers -= lost_covers
        has_covers = all(cover in candidates and candidates[cover].person == target for cover in own_covers)
        if count and is_exact and has_covers:
            grown_values = _grown(target, summaries, own_gained, own_covers, candidates, shots)
            grown_values["faces"] -= len(own_lost)
            grown_values["clear_faces"] -= sum(face.is_clear for face in own_lost)
            if any(
                face.first_taken == grown_values["first_taken"] or face.last_taken == grown_values["last_taken"]
                for face in own_lost
            ):
                grown_values["first_taken"], grown_values["last_taken"] = _taken(connection, target)
            if lost_covers:
                grown_values["cover_id"] = _clearest_face(connection, target, engine, gallery)
            values.append(grown_values)
    grown = {int(row["person_id"]) for row in values}
    replaced = sorted({row for row, target in canonical.items() if target in grown} | grown)
    states = _states(connection, sorted(grown))
    for batch in batches(replaced):
        connection.execute(delete(person_summaries).where(person_summaries.c.person_id.in_(batch)))
    common = {"engine": engine, "gallery": gallery}
    for values_batch in batches(values):
        rows = [{**row, **common, "state": states[row["person_id"]]} for row in values_batch]
        connection.execute(insert_into(connection, person_summaries), rows)
    return set(replaced)


def part_summaries(connection: Connection, rows: Collection[int], *, engine: str, gallery: str) -> set[int]:
    """Update the counts after the undo of merges. Returns the row ids of the persons that are done.

    ``rows`` are the row ids of all persons concerned, whose counts were exact. Those without counts are counted; what
    they have is subtracted from the only person that lost faces. It is left alone if it did not lose exactly these.
    Nothing is done if there is another gallery, or if photos of one exposure count once.
    """
    wanted = sorted(set(rows))
    if _has_other_gallery(connection, engine, gallery) or _has_stacks(connection, wanted):
        return set()
    earlier = _earlier(connection, wanted, engine, gallery)
    counts = _counts(connection, wanted)
    changed = [row for row, summary in earlier.items() if counts.get(row, (0, 0))[0] != summary.faces]
    if len(changed) != 1:
        return set()
    (person,) = changed
    parted = [row for row in counts if row not in earlier]
    refresh_summaries(connection, engine=engine, gallery=gallery, rows=parted)
    parts = list(_earlier(connection, parted, engine, gallery).values())
    count, shots = counts.get(person, (0, 0))
    before = earlier[person]
    if count == 0 or count != before.faces - sum(part.faces for part in parts):
        return set(parted)
    values = {
        "faces": count,
        "photos": shots,
        "clear_faces": before.clear_faces - sum(part.clear_faces for part in parts),
        "cover_id": before.cover_id,
        "state": _states(connection, [person])[person],
    }
    if before.first_taken in {part.first_taken for part in parts} or before.last_taken in {
        part.last_taken for part in parts
    }:
        values["first_taken"], values["last_taken"] = _taken(connection, person)
    cover = _faces(connection, [before.cover_id] if before.cover_id is not None else [], engine, gallery)
    if [face.person for face in cover.values()] != [person]:
        values["cover_id"] = _clearest_face(connection, person, engine, gallery)
    connection.execute(update(person_summaries).where(person_summaries.c.person_id == person).values(values))
    return {*parted, person}


def _clearest_face(connection: Connection, person: int, engine: str, gallery: str) -> int | None:
    """The row id of the clearest face of a person; of a person with very many faces the clearest of a sample."""
    many = many_faces(connection, person, engine=engine, gallery=gallery)
    if many is not None:
        return next(iter(many.take(FaceOrder.CLEAREST, 1, ())), None)
    query = (
        select(faces.c.id)
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
        .where(assignments.c.person_id == person, *in_gallery(engine, gallery))
        .order_by(clearness(connection).desc(), faces.c.id)
    )
    return connection.scalar(query.limit(1))


def _taken(connection: Connection, person: int) -> tuple[str | None, str | None]:
    """The first and the last local time of the photos of a person."""
    query = (
        select(func.min(photos.c.taken_local), func.max(photos.c.taken_local_end))
        .select_from(assignments.join(photos, photos.c.id == assignments.c.photo_id))
        .where(assignments.c.person_id == person)
    )
    first, last = connection.execute(query).one()
    return first, last


def _grown(
    person: int,
    summaries: Sequence[Any],
    gained: Sequence[_CountedFace],
    covers: Collection[int],
    candidates: Mapping[int, _CountedFace],
    shots: int,
) -> dict[str, Any]:
    """The new row of a person: the sum of the earlier rows and the gained faces."""
    covering = [*gained, *(candidates[cover] for cover in covers)]
    best = max(covering, key=lambda face: (face.clearness, -face.row), default=None)
    parts = [*summaries, *gained]
    return {
        "person_id": person,
        "faces": sum(summary.faces for summary in summaries) + len(gained),
        "photos": shots,
        "clear_faces": sum(summary.clear_faces for summary in summaries) + sum(face.is_clear for face in gained),
        "first_taken": min((part.first_taken for part in parts if part.first_taken is not None), default=None),
        "last_taken": max((part.last_taken for part in parts if part.last_taken is not None), default=None),
        "cover_id": None if best is None else best.row,
    }


def _has_other_gallery(connection: Connection, engine: str, gallery: str) -> bool:
    """True if a face is in another gallery: the index of galleries is asked about all before and all after this one."""
    other = [
        select(faces.c.id).where(condition).exists()
        for condition in (
            faces.c.engine < engine,
            faces.c.engine > engine,
            (faces.c.engine == engine) & (faces.c.gallery < gallery),
            (faces.c.engine == engine) & (faces.c.gallery > gallery),
        )
    ]
    return bool(connection.scalar(select(or_(*other))))


def _has_stacks(connection: Connection, person_rows: Sequence[int]) -> bool:
    """True if a photo of these persons does not count, because another photo of the exposure does."""
    stacked = select(assignments.c.face_id).join(stacked_photos, stacked_photos.c.photo_id == assignments.c.photo_id)
    return any(
        connection.scalar(stacked.where(assignments.c.person_id.in_(batch)).limit(1)) is not None
        for batch in batches(person_rows)
    )


def _earlier(connection: Connection, person_rows: Sequence[int], engine: str, gallery: str) -> dict[int, Any]:
    query = select(person_summaries).where(person_summaries.c.engine == engine, person_summaries.c.gallery == gallery)
    return {
        row.person_id: row
        for batch in batches(person_rows)
        for row in connection.execute(query.where(person_summaries.c.person_id.in_(batch)))
    }


def _counts(connection: Connection, person_rows: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Faces and photos of persons. Only an index is read. A face marked as no face has no photo in it."""
    query = select(assignments.c.person_id, func.count(), func.count(func.distinct(assignments.c.photo_id))).where(
        assignments.c.photo_id.is_not(None)
    )
    return {
        person: (count, photos_count)
        for batch in batches(person_rows)
        for person, count, photos_count in connection.execute(
            query.where(assignments.c.person_id.in_(batch)).group_by(assignments.c.person_id)
        )
    }


def _faces(connection: Connection, rows: Collection[int], engine: str, gallery: str) -> dict[int, _CountedFace]:
    query = (
        select(
            faces.c.id,
            assignments.c.person_id,
            clearness(connection),
            face_is_clear(),
            photos.c.taken_local,
            photos.c.taken_local_end,
        )
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
        .where(*in_gallery(engine, gallery))
    )
    return {
        row: _CountedFace(row, person, clear, bool(is_clear), first, last)
        for batch in batches(sorted(rows))
        for row, person, clear, is_clear, first, last in connection.execute(query.where(faces.c.id.in_(batch)))
    }


def _lost(
    connection: Connection, persons_by_face: Mapping[int, int], canonical: Mapping[int, int]
) -> list[_CountedFace]:
    """The lost faces, each with the person that would have it now. Only faces without a person are lost."""
    query = (
        select(faces.c.id, clearness(connection), face_is_clear(), photos.c.taken_local, photos.c.taken_local_end)
        .select_from(faces.join(photos).outerjoin(assignments, assignments.c.face_id == faces.c.id))
        .where(assignments.c.face_id.is_(None))
    )
    return [
        _CountedFace(row, canonical.get(persons_by_face[row], -1), clear, bool(is_clear), first, last)
        for batch in batches(sorted(persons_by_face))
        for row, clear, is_clear, first, last in connection.execute(query.where(faces.c.id.in_(batch)))
    ]


def _states(connection: Connection, person_rows: Sequence[int]) -> dict[int, str]:
    return {
        row: state
        for batch in batches(person_rows)
        for row, state in connection.execute(select(persons.c.id, person_state()).where(persons.c.id.in_(batch)))
    }
