"""Albums: copies of photos, or links to them, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.app import reporting
from catalog.app.resources import Resources
from catalog.exchange.albums import AlbumResult, place_photos
from catalog.reports.gallery_filter import gallery_values
from catalog.store.named_faces import uris_showing_all
from catalog.store.people import find_person


def place(resources: Resources, uris: Sequence[str], folder: Path, *, link: bool) -> AlbumResult:
    return place_photos(uris, folder, link=link, read=resources.read_uri)


def uris_of_photos_with(resources: Resources, people: Sequence[str], *, only: bool = False) -> list[str]:
    """One location of each photo that shows all these people and is not missing, ordered by address.

    With ``only`` no other person is on the photo, by the faces of the gallery in use; hidden persons do not count.
    """
    with resources.reading() as database, database.read() as connection:
        values = gallery_values(connection, reporting.gallery(resources))
        gallery = values["engine"], values["gallery"]
        persons = [find_person(connection, wanted) for wanted in people]
        return uris_showing_all(connection, [person.id for person in persons], only_in=gallery if only else None)
