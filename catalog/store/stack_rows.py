"""Rows of stacks: what forming them needs, the photos that do not count, and photos that were not sent for it.

``stacked_photos`` has a row for each photo of a stack but the one that counts. It follows from photos, locations, faces
and decisions, and may be deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, or_, select, update

from catalog.domain.decisions import Verb
from catalog.domain.faces import BoundingBox
from catalog.domain.stack_evidence import StackedPhoto, StackEvidence
from catalog.store.catalogue_owner import catalogue_owner
from catalog.store.gallery_info import IN_STACK
from catalog.store.tables import (
    BOX_COLUMNS,
    assignments,
    catalogue,
    decisions,
    enrollments,
    faces,
    locations,
    photos,
    stacked_photos,
)
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """A face of a photo for comparing two photos. ``person`` is a row.photo, None for an unassigned face."""

    gallery: tuple[str, str]
    box: BoundingBox
    person: int | None


class StackMember(NamedTuple):
    """A photo as stacks are formed of it. ``taken_at`` is the stored text.

    ``uris`` are its present locations, or its missing ones if ``is_missing``.

    A named tuple, because forming stacks creates one for every photo.
    """

    photo: int
    sha256: str
    size: int
    format: str
    width: int
    height: int
    image_hash: str | None
    taken_at: str | None
    taken_at_offset: int | None
    taken_at_source: str | None
    taken_at_precision: str | None
    camera_make: str | None
    uris: tuple[str, ...] = ()
    is_missing: bool = False


_MEMBER = (
    photos.c.id.label("photo"),
    photos.c.sha256,
    photos.c.size,
    photos.c.format,
    photos.c.width,
    photos.c.height,
    photos.c.image_hash,
    photos.c.taken_at,
    photos.c.taken_at_offset,
    photos.c.taken_at_source,
    photos.c.taken_at_precision,
    photos.c.camera_make,
)
_ENROLLED_BESIDE = (
    select(locations.c.uri, *_MEMBER)
    .join_from(locations, photos)
    .join(enrollments, enrollments.c.photo_id == photos.c.id)
    .where(
        locations.c.uri >= bindparam("first"),
        locations.c.uri < bindparam("end"),
        locations.c.missing_since.is_(None),
        enrollments.c.engine == bindparam("engine"),
        enrollments.c.gallery == bindparam("gallery"),
        enrollments.c.model != IN_STACK,
    )
)


def read_members(conn: Connection) -> list[StackMember]:
    """Return every photo that is not left out, in the order of row ids. Missing photos count until they are pruned."""
    present: dict[int, list[str]] = defaultdict(list)
    missing: dict[int, list[str]] = defaultdict(list)
    query = select(locations.c.photo_id, locations.c.uri, locations.c.missing_since)
    for photo, uri, missing_since in _driver_rows(conn, query):
        (missing if missing_since else present)[photo].append(uri)
    shown = select(*_MEMBER).where(photos.c.left_out_by.is_(None)).order_by(photos.c.id)
    return [
        StackMember._make((*row, tuple(sorted(present.get(row[0]) or missing[row[0]])), row[0] not in present))
        for row in _driver_rows(conn, shown)
    ]


def _driver_rows(conn: Connection, query: Select[Any]) -> list[tuple[Any, ...]]:
    """The driver's own tuples, which are read in a third of the time."""
    return list(conn.execute(query).cursor.fetchall())


def enrolled_beside(conn: Connection, first: str, end: str, engine: str, gallery: str) -> Iterator[StackMember]:
    """Yield the photos at present locations from ``first`` up to ``end`` that were sent to the engine."""
    keys = {"first": first, "end": end, "engine": engine, "gallery": gallery}
    for row in conn.execute(_ENROLLED_BESIDE, keys):
        yield StackMember._make((*row[1:], (row.uri,), False))


def faces_of_photos(conn: Connection, photo_ids: Collection[int]) -> dict[int, list[PhotoFace]]:
    """Return the faces of photos in all galleries, without those that users marked as not a face."""
    faces_by_photo: dict[int, list[PhotoFace]] = defaultdict(list)
    query = select(
        faces.c.photo_id,
        faces.c.engine,
        faces.c.gallery,
        assignments.c.person_id,
        *(faces.c[name] for name in BOX_COLUMNS),
    ).outerjoin(assignments, assignments.c.face_id == faces.c.id)
    for batch in batches(sorted(photo_ids)):
        rows = conn.execute(query.where(faces.c.photo_id.in_(batch), faces.c.not_a_face.is_(False)))
        for row in rows:
            photo, engine, gallery, person = row[:4]
            faces_by_photo[photo].append(PhotoFace((engine, gallery), BoundingBox(*row[4:]), person))
    return faces_by_photo


def read_stacked(conn: Connection) -> list[StackedPhoto]:
    """Return the photos that do not count, in the order of the photos that count for them."""
    query = select(stacked_photos).order_by(stacked_photos.c.counted_id, stacked_photos.c.photo_id)
    return [StackedPhoto(photo, counted, StackEvidence(evidence)) for photo, counted, evidence in conn.execute(query)]


