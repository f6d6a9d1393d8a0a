"""Questions about persons and faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from catalog.app.lazy_module import LazyModule
from catalog.domain.errors import UsageError
from catalog.domain.people import Person
from catalog.store import people as store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from catalog.app.resources import Resources
    from catalog.reports import gallery_filter
    from catalog.store import catalogued_faces
    from catalog.store.catalogued_faces import CataloguedFace
    from catalog.store.person_index import PersonRow
else:
    gallery_filter = LazyModule("catalog.reports.gallery_filter")
    catalogued_faces = LazyModule("catalog.store.catalogued_faces")

T = TypeVar("T")


def list_people(
    resources: Resources, *, named: bool | None, hidden: bool, limit: int | None, after: str | None
) -> tuple[Person, ...]:
    with resources.reading() as database, database.read() as connection:
        persons = store.list_people(connection, _one_gallery(resources, connection), hidden=hidden, named=named)
    return _page(persons, [person.person_id for person in persons], limit, after)


def person(resources: Resources, id_or_name: str) -> Person:
    with resources.reading() as database, database.read() as connection:
        row = store.find_person(connection, id_or_name)
        appearances = _faces_of_person(resources, connection, row)
    return Person(
        row.person_id,
        row.name,
        row.hidden,
        faces=len(appearances),
        photos=len({face.sha256 for face in appearances}),
        birth_date=row.birth_date,
    )


def namesakes(resources: Resources, name: str) -> tuple[str, ...]:
    with resources.reading() as database, database.read() as connection:
        return tuple(store.namesakes(connection, name))


def faces(resources: Resources, person: str, *, limit: int | None, after: str | None) -> tuple[CataloguedFace, ...]:
    with resources.reading() as database, database.read() as connection:
        row = store.find_person(connection, person)
        appearances = _faces_of_person(resources, connection, row, limit if after is None else None)
    return _page(appearances, [face.face_id for face in appearances], limit, after)


def face(resources: Resources, face_id: str) -> CataloguedFace:
    chosen = resources.settings.engine
    with resources.reading() as database, database.read() as connection:
        return catalogued_faces.find_face(connection, face_id, engine=chosen.name, gallery=chosen.gallery)


def _faces_of_person(
    resources: Resources, connection: Connection, row: PersonRow, limit: int | None = None
) -> list[CataloguedFace]:
    return catalogued_faces.faces_of_person(connection, row, limit, _one_gallery(resources, connection))


def _one_gallery(resources: Resources, connection: Connection) -> tuple[str, str] | None:
    """Engine and gallery whose faces count, as in reports. None if all faces are of one gallery."""
    wanted = gallery_filter.Gallery(resources.settings.engine.name, resources.gallery)
    values = gallery_filter.gallery_values(connection, wanted)
    return (values["engine"], values["gallery"]) if values["several"] else None


def _page(values: Sequence[T], ids: Sequence[str], limit: int | None, after: str | None) -> tuple[T, ...]:
    """At most ``limit`` values behind the one with the id ``after``. Raises UsageError for an unknown id."""
    start = 0
    if after is not None:
        if after not in ids:
            raise UsageError(f'No entry of the list has the id "{after}".', remedy="Start again at the first page.")
        start = ids.index(after) + 1
    return tuple(values[start : None if limit is None else start + limit])
