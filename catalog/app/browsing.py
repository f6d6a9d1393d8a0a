"""Browse a catalogue: persons with covers, photos, albums, expressions, strangers, original files. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from catalog.app import finding
from catalog.app.browse_values import (
    Album,
    OriginalFile,
    PersonCard,
    PersonDetails,
    PhotoDetails,
    PhotoPage,
    Strangers,
)
from catalog.app.resources import Resources
from catalog.domain.errors import PhotoError, UsageError
from catalog.domain.uri import display_name, entry_name
from catalog.store import browse_people, browse_photos
from catalog.store.browse_people import Shown, StrangerSelection
from catalog.store.browse_photos import PhotoSelection
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row, faces_by_content
from catalog.store.decision_rows import last_decision_number
from catalog.store.face_order import FaceOrder, ordered_faces
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.person_summaries import read_summaries

PAGE = 60
"""Entries of a page unless a limit is given."""


class Browse:
    """Reads of the gallery in use for pages. Methods may be called from several threads.

    Counts per person are those of the last scan or review; :meth:`catalog.app.reviewing.Review.refresh` computes them.
    """

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, str, str]]:
        """A connection, and the engine's name and gallery."""
        resources = self._resources()
        with resources.reading() as database, database.read() as connection:
            yield connection, resources.settings.engine.name, resources.gallery

    def people(
        self, shown: Shown = "named", *, prefix: str = "", limit: int = PAGE, after: str | None = None
    ) -> tuple[PersonCard, ...]:
        """Named, unnamed or hidden persons with a face, most faces first. ``prefix``: start of a word of the name.

        ``after`` is the id of the last person of the previous page.
        """
        with self._reading() as (connection, engine, gallery):
            persons = browse_people.list_persons(connection, shown, limit, prefix=prefix, after=after)
            covers = browse_people.cover_faces(
                connection, [person.row for person in persons], engine=engine, gallery=gallery
            )
        return tuple(PersonCard(person, covers.get(person.row)) for person in persons)

    def person(self, person: str) -> PersonDetails:
        """One person by id or exact name. Raises PersonError."""
        with self._reading() as (connection, engine, gallery):
            row = find_person(connection, person)
            covers = browse_people.cover_faces(connection, [row.id], engine=engine, gallery=gallery)
            return PersonDetails(
                row.person_id,
                row.name,
                row.hidden,
                row.birth_date,
                read_summaries(connection, [row.id]).get(row.id),
                covers.get(row.id),
                browse_people.count_confirmed(connection, row.id, engine=engine, gallery=gallery),
                last_decision_number(connection),
            )

    def faces(
        self,
        person: str,
        order: FaceOrder = FaceOrder.OLDEST,
        *,
        unconfirmed: bool = False,
        limit: int = PAGE,
        offset: int = 0,
    ) -> tuple[CataloguedFace, ...]:
        """Faces of a person. ``unconfirmed`` leaves out faces that a user assigned. Raises PersonError."""
        with self._reading() as (connection, engine, gallery):
            row = find_person(connection, person)
            return tuple(
                ordered_faces(
                    connection,
                    row,
                    order,
                    limit,
                    engine=engine,
                    gallery=gallery,
                    unconfirmed=unconfirmed,
                    offset=offset,
                )
            )

    def photos(
        self,
        *,
        album: str | None = None,
        persons: Sequence[str] = (),
        only: bool = False,
        emotion: str | None = None,
        year: int | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> PhotoPage:
        """Photos with a present location, newest first. Of the files of one exposure the one that counts is listed.

        ``album`` is the uri of a folder or prefix; photos below it are included. ``persons`` (ids or exact names) are
        together on the photo. With ``only`` every other face on it belongs to a hidden person. ``emotion`` is
        the strongest expression of a face, of these persons if there are any. ``after`` is the content hash of the
        last photo of the previous page. Raises PersonError, and UsageError for ``only`` without a person.
        """
        if only and not persons:
            raise UsageError(
                'No person was named for the filter "only".', remedy="Name the persons who are on the photos."
            )
        with self._reading() as (connection, engine, gallery):
            rows = tuple(_rows(connection, persons))
            folder = None if album is None else album.rstrip("/") + "/"
            selection = PhotoSelection(folder, rows, only, emotion, year)
            photos = browse_photos.read_photos(
                connection, selection, limit, engine=engine, gallery=gallery, after=after
            )
            years = browse_photos.years_of_photos(connection)
            if selection == PhotoSelection():  # all photos, which were counted by year
                total = sum(count for _, count in years)
            else:
                total = browse_photos.count_photos(connection, selection, engine=engine, gallery=gallery)
        return PhotoPage(tuple(photos), total, tuple((year, count) for year, count in years if year is not None))

    def photo(self, sha256: str) -> PhotoDetails:
        """One photo with its faces. Raises PhotoError for a content hash that is not catalogued."""
        with self._reading() as (connection, engine, gallery):
            photo = browse_photos.read_photo(connection, sha256)
            if photo is None:
                raise PhotoError(f'No photo of the catalogue has the content hash "{display_name(sha256[:64])}".')
            faces = [
                face
                for face in faces_by_content(connection, [sha256]).get(sha256, ())
                if (face.engine, face.gallery) == (engine, gallery) and not face.not_a_face
            ]
            strangers = browse_people.count_strangers(connection, StrangerSelection(photo=sha256))
            seen = last_decision_number(connection)
            others = tuple(browse_photos.other_files(connection, sha256))
        return PhotoDetails(photo, tuple(sorted(faces, key=lambda face: face.box.left)), strangers, seen, others)

    def years(self) -> tuple[tuple[int, int], ...]:
        """Years with photos, newest first, each with the number of photos."""
        with self._reading() as (connection, _, _):
            years = browse_photos.years_of_photos(connection)
        return tuple((year, count) for year, count in years if year is not None)

    def albums(self, *, limit: int | None = None, after: str | None = None) -> tuple[Album, ...]:
        """Folders and prefixes with photos directly in them, in the order of their uris.

        ``after`` is the uri of the last album of the previous page.
        """
        with self._reading() as (connection, _, _):
            return tuple(browse_photos.read_albums(connection, limit=limit, after=after))

    def expressions(self, person: str | None = None) -> dict[str, int]:
        """Number of faces by strongest apparent expression, most first; of one person if given."""
        with self._reading() as (connection, engine, gallery):
            row = find_person(connection, person).id if person else None
            return browse_photos.expressions(connection, engine=engine, gallery=gallery, person=row)

    def faces_with_expression(
        self, emotion: str, person: str | None = None, *, limit: int = PAGE, offset: int = 0
    ) -> tuple[CataloguedFace, ...]:
        """Faces whose strongest apparent expression is ``emotion``, most certain first. Hidden persons are left out."""
        with self._reading() as (connection, engine, gallery):
            row = find_person(connection, person).id if person else None
            rows = browse_photos.rows_with_expression(
                connection, emotion, limit, engine=engine, gallery=gallery, person=row, offset=offset
            )
            faces = catalogued_faces_by_row(connection, rows)
        return tuple(faces[face_row] for face_row in rows if face_row in faces)

    def strangers(self, selection: StrangerSelection, *, sample: int = 24) -> Strangers:
        """Persons without a name that :meth:`catalog.app.reviewing.Review.hide_strangers` would hide."""
        with self._reading() as (connection, engine, gallery):
            count = browse_people.count_strangers(connection, selection)
            rows = browse_people.find_strangers(connection, selection, limit=sample)
            persons = browse_people.summaries_in_order(connection, rows)
            covers = browse_people.cover_faces(connection, rows, engine=engine, gallery=gallery)
            seen = last_decision_number(connection)
        return Strangers(count, tuple(PersonCard(person, covers.get(person.row)) for person in persons), seen)

    def original(self, sha256: str) -> OriginalFile:
        """The file of a photo as it is. Raises PhotoError if no location has this content any more, and SourceError."""
        details = self.photo(sha256)
        uri, data = finding.original(self._resources(), sha256)
        return OriginalFile(data, details.photo.format, display_name(entry_name(uri)))


def _rows(connection: Connection, persons: Sequence[str]) -> Iterator[int]:
    for person in persons:
        row: PersonRow = find_person(connection, person)
        yield row.id
