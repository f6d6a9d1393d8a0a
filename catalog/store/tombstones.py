"""Tombstones of forgotten faces. They also apply to restored backups and imported labels files.

A tombstone is a face key, without a name and without a vector. A decision ``forget`` keeps the public id of the person
and the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select, update

from catalog.domain.box_columns import BOX_COLUMNS, box_columns, box_of_row
from catalog.domain.decisions import (
    Decision,
    ExemplarsPayload,
    FacesPayload,
    NamePayload,
    Payload,
    PhotoAppearances,
    PhotosPayload,
    PriorFace,
    PriorState,
    ReclusterPayload,
    UndoPayload,
    Verb,
)
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.store import pending_removals
from catalog.store.decision_rows import (
    append_copy,
    decisions_on_photos,
    delete_decisions,
    forgotten_ids,
    read_decisions,
    replace_payload,
)
from catalog.store.tables import assignments, faces, persons, photos, tombstones
from catalog.store.upsert import batches

WHOLE_PHOTO = BoundingBox(0.0, 0.0, 1.0, 1.0)
"""Box of the tombstone of a reference photo: its references on the watch list and among employees are forgotten."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    key: FaceKey
    forgotten_at: str


class TombstoneIndex:
    """Face keys that were forgotten, by content hash."""

    def __init__(self, keys: Iterable[FaceKey]) -> None:
        self._by_content: dict[str, list[FaceKey]] = {}
        for key in keys:
            self._by_content.setdefault(key.sha256, []).append(key)

    def __len__(self) -> int:
        return len(self._by_content)

    @property
    def contents(self) -> list[str]:
        """Content hashes of the photos with a forgotten face, in ascending order."""
        return sorted(self._by_content)

    def contains(self, key: FaceKey) -> bool:
        return any(key.same(forgotten) for forgotten in self._by_content.get(key.sha256, ()))


def read_tombstones(connection: Connection) -> list[Tombstone]:
    """Return all tombstones, oldest first."""
    rows = connection.execute(select(tombstones).order_by(tombstones.c.id)).mappings()
    return [Tombstone(FaceKey(row["photo_sha256"], box_of_row(row)), row["forgotten_at"]) for row in rows]


def tombstone_index(connection: Connection) -> TombstoneIndex:
    return TombstoneIndex(tombstone.key for tombstone in read_tombstones(connection))


def has_tombstone(connection: Connection, sha256: str) -> bool:
    """Return True if a face on the photo with this content hash was forgotten."""
    query = select(tombstones.c.id).where(tombstones.c.photo_sha256 == sha256).limit(1)
    return connection.scalar(query) is not None


def add_tombstones(connection: Connection, added: Iterable[Tombstone]) -> int:
    """Add those tombstones that are not there yet. Returns how many were added."""
    existing_keys = {tombstone.key for tombstone in read_tombstones(connection)}
    rows = [
        {"photo_sha256": key.sha256, **box_columns(key.box), "forgotten_at": forgotten_at}
        for key, forgotten_at in {tombstone.key: tombstone.forgotten_at for tombstone in added}.items()
        if key not in existing_keys
    ]
    if rows:
        connection.execute(insert(tombstones), rows)
    return len(rows)


def copy_tombstones(connection: Connection, old: str, new: str) -> None:
    """Give the content ``new`` the tombstones of ``old``: an edited photo shows the same faces."""
    add_tombstones(
        connection,
        [
            Tombstone(FaceKey(new, tombstone.key.box), tombstone.forgotten_at)
            for tombstone in read_tombstones(connection)
            if tombstone.key.sha256 == old
        ],
    )


def read_forgotten(connection: Connection) -> tuple[list[Tombstone], list[Decision]]:
    """Return what outlives a restore: tombstones and the decisions ``forget``."""
    return read_tombstones(connection), read_decisions(connection, verbs=[Verb.FORGET])


def apply_tombstones(
    connection: Connection, added: Iterable[Tombstone], forgotten: Iterable[Decision], now: str
) -> int:
    """Add tombstones and decisions ``forget`` that are not there yet, and delete everything that they forbid.

    Faces at tombstones leave the rows of all galleries and become pending removals. Returns how many tombstones were
    new.
    """
    new_count = add_tombstones(connection, added)
    applied_keys = {_forget_key(decision) for decision in read_decisions(connection, verbs=[Verb.FORGET])}
    for decision in forgotten:
        if _forget_key(decision) not in applied_keys:
            append_copy(connection, decision)
    index = tombstone_index(connection)
    drop_faces(connection, faces_at_tombstones(connection, index), now)
    forgotten_persons = forgotten_ids(connection)
    rows = [
        row
        for batch in batches(sorted(forgotten_persons))
        for row in connection.scalars(select(persons.c.id).where(persons.c.person_id.in_(batch)))
    ]
    public_ids = erase_persons(connection, rows)
    if forgotten_persons or index:
        erase_decisions(connection, forgotten_persons | public_ids, index)
    return new_count


@dataclass(frozen=True, slots=True)
class PurgedFace:
    """A face row, as far as its removal needs it."""

    row: int
    engine: str
    gallery: str
    face_id: str


