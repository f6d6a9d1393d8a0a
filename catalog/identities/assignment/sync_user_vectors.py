"""Persons taught to an engine: whose confirmed faces become its users, and which faces its answers mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import select

from catalog.domain.charges import Charge
from catalog.domain.people import AssignedBy
from catalog.domain.user_vectors import UserChanges, UserMatch, UserVectors
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.tables import assignments, faces, persons


def sync_user_vectors(
    database: Database,
    users: UserVectors,
    *,
    engine: str,
    gallery: str,
    least: int,
    most: int,
    pay: Callable[[Charge], None],
) -> UserChanges:
    """Make users of the persons with at least ``least`` faces that a human confirmed, of ``most`` faces each.

    A person who has fewer by now, was merged away or forgotten is no user any more.
    """
    return users.match(confirmed_faces(database, engine=engine, gallery=gallery, least=least, most=most), pay)


def confirmed_faces(database: Database, *, engine: str, gallery: str, least: int, most: int) -> dict[str, list[str]]:
    """Face ids that a human confirmed, by person id; the largest, which show most, first."""
    query = (
        select(persons.c.person_id, faces.c.face_id)
        .join(assignments, assignments.c.person_id == persons.c.id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .where(
            assignments.c.by == AssignedBy.HUMAN.value,
            faces.c.engine == engine,
            faces.c.gallery == gallery,
            faces.c.not_a_face.is_(False),
        )
        .order_by(persons.c.person_id, (faces.c.box_width * faces.c.box_height).desc(), faces.c.id)
    )
    found: dict[str, list[str]] = defaultdict(list)
    with database.read() as connection:
        for person_id, face_id in connection.execute(query):
            found[person_id].append(face_id)
    return {person_id: ids[:most] for person_id, ids in found.items() if len(ids) >= least}


def faces_of_users(
    database: Database, matches: Sequence[UserMatch], *, engine: str, gallery: str
) -> Iterator[tuple[str, float]]:
    """The faces of the persons whose users matched, each with its user's similarity; once, with the greatest.

    A person who was merged away since the users were taught is whom the id leads to; one who was forgotten is nobody.
    """
    if not matches:
        return
    alike: dict[PersonRow, float] = {}
    with database.read() as connection:
        people = PersonIndex.of(all_persons(connection))
        for match in matches:
            person = people.canonical(match.person_id)
            if person is not None:
                alike[person] = max(match.similarity, alike.get(person, 0.0))
        for person, similarity in alike.items():
            for face in faces_of_person(connection, person):
                if (face.engine, face.gallery) == (engine, gallery):
                    yield face.face_id, similarity
