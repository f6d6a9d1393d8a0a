"""Named appearances: persons on a photo without a detected face, as files of other programs state them.

A person seen from behind, or a name in a list of keywords. They have no vector and are never clustered. An import
replaces the rows of the photos that it read, so that the files remain the source. It is a decision, and undo puts the
rows back. Rows refer to a person row; readers follow the redirect of a merged person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.sql.expression import Select

from catalog.domain.box_columns import BOX_COLUMNS, box_columns, box_of_row
from catalog.domain.decisions import PhotoAppearances, StatedAppearance
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.timestamps import utc_text
from catalog.store.tables import assignments, named_appearances, persons, photos
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class NamedAppearance:
    """A person on a photo, by row id. ``box`` is on the upright image, None if the file gives no position."""

    person: int
    box: BoundingBox | None
    source: str
    """File that states the name, as shown to the user."""


def replace_named_appearances(
    connection: Connection, by_photo: Mapping[str, Sequence[NamedAppearance]], now: datetime
) -> int:
    """Replace the named appearances of these photos, by content hash. Returns the number of rows added.

    Photos with an empty list lose their rows. Unknown content hashes are ignored.
    """
    named_at = utc_text(now) or ""
    return _replace(
        connection,
        {
            sha256: [(stated.person, stated.box, stated.source, named_at) for stated in appearances]
            for sha256, appearances in by_photo.items()
        },
    )


def _replace(connection: Connection, by_photo: Mapping[str, Sequence[tuple[int, BoundingBox | None, str, str]]]) -> int:
    """Replace the rows of photos: person row, box, source and time of each appearance."""
    photo_ids: dict[str, int] = {}
    for batch in batches(sorted(by_photo)):
        query = select(photos.c.sha256, photos.c.id).where(photos.c.sha256.in_(batch))
        photo_ids.update({row.sha256: row.id for row in connection.execute(query)})
    for id_batch in batches(sorted(photo_ids.values())):
        connection.execute(delete(named_appearances).where(named_appearances.c.photo_id.in_(id_batch)))
    rows = [
        {
            "photo_id": photo_id,
            "person_id": person,
            "source": source,
            "named_at": named_at,
            **(dict.fromkeys(BOX_COLUMNS) if box is None else box_columns(box)),
        }
        for sha256, photo_id in photo_ids.items()
        for person, box, source, named_at in by_photo[sha256]
    ]
    if rows:
        connection.execute(insert(named_appearances), rows)
    return len(rows)


def read_photo_appearances(connection: Connection, contents: Iterable[str]) -> list[PhotoAppearances]:
    """Return the named appearances of photos in the order of their content hashes, also of photos without any."""
    return [
        PhotoAppearances(sha256, tuple(stated for _, stated in rows))
        for sha256, rows in _stated(connection, contents).items()
    ]


def set_photo_appearances(connection: Connection, wanted: Sequence[PhotoAppearances]) -> None:
    """Give photos these appearances. Persons and photos that are not in the catalogue are left out."""
    person_ids = sorted({stated.person_id for photo in wanted for stated in photo.appearances})
    row_by_id: dict[str, int] = {}
    for batch in batches(person_ids):
        query = select(persons.c.person_id, persons.c.id).where(persons.c.person_id.in_(batch))
        row_by_id.update({row.person_id: row.id for row in connection.execute(query)})
    _replace(
        connection,
        {
            photo.sha256: [
                (row_by_id[stated.person_id], stated.box, stated.source, stated.named_at)
                for stated in photo.appearances
                if stated.person_id in row_by_id
            ]
            for photo in wanted
        },
    )


def photos_stating_otherwise(connection: Connection, by_photo: Mapping[str, Sequence[NamedAppearance]]) -> list[str]:
    """Content hashes of the photos whose rows differ from these appearances, the time aside."""
    return [
        sha256
        for sha256, rows in _stated(connection, by_photo).items()
        if [NamedAppearance(person, stated.box, stated.source) for person, stated in rows] != list(by_photo[sha256])
    ]


def _stated(connection: Connection, contents: Iterable[str]) -> dict[str, list[tuple[int, StatedAppearance]]]:
    """The appearances on catalogued photos, each with the row id of its person, in the order of the rows."""
    rows: dict[str, list[tuple[int, StatedAppearance]]] = {}
    for batch in batches(sorted(set(contents))):
        known = select(photos.c.sha256).where(photos.c.sha256.in_(batch)).order_by(photos.c.sha256)
        rows.update({sha256: [] for sha256 in connection.scalars(known)})
        query = (
            select(
                photos.c.sha256,
                persons.c.id,
                persons.c.person_id,
                named_appearances.c.source,
                named_appearances.c.named_at,
                *(named_appearances.c[name] for name in BOX_COLUMNS),
            )
            .join_from(named_appearances, photos, photos.c.id == named_appearances.c.photo_id)
            .join(persons, persons.c.id == named_appearances.c.person_id)
            .where(photos.c.sha256.in_(batch))
            .order_by(named_appearances.c.id)
        )
        for sha256, person, person_id, source, named_at, left, top, width, height in connection.execute(query):
            box = None if left is None else BoundingBox(left, top, width, height)
            rows[sha256].append((person, StatedAppearance(person_id, box, source, named_at)))
    return rows


def appearances_of(connection: Connection, person_row: int) -> list[FaceKey]:
    """The places at which files state a person, redirects followed; appearances without a position have none."""
    query = (
        select(photos.c.sha256, *(named_appearances.c[name] for name in BOX_COLUMNS))
        .join_from(named_appearances, photos, photos.c.id == named_appearances.c.photo_id)
        .join(persons, persons.c.id == named_appearances.c.person_id)
        .where(func.coalesce(persons.c.merged_into, persons.c.id) == person_row)
        .where(named_appearances.c.box_left.is_not(None))
        .order_by(named_appearances.c.id)
    )
    return [FaceKey(row.sha256, box_of_row(row._mapping)) for row in connection.execute(query)]


def visible_appearances(connection: Connection) -> Iterable[tuple[int, str | None, bool, int, BoundingBox | None]]:
    """Yield person row, name, hidden, photo row and box of all named appearances.

    Persons are canonical. Left out are persons with an assigned face on the same photo.
    """
    person = func.coalesce(persons.c.merged_into, persons.c.id)
    canonical = persons.alias("canonical")
    query = (
        select(
            canonical.c.id,
            canonical.c.name,
            canonical.c.hidden,
            named_appearances.c.photo_id,
            *(named_appearances.c[name] for name in BOX_COLUMNS),
        )
        .select_from(
            named_appearances.join(persons, persons.c.id == named_appearances.c.person_id).join(
                canonical, canonical.c.id == person
            )
        )
        .where(
            ~select(assignments.c.face_id)
            .where(assignments.c.photo_id == named_appearances.c.photo_id, assignments.c.person_id == canonical.c.id)
            .exists()
        )
        .order_by(named_appearances.c.id)
    )
    for row, name, hidden, photo, left, top, width, height in connection.execute(query):
        box = None if left is None else BoundingBox(left, top, width, height)
        yield row, name, bool(hidden), photo, box


def photos_naming(person_row: int) -> Select[tuple[int]]:
    """Return a query for the row ids of photos with a named appearance of a person, redirects followed."""
    return (
        select(named_appearances.c.photo_id)
        .join(persons, persons.c.id == named_appearances.c.person_id)
        .where(func.coalesce(persons.c.merged_into, persons.c.id) == person_row)
    )