def faces_at_tombstones(
    connection: Connection, index: TombstoneIndex, *, engine: str | None = None, gallery: str | None = None
) -> list[PurgedFace]:
    """Return the faces that match a tombstone, of one gallery if ``engine`` and ``gallery`` are given."""
    stored: list[PurgedFace] = []
    query = select(
        faces.c.id,
        faces.c.engine,
        faces.c.gallery,
        faces.c.face_id,
        photos.c.sha256,
        *(faces.c[edge] for edge in BOX_COLUMNS),
    ).join_from(faces, photos)
    if engine is not None and gallery is not None:
        query = query.where(faces.c.engine == engine, faces.c.gallery == gallery)
    for batch in batches(index.contents):
        for row, of_engine, of_gallery, face_id, sha256, *box in connection.execute(
            query.where(photos.c.sha256.in_(batch))
        ):
            if index.contains(FaceKey(sha256, BoundingBox(*box))):
                stored.append(PurgedFace(row, of_engine, of_gallery, face_id))
    return stored


def drop_faces(connection: Connection, dropped: Sequence[PurgedFace], now: str) -> None:
    """Delete face rows with all that refers to them, and add their pending removals."""
    pending_removals.add(connection, [(face.engine, face.gallery, face.face_id) for face in dropped], now)
    for batch in batches([face.row for face in dropped]):
        connection.execute(delete(faces).where(faces.c.id.in_(batch)))


def erase_persons(connection: Connection, rows: Sequence[int]) -> set[str]:
    """Delete persons and all persons that redirect to them, in any number of steps. Returns the public ids of both."""
    public_ids: dict[int, str] = {}
    wanted = persons.c.id
    step = list(rows)
    while step:
        read = [
            (row.id, row.person_id)
            for batch in batches(step)
            for row in connection.execute(select(persons.c.id, persons.c.person_id).where(wanted.in_(batch)))
        ]
        step = [row for row, _ in read if row not in public_ids]
        public_ids |= dict(read)
        wanted = persons.c.merged_into
    for batch in batches(sorted(public_ids)):
        connection.execute(delete(assignments).where(assignments.c.person_id.in_(batch)))
        connection.execute(update(persons).where(persons.c.id.in_(batch)).values(merged_into=None))
    for batch in batches(sorted(public_ids)):
        connection.execute(delete(persons).where(persons.c.id.in_(batch)))
    return set(public_ids.values())


def erase_decisions(connection: Connection, public_ids: set[str], index: TombstoneIndex) -> int:
    """Delete the decisions on these persons and on forgotten faces. Returns how many.

    The prior states of other decisions lose both. The decisions ``forget`` stay.
    """
    forgotten = {
        decision.number
        for batch in batches(sorted(public_ids))
        for decision in read_decisions(connection, person_ids=batch)
        if decision.verb is not Verb.FORGET
    }
    forgotten |= {
        decision.number
        for decision in decisions_on_photos(connection, index.contents)
        if decision.face is not None and index.contains(decision.face)
    }
    delete_decisions(connection, forgotten)
    for decision in read_decisions(connection):
        if decision.payload is not None:
            cleaned = _without_forgotten(decision.payload, public_ids, index, forgotten)
            if cleaned != decision.payload:
                replace_payload(connection, decision.number, cleaned)
    return len(forgotten)


def _without_forgotten(payload: Payload, public_ids: set[str], index: TombstoneIndex, numbers: set[int]) -> Payload:
    """Return the payload without these persons, faces at tombstones and deleted decisions."""
    match payload:
        case ExemplarsPayload():
            return ExemplarsPayload(_remembered(payload.exemplars, index))
        case PhotosPayload():
            return payload
        case ReclusterPayload():
            return replace(payload, redirected=_remaining(payload.redirected, public_ids))
    cleaned: Payload = replace(payload, before=_prior_without(payload.before, public_ids, index))
    match cleaned:
        case NamePayload():
            return replace(cleaned, exemplars=_remembered(cleaned.exemplars, index))
        case FacesPayload():
            return replace(cleaned, faces=_remembered(cleaned.faces, index))
        case UndoPayload():
            targets = [number for number in cleaned.targets if number not in numbers]
            return replace(cleaned, of=targets[0] if targets else None, also=tuple(targets[1:]))
    return cleaned


def _prior_without(before: PriorState, public_ids: set[str], index: TombstoneIndex) -> PriorState:
    def unassigned(face: PriorFace) -> PriorFace:
        return replace(face, person_id=None, by=None) if face.person_id in public_ids else face

    return PriorState(
        persons=tuple(person for person in before.persons if person.person_id not in public_ids),
        faces=tuple(unassigned(face) for face in before.faces if not index.contains(face.key)),
        dates=before.dates,
        appearances=tuple(
            PhotoAppearances(
                photo.sha256,
                tuple(
                    stated
                    for stated in photo.appearances
                    if stated.person_id not in public_ids
                    and not (stated.box is not None and index.contains(FaceKey(photo.sha256, stated.box)))
                ),
            )
            for photo in before.appearances
        ),
    )


def _remembered(keys: Iterable[FaceKey], index: TombstoneIndex) -> tuple[FaceKey, ...]:
    return tuple(key for key in keys if not index.contains(key))


def _remaining(redirected: Mapping[str, str], public_ids: set[str]) -> dict[str, str]:
    return {old: new for old, new in redirected.items() if not {old, new} & public_ids}


def _forget_key(decision: Decision) -> tuple[object, ...]:
    return decision.decided_at, decision.decided_by, decision.person_id
