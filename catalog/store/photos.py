"""Photos and their locations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoRef
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display
from catalog.store.photo_dates import date_columns
from catalog.store.tables import enrollments, locations, photos
from catalog.store.upsert import batches, insert_into, repeated_batches


class Location(NamedTuple):
    """A location as last read: a listed photo and what the catalogue knows of it."""

    uri: str
    size: int
    modified_ns: int
    etag: str
    version: str | None
    photo_id: int
    sha256: str
    missing_since: str | None
    location_id: int

    @property
    def ref(self) -> PhotoRef:
        """The location as a listing would give it, unless it changed."""
        return PhotoRef._make(self[: len(PhotoRef._fields)])


LOCATIONS: Select[*tuple[Any, ...]] = select(
    locations.c.uri,
    locations.c.size,
    locations.c.modified_ns,
    locations.c.etag,
    locations.c.version,
    locations.c.photo_id,
    photos.c.sha256,
    locations.c.missing_since,
    locations.c.id,
).join_from(locations, photos)

# Statements that run for every photo are built once, because building one takes longer than running it.
_FIRST_COUNT = 8
_OTHERS = LOCATIONS.where(
    locations.c.photo_id == bindparam("photo"),
    locations.c.missing_since.is_(None),
    locations.c.uri != bindparam("uri"),
)
_FIRST_OTHERS = _OTHERS.limit(_FIRST_COUNT)
_FIND = select(photos.c.id).where(photos.c.sha256 == bindparam("sha256"))
_FIND_ENROLLED = (
    select(photos.c.id)
    .join(enrollments, enrollments.c.photo_id == photos.c.id)
    .where(
        photos.c.sha256 == bindparam("sha256"),
        enrollments.c.engine == bindparam("engine"),
        enrollments.c.gallery == bindparam("gallery"),
    )
)
_ENROLLED_CONTENTS = (
    select(photos.c.sha256)
    .join(enrollments, enrollments.c.photo_id == photos.c.id)
    .where(
        photos.c.sha256.in_(bindparam("contents", expanding=True)),
        enrollments.c.engine == bindparam("engine"),
        enrollments.c.gallery == bindparam("gallery"),
    )
)


def locations_by_uri(conn: Connection, uris: Sequence[str]) -> dict[str, Location]:
    """Return the recorded locations with these uris, by uri. Missing ones are included."""
    location_by_uri: dict[str, Location] = {}
    for batch in batches(uris):
        for row in conn.execute(LOCATIONS.where(locations.c.uri.in_(batch))):
            location_by_uri[row[0]] = Location._make(row)
    return location_by_uri


def count_locations_below(conn: Connection, source_uri: str) -> int:
    """Return the number of present locations of a source."""
    query = select(func.count()).where(below(source_uri), locations.c.missing_since.is_(None))
    return int(conn.scalar(query) or 0)


def locations_of_content(conn: Connection, sha256: str) -> list[Location]:
    """Return all locations of a content, missing ones included, in the order of their row ids."""
    rows = conn.execute(LOCATIONS.where(photos.c.sha256 == sha256).order_by(locations.c.id))
    return [Location._make(row) for row in rows]


def locations_of_photos(conn: Connection, photo_ids: Collection[int]) -> Iterator[Location]:
    """Yield all locations of photos, missing ones included, in the order of their row ids."""
    for batch in batches(sorted(photo_ids)):
        yield from map(Location._make, conn.execute(LOCATIONS.where(photos.c.id.in_(batch)).order_by(locations.c.id)))


def locations_below(
    conn: Connection, source_uri: str, *, missing: bool = False, batch_size: int = 5000
) -> Iterator[Location]:
    """Yield the locations of a source in ascending order of uris, compared as bytes.

    ``missing``: include missing locations. ``file:///a/b/`` covers everything below it and not ``file:///a/bc``;
    ``file:///a/b`` covers itself, too. Reads in batches, so that memory is bounded and the connection can be used
    between them.
    """
    query = LOCATIONS.where(below(source_uri)).order_by(locations.c.uri).limit(batch_size)
    if not missing:
        query = query.where(locations.c.missing_since.is_(None))
    last = None
    while True:
        rows = conn.execute(query if last is None else query.where(locations.c.uri > last)).all()
        yield from map(Location._make, rows)
        if len(rows) < batch_size:
            return
        last = rows[-1][0]


def below(source_uri: str) -> ColumnElement[bool]:
    """Return the condition that a location is in a source, as a range of the index on ``uri``."""
    folder = source_uri if source_uri.endswith("/") else source_uri + "/"
    # "0" is the character after "/", so that all names below the folder sort before it.
    inside = and_(locations.c.uri >= folder, locations.c.uri < folder[:-1] + "0")
    return inside if source_uri.endswith("/") else or_(locations.c.uri == source_uri, inside)


def other_locations(conn: Connection, photo_id: int, uri: str) -> Iterator[Location]:
    """Yield the other present locations of a photo. Reads a few first, because callers mostly need one."""
    keys = {"photo": photo_id, "uri": uri}
    rows = conn.execute(_FIRST_OTHERS, keys).all()
    yield from map(Location._make, rows)
    if len(rows) == _FIRST_COUNT:
        yield from map(Location._make, conn.execute(_OTHERS, keys))


def photos_at_other_locations(conn: Connection, photo_ids: Collection[int], location_ids: Collection[int]) -> set[int]:
    """Return those photos that have a location, not missing, other than these locations."""
    query = select(locations.c.photo_id, locations.c.id).where(locations.c.missing_since.is_(None))
    return {
        photo_id
        for batch in batches(sorted(photo_ids))
        for photo_id, location_id in conn.execute(query.where(locations.c.photo_id.in_(batch)))
        if location_id not in location_ids
    }


def newest_location(conn: Connection) -> int:
    """Return the highest row id of a location, 0 if there is none."""
    return conn.scalar(select(func.max(locations.c.id))) or 0


def find_photo(conn: Connection, sha256: str) -> int | None:
    """The row id of a content that is known."""
    return conn.scalar(_FIND, {"sha256": sha256})


def find_enrolled(conn: Connection, sha256: str, engine: str, gallery: str) -> int | None:
    """Return the row id of a content that is enrolled in the gallery, None if it is not."""
    return conn.scalar(_FIND_ENROLLED, {"sha256": sha256, "engine": engine, "gallery": gallery})


def enrolled_contents(conn: Connection, contents: Collection[str], engine: str, gallery: str) -> set[str]:
    """Return those contents that are enrolled in the gallery."""
    keys = {"engine": engine, "gallery": gallery}
    return {
        sha256
        for batch in repeated_batches(sorted(contents))
        for sha256 in conn.scalars(_ENROLLED_CONTENTS, {**keys, "contents": batch})
    }


def is_recorded_since(conn: Connection, photo_id: int, moment: datetime) -> bool:
    """Return True if the photo was recorded at this time or later."""
    query = select(photos.c.id).where(photos.c.id == photo_id, photos.c.recorded_at >= utc_text(moment))
    return conn.scalar(query) is not None


def is_enrolled(conn: Connection, photo_id: int, engine: str, gallery: str) -> bool:
    """Return True if the photo is enrolled in the gallery."""
    return photo_id in enrolled_photos(conn, [photo_id], engine, gallery)


def enrolled_photos(conn: Connection, photo_ids: Collection[int], engine: str, gallery: str) -> set[int]:
    """Return those photos that are enrolled in the gallery."""
    query = select(enrollments.c.photo_id).where(enrollments.c.engine == engine, enrollments.c.gallery == gallery)
    return {
        photo_id
        for batch in batches(list(photo_ids))
        for photo_id in conn.execute(query.where(enrollments.c.photo_id.in_(batch))).scalars()
    }


def record_photo(conn: Connection, sha256: str, size: int, photo: OpenedPhoto, now: datetime) -> int:
    """Record a photo if its content is new. Returns its row id."""
    new_id = conn.scalar(_insert_photo(conn.dialect.name), photo_row(sha256, size, photo, now))
    photo_id = new_id if new_id is not None else find_photo(conn, sha256)
    assert photo_id is not None
    return int(photo_id)


def photo_row(sha256: str, size: int, photo: OpenedPhoto, now: datetime) -> dict[str, object]:
    """The columns of a new photo."""
    gps = photo.metadata.gps
    return {
        "sha256": sha256,
        "size": size,
        "format": photo.format,
        "width": photo.width,
        "height": photo.height,
        "orientation": photo.orientation,
        **date_columns(
            photo.metadata.taken_at,
            photo.metadata.taken_at_offset,
            photo.metadata.taken_at_precision,
            photo.metadata.taken_at_source,
        ),
        "camera_make": photo.metadata.camera_make,
        "camera_model": photo.metadata.camera_model,
        "gps_latitude": gps.latitude if gps else None,
        "gps_longitude": gps.longitude if gps else None,
        "gps_altitude": gps.altitude if gps else None,
        "recorded_at": utc_text(now),
        "image_hash": photo.image_hash,
    }


@cache
def _insert_photo(dialect: str) -> Executable:
    return insert_into(dialect, photos).on_conflict_do_nothing(index_elements=["sha256"]).returning(photos.c.id)


def record_location(conn: Connection, photo_id: int, ref: PhotoRef, now: datetime) -> int:
    """Record that a location shows this photo now and is not missing. Returns its row id."""
    row_id: int = conn.execute(upsert_location(conn.dialect.name), location_row(photo_id, ref, now)).scalar_one()
    return row_id


def location_row(photo_id: int, ref: PhotoRef, now: datetime) -> dict[str, object]:
    """The columns of a location that shows this photo now."""
    return {
        "photo_id": photo_id,
        "uri": ref.uri,
        "size": ref.size,
        "modified_ns": ref.modified_ns,
        "etag": ref.etag,
        "version": ref.version,
        "first_seen": utc_text(now),
        "missing_since": None,
        "left_out_by": None,
        "path": display(ref.uri),
    }


@cache
def upsert_location(dialect: str) -> ReturningInsert[Any]:
    """The statement that records a location and returns its row id."""
    insert = insert_into(dialect, locations)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["uri"],
        set_={
            "photo_id": new.photo_id,
            "size": new.size,
            "modified_ns": new.modified_ns,
            "etag": new.etag,
            "version": new.version,
            "missing_since": None,
            "left_out_by": None,
            "first_seen": case((locations.c.photo_id == new.photo_id, locations.c.first_seen), else_=new.first_seen),
        },
    ).returning(locations.c.id)


def count_lost_photos(conn: Connection, location_ids: Sequence[int]) -> int:
    """Return how many photos of these missing locations have no present location."""
    other = locations.alias()
    is_present = exists().where(other.c.photo_id == locations.c.photo_id, other.c.missing_since.is_(None))
    lost: set[int] = set()
    for batch in batches(location_ids):
        lost.update(conn.scalars(select(locations.c.photo_id).where(locations.c.id.in_(batch), ~is_present)))
    return len(lost)


def mark_missing(conn: Connection, location_ids: Sequence[int], now: datetime) -> None:
    """Mark locations as missing. One that was missing already keeps its time."""
    for batch in batches(location_ids):
        conn.execute(
            update(locations)
            .where(locations.c.id.in_(batch), locations.c.missing_since.is_(None))
            .values(missing_since=utc_text(now))
        )
