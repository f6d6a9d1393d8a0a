"""Photos that an exclusion rule takes out of the catalogue, and back again.

A location that a rule covers is missing, with the rule in ``left_out_by``. A photo without present location, of which a
location is left out, is left out itself: views and reports do not show it, and its faces do not count. For that,
``not_a_face`` of its faces is set, and ``left_out`` keeps the value before. Rows, names, decisions and the faces in the
gallery stay, so that a photo comes back without another charge. ``catalog prune`` removes left-out photos as it
removes missing ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select, update

from catalog.domain.timestamps import utc_text
from catalog.store.tables import faces, locations, photos
from catalog.store.upsert import batches

# Run once for each recorded photo, so the statements are built once.
_PHOTO_BACK = (
    update(photos).where(photos.c.id == bindparam("photo"), photos.c.left_out_by.is_not(None)).values(left_out_by=None)
)
_FACES_BACK = (
    update(faces)
    .where(faces.c.photo_id == bindparam("photo"), faces.c.left_out.is_not(None))
    .values(not_a_face=faces.c.left_out, left_out=None)
)


def leave_out(conn: Connection, location_ids: Sequence[int], rule: str, now: datetime) -> None:
    """Take locations out of the catalogue, and the photos that have no other present location."""
    for batch in batches(location_ids):
        conn.execute(
            update(locations)
            .where(locations.c.id.in_(batch), locations.c.missing_since.is_(None))
            .values(missing_since=utc_text(now), left_out_by=rule)
        )
        present = exists().where(locations.c.photo_id == photos.c.id, locations.c.missing_since.is_(None))
        shown = select(locations.c.photo_id).where(locations.c.id.in_(batch))
        query = select(photos.c.id).where(photos.c.id.in_(shown), ~present, photos.c.left_out_by.is_(None))
        photo_ids = list(conn.scalars(query))
        conn.execute(update(photos).where(photos.c.id.in_(photo_ids)).values(left_out_by=rule))
        conn.execute(
            update(faces)
            .where(faces.c.photo_id.in_(photo_ids), faces.c.left_out.is_(None))
            .values(left_out=faces.c.not_a_face, not_a_face=True)
        )


def bring_back(conn: Connection, photo_id: int) -> None:
    """Bring back a photo that has a present location again. Does nothing for a photo that is not left out."""
    if conn.execute(_PHOTO_BACK, {"photo": photo_id}).rowcount:
        conn.execute(_FACES_BACK, {"photo": photo_id})
