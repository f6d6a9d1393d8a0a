"""Keep the engine's user vectors equal to the persons with confirmed faces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from catalog.domain.charges import Charge
from catalog.domain.user_vectors import UserChanges, UserMatch, UserVectors
from catalog.store.assignments import confirmed_face_ids
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, PersonRow, all_persons


def sync_user_vectors(
    database: Database,
    users: UserVectors,
    *,
    engine: str,
    gallery: str,
    min_faces: int,
    max_faces: int,
    on_charge: Callable[[Charge], None],
) -> UserChanges:
    """Give each person with at least ``min_faces`` confirmed faces a user vector of at most ``max_faces``.

    The user vectors of all other persons are deleted.
    """
    persons = confirmed_faces(database, engine=engine, gallery=gallery, min_faces=min_faces, max_faces=max_faces)
    return users.match(persons, on_charge)


def confirmed_faces(
    database: Database, *, engine: str, gallery: str, min_faces: int, max_faces: int
) -> dict[str, list[str]]:
    """Face ids that a user assigned, by person id, the largest first: large faces show most."""
    face_ids: dict[str, list[str]] = defaultdict(list)
    with database.read() as connection:
        for person_id, face_id in confirmed_face_ids(connection, engine=engine, gallery=gallery):
            face_ids[person_id].append(face_id)
    return {person_id: ids[:max_faces] for person_id, ids in face_ids.items() if len(ids) >= min_faces}


def faces_of_users(
    database: Database, matches: Sequence[UserMatch], *, engine: str, gallery: str
) -> Iterator[tuple[str, float]]:
    """Face ids of the persons whose user vectors matched, each once, with the highest similarity of the person.

    A person that was merged since the last sync stands for the canonical person. A forgotten person has no faces.
    """
    if not matches:
        return
    similarity_by_person: dict[PersonRow, float] = {}
    with database.read() as connection:
        people = PersonIndex.of(all_persons(connection))
        for match in matches:
            person = people.canonical(match.person_id)
            if person is not None:
                similarity_by_person[person] = max(match.similarity, similarity_by_person.get(person, 0.0))
        for person, similarity in similarity_by_person.items():
            for face in faces_of_person(connection, person):
                if (face.engine, face.gallery) == (engine, gallery):
                    yield face.face_id, similarity
