"""Photos for browsing: pages of photos by album, persons, expression and date, one photo, and the albums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, func, literal, literal_column, or_, select

from catalog.domain.local_day import LocalSpan
from catalog.domain.uri import display
from catalog.store.catalogued_faces import in_gallery
from catalog.store.damaged_rows import stored_time
from catalog.store.named_appearances import photos_naming
from catalog.store.photo_dates import stored_span
from catalog.store.tables import assignments, faces, locations, persons, photos, stacked_photos
from catalog.store.tables.photo_tables import FOLDER_OF_LOCATION


@dataclass(frozen=True, slots=True)
class CataloguedPhoto:
    """A photo for display. ``path`` is a present location as a user reads it, else a missing one.

    ``width`` and ``height`` are pixels of the upright image. ``missing_since`` is None for a photo with a location.
    """

    sha256: str
    width: int
    height: int
    format: str
    taken_at: datetime | None
    path: str
    missing_since: datetime | None
    taken: LocalSpan | None = None
    """The local date, as exact as it is known."""


@dataclass(frozen=True, slots=True)
class PhotoSelection:
    """Limits of a page of photos. All given limits apply together. Files of one exposure are one photo.

    ``album``: uri of a folder or prefix with a closing slash; photos below it are included. ``persons``: row ids of
    persons who are all on the photo. ``only``: no other person is on the photo, hidden persons aside. ``emotion``:
    strongest expression of a face, of one of the persons if there are any. ``year``: of the time the photo was taken.
    """

    album: str | None = None
    persons: tuple[int, ...] = ()
    only: bool = False
    emotion: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """A folder or prefix with photos directly in it. ``cover`` is the content hash of one of them."""

    uri: str
    path: str
    photos: int
    cover: str


def read_photos(
    connection: Connection,
    selection: PhotoSelection,
    limit: int,
    *,
    engine: str,
    gallery: str,
    after: str | None = None,
) -> list[CataloguedPhoto]:
    """Photos with a present location, newest first, those without a date last. ``after``: content hash of the last."""
    conditions = [*_conditions(selection, engine, gallery), _is_present()]
    last = None
    if after is not None:
        last = connection.execute(
            select(photos.c.id, photos.c.taken_local).where(photos.c.sha256 == after)
        ).one_or_none()
    # Two orders by the index of dates: a condition that puts undated photos last would sort all photos.
    rows: list[int] = []
    if last is None or last.taken_local is not None:
        dated = select(photos.c.id).where(*conditions, photos.c.taken_local.is_not(None))
        if last is not None:
            same_time = and_(photos.c.taken_local == last.taken_local, photos.c.id < last.id)
            dated = dated.where(photos.c.taken_local <= last.taken_local)
            dated = dated.where(or_(photos.c.taken_local < last.taken_local, same_time))
        rows += connection.scalars(dated.order_by(photos.c.taken_local.desc(), photos.c.id.desc()).limit(limit))
    if len(rows) < limit:
        undated = select(photos.c.id).where(*conditions, photos.c.taken_local.is_(None))
        if last is not None and last.taken_local is None:
            undated = undated.where(photos.c.id < last.id)
        rows += connection.scalars(undated.order_by(photos.c.id.desc()).limit(limit - len(rows)))
    read = {row.id: row for row in connection.execute(_photo_query().where(photos.c.id.in_(rows)))}
    return [_photo(read[row]) for row in rows if row in read]


def count_photos(connection: Connection, selection: PhotoSelection, *, engine: str, gallery: str) -> int:
    """Number of the photos that :func:`read_photos` lists in all."""
    conditions = _conditions(selection, engine, gallery)
    return int(connection.scalar(select(func.count()).select_from(photos).where(*conditions, _is_present())) or 0)


def read_photo(connection: Connection, sha256: str) -> CataloguedPhoto | None:
    """One photo, also without a present location; None for an unknown content hash."""
    row = connection.execute(_photo_query().where(photos.c.sha256 == sha256)).one_or_none()
    return None if row is None else _photo(row)


def years_of_photos(connection: Connection) -> list[tuple[int | None, int]]:
    """Years with photos, newest first, each with the number of photos; None, last, for the photos without a date."""
    year = func.substr(photos.c.taken_local, 1, 4).label("year")
    query = select(year, func.count()).select_from(photos).where(_is_present(), _counts(None)).group_by(year)
    counts = {None if year is None else int(year): count for year, count in connection.execute(query)}
    return sorted(counts.items(), key=lambda entry: -(entry[0] or 0))


def read_albums(connection: Connection, *, limit: int | None = None, after: str | None = None) -> list[Album]:
    """Folders and prefixes with present photos, in the order of their uris. Files of one exposure are one photo.

    ``after`` is the last uri of a page.
    """
    folder = literal_column(FOLDER_OF_LOCATION, Text)
    shot = func.coalesce(stacked_photos.c.counted_id, locations.c.photo_id)
    rows = (
        select(
            folder.label("album"),
            func.count(func.distinct(shot)).label("photos"),
            func.min(locations.c.photo_id).label("cover"),
        )
        .outerjoin_from(locations, stacked_photos, stacked_photos.c.photo_id == locations.c.photo_id)
        .where(locations.c.missing_since.is_(None))
    )
    if after is not None:
        rows = rows.where(folder > after)
    page = rows.group_by(folder).order_by(folder).limit(limit).subquery()
    query = select(page.c.album, page.c.photos, photos.c.sha256).join(photos, photos.c.id == page.c.cover)
    return [
        Album(row.album, display(row.album), row.photos, row.sha256)
        for row in connection.execute(query.order_by(page.c.album))
    ]


def expressions(connection: Connection, *, engine: str, gallery: str, person: int | None = None) -> dict[str, int]:
    """Number of faces by strongest expression, most faces first; of one person if its row id is given.

    Of an exposure the photo that counts is used.
    """
    query = (
        select(faces.c.emotion, func.count())
        .select_from(
            faces.outerjoin(assignments, assignments.c.face_id == faces.c.id).outerjoin(
                persons, persons.c.id == assignments.c.person_id
            )
        )
        .where(*in_gallery(engine, gallery), faces.c.emotion.is_not(None), _is_visible(), ~_is_stacked())
        .group_by(faces.c.emotion)
        .order_by(func.count().desc(), faces.c.emotion)
    )
    if person is not None:
        query = query.where(assignments.c.person_id == person)
    return {row[0]: row[1] for row in connection.execute(query)}


def rows_with_expression(
    connection: Connection,
    emotion: str,
    limit: int,
    *,
    engine: str,
    gallery: str,
    person: int | None = None,
    offset: int = 0,
) -> list[int]:
    """Row ids of the faces that :func:`expressions` counts for an expression, most certain first."""
    query = (
        select(faces.c.id)
        .select_from(
            faces.outerjoin(assignments, assignments.c.face_id == faces.c.id).outerjoin(
                persons, persons.c.id == assignments.c.person_id
            )
        )
        .where(*in_gallery(engine, gallery), faces.c.emotion == emotion, _is_visible(), ~_is_stacked())
        .order_by(func.coalesce(faces.c.emotion_confidence, 0.0).desc(), faces.c.id)
        .limit(limit)
        .offset(offset)
    )
    if person is not None:
        query = query.where(assignments.c.person_id == person)
    return list(connection.scalars(query))


def is_alone_with(person_rows: Sequence[int], engine: str, gallery: str) -> ColumnElement[bool]:
    """Condition on ``photos``: every face is one of these persons or a hidden person; row ids of persons."""
    has_other_person = (
        select(faces.c.id)
        .select_from(
            faces.outerjoin(assignments, assignments.c.face_id == faces.c.id).outerjoin(
                persons, persons.c.id == assignments.c.person_id
            )
        )
        .where(faces.c.photo_id == photos.c.id, *in_gallery(engine, gallery))
        .where(or_(assignments.c.person_id.is_(None), assignments.c.person_id.not_in(list(person_rows))))
        .where(_is_visible())
    )
    return ~has_other_person.exists()


def _conditions(selection: PhotoSelection, engine: str, gallery: str) -> list[ColumnElement[bool]]:
    conditions = [_counts(selection.album)]
    if selection.album is not None:
        conditions.append(photos.c.id.in_(_photos_below(selection.album)))
    for person in selection.persons:
        shown = (
            select(assignments.c.photo_id)
            .join(faces, faces.c.id == assignments.c.face_id)
            .where(assignments.c.person_id == person, assignments.c.photo_id.is_not(None))
            .where(*in_gallery(engine, gallery))
        )
        # A person on another file of the exposure is on the photo that counts.
        stacked = select(stacked_photos.c.counted_id).where(stacked_photos.c.photo_id.in_(shown))
        conditions.append(photos.c.id.in_(shown) | photos.c.id.in_(stacked) | photos.c.id.in_(photos_naming(person)))
    if selection.only:
        conditions.append(is_alone_with(selection.persons, engine, gallery))
    if selection.year is not None:
        conditions.append(photos.c.taken_local >= f"{selection.year:04d}")
        conditions.append(photos.c.taken_local < f"{selection.year + 1:04d}")
    if selection.emotion is not None:
        having = select(faces.c.photo_id).where(*in_gallery(engine, gallery), faces.c.emotion == selection.emotion)
        if selection.persons:
            having = having.join(assignments, assignments.c.face_id == faces.c.id).where(
                assignments.c.person_id.in_(selection.persons)
            )
        conditions.append(photos.c.id.in_(having))
    return conditions


def _photos_below(album: str) -> Select[tuple[int]]:
    end = album[:-1] + "0"  # "0" is the character after "/"
    return select(locations.c.photo_id).where(
        locations.c.uri >= album, locations.c.uri < end, locations.c.missing_since.is_(None)
    )


def _counts(album: str | None) -> ColumnElement[bool]:
    """Condition on ``photos``: no other photo of the same exposure, in the album if there is one, counts for it."""
    counted = select(stacked_photos.c.photo_id).where(stacked_photos.c.photo_id == photos.c.id)
    if album is not None:
        counted = counted.where(stacked_photos.c.counted_id.in_(_photos_below(album)))
    return ~counted.exists()


def _is_stacked() -> ColumnElement[bool]:
    """Condition on ``faces``: another photo counts for the exposure."""
    return select(stacked_photos.c.photo_id).where(stacked_photos.c.photo_id == faces.c.photo_id).exists()


def other_files(connection: Connection, sha256: str) -> list[CataloguedPhoto]:
    """The other photos of the same exposure, the one that counts first."""
    chosen = select(photos.c.id).where(photos.c.sha256 == sha256).scalar_subquery()
    counted = select(stacked_photos.c.counted_id).where(stacked_photos.c.photo_id == chosen).scalar_subquery()
    leader = func.coalesce(counted, chosen)
    members = select(stacked_photos.c.photo_id).where(stacked_photos.c.counted_id == leader)
    query = _photo_query().where(or_(photos.c.id == leader, photos.c.id.in_(members)), photos.c.sha256 != sha256)
    return [_photo(row) for row in connection.execute(query.order_by(photos.c.id != leader, photos.c.id))]


def _is_visible() -> ColumnElement[bool]:
    """Condition on an outer join with ``persons``: the person, if there is one, is not hidden."""
    return or_(persons.c.hidden.is_(None), persons.c.hidden.is_(False))


def _is_present() -> ColumnElement[bool]:
    present = select(locations.c.id).where(locations.c.photo_id == photos.c.id, locations.c.missing_since.is_(None))
    return and_(present.exists(), photos.c.left_out_by.is_(None))


@cache
def _photo_query() -> Select[Any]:
    present = (
        select(func.min(locations.c.uri))
        .where(locations.c.photo_id == photos.c.id, locations.c.missing_since.is_(None))
        .scalar_subquery()
    )
    missing = select(func.min(locations.c.uri)).where(locations.c.photo_id == photos.c.id).scalar_subquery()
    last_missed = select(func.max(locations.c.missing_since)).where(locations.c.photo_id == photos.c.id)
    return select(
        photos.c.id,
        photos.c.sha256,
        photos.c.width,
        photos.c.height,
        photos.c.format,
        photos.c.taken_at,
        photos.c.taken_at_precision,
        photos.c.taken_local,
        photos.c.taken_local_end,
        func.coalesce(present, missing).label("uri"),
        func.coalesce(present, literal("")).label("present"),
        last_missed.scalar_subquery().label("missed"),
    )


def _photo(row: Any) -> CataloguedPhoto:
    label = f"Photo {row.sha256[:12]}"
    return CataloguedPhoto(
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        format=row.format,
        taken_at=stored_time(row.taken_at, label, "taken_at"),
        path=display(row.uri or ""),
        missing_since=None if row.present else stored_time(row.missed, label, "missing_since"),
        taken=stored_span(row.taken_local, row.taken_local_end, row.taken_at_precision),
    )
