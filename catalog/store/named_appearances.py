"""Named appearances: persons on a photo without a detected face, as files of other programs state them.

A person seen from behind, or a name in a list of keywords. They have no vector and are never clustered. An import
replaces the rows of the photos that it read, so that the files remain the source. Rows refer to a person row; readers
follow the redirect of a merged person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.sql.expression import Select

from catalog.domain.box_columns import BOX_COLUMNS, box_columns
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
    photo_ids: dict[str, int] = {}
    for batch in batches(sorted(by_photo)):
        query = select(photos.c.sha256, photos.c.id).where(photos.c.sha256.in_(batch))
        photo_ids.update({row.sha256: row.id for row in connection.execute(query)})
    for id_batch in batches(sorted(photo_ids.values())):
        connection.execute(delete(named_appearances).where(named_appearances.c.photo_id.in_(id_batch)))
    rows = [
        {
            "photo_id": photo_id,
            "person_id": appearance.person,
            "source": appearance.source,
            "named_at": utc_text(now),
            **(dict.fromkeys(BOX_COLUMNS) if appearance.box is None else box_columns(appearance.box)),
        }
        for sha256, photo_id in photo_ids.items()
        for appearance in by_photo[sha256]
    ]
    if rows:
        connection.execute(insert(named_appearances), rows)
    return len(rows)


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