def replace_stacked(conn: Connection, wanted: Iterable[StackedPhoto]) -> None:
    """Let exactly these photos not count. Writes the differences only."""
    current, new = set(read_stacked(conn)), set(wanted)
    for batch in batches(sorted(row.photo for row in current - new)):
        conn.execute(delete(stacked_photos).where(stacked_photos.c.photo_id.in_(batch)))
    for rows in batches(sorted(new - current, key=lambda row: row.photo)):
        conn.execute(
            insert(stacked_photos),
            [{"photo_id": row.photo, "counted_id": row.counted, "evidence": row.evidence.value} for row in rows],
        )


def photos_not_sent(conn: Connection, *, engine: str | None = None, gallery: str | None = None) -> frozenset[int]:
    """Return the photos that were not sent to a paid engine, because another photo of their stack was."""
    query = select(enrollments.c.photo_id).where(enrollments.c.model == IN_STACK)
    if engine is not None:
        query = query.where(enrollments.c.engine == engine, enrollments.c.gallery == gallery)
    return frozenset(conn.scalars(query))


def queue_for_enrollment(conn: Connection, photo_ids: Sequence[int] | None = None) -> int:
    """Let the next scan enroll photos that were not sent because of their stack: some, or all. Returns their number."""
    query = delete(enrollments).where(enrollments.c.model == IN_STACK)
    if photo_ids is None:
        return conn.execute(query).rowcount
    return sum(
        conn.execute(query.where(enrollments.c.photo_id.in_(batch))).rowcount for batch in batches(sorted(photo_ids))
    )


def counts_now(conn: Connection) -> str:
    """Return a text that changes whenever photos, locations or decisions about stacks do."""
    missing = select(func.count()).select_from(locations).where(locations.c.missing_since.is_not(None))
    verbs = (Verb.PART.value, Verb.JOIN.value)
    decided = (decisions.c.verb.in_(verbs), decisions.c.undone_by.is_(None))
    numbers = (
        conn.scalar(select(func.max(photos.c.id))),
        conn.scalar(select(func.count()).select_from(photos)),
        conn.scalar(select(func.max(locations.c.id))),
        conn.scalar(missing),
        conn.scalar(select(func.count()).select_from(decisions).where(*decided)),
        conn.scalar(select(func.max(decisions.c.id)).where(*decided)),
    )
    return " ".join(str(number or 0) for number in numbers)


def read_stack_state(conn: Connection) -> str | None:
    """Return the text that :func:`write_stack_state` stored; None before the first time."""
    return conn.scalar(select(catalogue.c.stack_state))


def write_stack_state(conn: Connection, state: str) -> None:
    catalogue_owner(conn)  # adds the row
    conn.execute(update(catalogue).values(stack_state=state))


def forget_stack_state(conn: Connection) -> None:
    """Let stacks be formed again: what they follow from has changed in another way than by photos and locations."""
    conn.execute(update(catalogue).values(stack_state=None))


@dataclass(frozen=True, slots=True)
class StackRow:
    """A photo of a stack. ``counted`` is the row id of the photo that counts; ``evidence`` is None for that one."""

    counted: int
    sha256: str
    evidence: StackEvidence | None
    width: int
    height: int
    uris: tuple[str, ...]


def read_stack_rows(conn: Connection) -> list[StackRow]:
    """Return the photos of all stacks, stack by stack, the photo that counts first."""
    counted_id = func.coalesce(stacked_photos.c.counted_id, photos.c.id)
    has_others = select(stacked_photos.c.counted_id)
    query = (
        select(
            counted_id.label("counted"),
            photos.c.id,
            photos.c.sha256,
            stacked_photos.c.evidence,
            photos.c.width,
            photos.c.height,
        )
        .outerjoin(stacked_photos, stacked_photos.c.photo_id == photos.c.id)
        .where(or_(stacked_photos.c.photo_id.is_not(None), photos.c.id.in_(has_others)))
        .order_by(counted_id, stacked_photos.c.evidence.is_not(None), photos.c.id)
    )
    rows = conn.execute(query).all()
    uris: dict[int, list[str]] = defaultdict(list)
    for batch in batches([row.id for row in rows]):
        present = locations.c.photo_id.in_(batch) & locations.c.missing_since.is_(None)
        for photo, uri in conn.execute(select(locations.c.photo_id, locations.c.uri).where(present)):
            uris[photo].append(uri)
    return [
        StackRow(
            row.counted,
            row.sha256,
            None if row.evidence is None else StackEvidence(row.evidence),
            row.width,
            row.height,
            tuple(sorted(uris[row.id])),
        )
        for row in rows
    ]


def photos_by_hash(conn: Connection, beginning: str) -> list[str]:
    """Return the content hashes, two at most, of photos in stacks whose hash begins so."""
    # "g" is the character after the last hexadecimal digit.
    return _stacked_hashes(conn, photos.c.sha256 >= beginning, photos.c.sha256 < beginning + "g")


def photos_by_uri(conn: Connection, uri: str) -> list[str]:
    """Return the content hash of the photo at a location, if it is in a stack."""
    return _stacked_hashes(conn, photos.c.id.in_(select(locations.c.photo_id).where(locations.c.uri == uri)))


def _stacked_hashes(conn: Connection, *conditions: ColumnElement[bool]) -> list[str]:
    members = select(stacked_photos.c.photo_id).union_all(select(stacked_photos.c.counted_id))
    query = select(photos.c.sha256).where(*conditions, photos.c.id.in_(members)).order_by(photos.c.sha256).limit(2)
    return list(conn.scalars(query))
