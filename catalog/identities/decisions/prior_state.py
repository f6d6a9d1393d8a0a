"""Prior state of a decision: the changed rows before it, keyed by face key and public id, for undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import (
    ChangedPerson,
    NewPerson,
    PhotoAppearances,
    PriorFace,
    PriorPerson,
    PriorState,
    UnchangedPerson,
)
from catalog.domain.photo_date import PhotoDate
from catalog.store.assignments import move_redirected_assignments, unassign
from catalog.store.decided_rows import (
    canonical_rows,
    persons_by_public_id,
    prior_faces,
    public_id_of,
    remove_new_persons,
    restore_assignments,
    restore_persons,
    set_not_a_face,
)
from catalog.store.face_states import find_face_rows
from catalog.store.named_appearances import read_photo_appearances, set_photo_appearances
from catalog.store.person_index import PersonRow
from catalog.store.photo_dates import read_photo_dates, set_photo_dates


class PriorStateBuilder:
    """Collects rows before they change. The order of the calls is the order of the rows in the payload."""

    def __init__(self) -> None:
        self._persons: list[PriorPerson] = []
        self._faces: list[PriorFace] = []
        self._dates: list[PhotoDate] = []
        self._appearances: list[PhotoAppearances] = []

    def build(self) -> PriorState:
        return PriorState(tuple(self._persons), tuple(self._faces), tuple(self._dates), tuple(self._appearances))

    def changed(self, person: PersonRow) -> PriorStateBuilder:
        """Add a person whose row changes, except for its redirect."""
        self._persons.append(
            ChangedPerson(person.person_id, person.name, person.hidden, person.birth_date, person.created_at)
        )
        return self

    def redirected(self, connection: Connection, person: PersonRow) -> PriorStateBuilder:
        """Add a person whose redirect changes. Only merges do this: a machine may redirect ids between decisions."""
        self._persons.append(
            ChangedPerson(
                person.person_id,
                person.name,
                person.hidden,
                person.birth_date,
                person.created_at,
                merged_into=public_id_of(connection, person.merged_into),
                has_redirect=True,
            )
        )
        return self

    def unchanged(self, person: PersonRow) -> PriorStateBuilder:
        """Add a person that the decision is about, and whose row stays."""
        self._persons.append(UnchangedPerson(person.person_id))
        return self

    def new(self, person: PersonRow) -> PriorStateBuilder:
        self._persons.append(NewPerson(person.person_id))
        return self

    def faces(self, connection: Connection, rows: Sequence[int]) -> PriorStateBuilder:
        """Add faces, as row ids, with their assignments."""
        self._faces += prior_faces(connection, rows)
        return self

    def dates(self, connection: Connection, contents: Iterable[str]) -> PriorStateBuilder:
        """Add the dates of photos, by content hash."""
        self._dates += read_photo_dates(connection, contents)
        return self

    def appearances(self, connection: Connection, contents: Iterable[str]) -> PriorStateBuilder:
        """Add the named appearances of photos, by content hash."""
        self._appearances += read_photo_appearances(connection, contents)
        return self


def capture_current(connection: Connection, before: PriorState, face_rows: Sequence[int | None]) -> PriorStateBuilder:
    """Collect the same rows as they are now: the prior state of an undo. ``face_rows``: :func:`rows_of_faces`."""
    current = PriorStateBuilder()
    rows = persons_by_public_id(connection, {person.person_id for person in before.persons})
    for person in before.persons:
        if person.person_id not in rows:
            continue
        row = rows[person.person_id]
        if isinstance(person, UnchangedPerson):
            current.unchanged(row)
        elif (isinstance(person, ChangedPerson) and person.has_redirect) or row.merged_into is not None:
            current.redirected(connection, row)
        else:
            current.changed(row)
    current.dates(connection, [date.sha256 for date in before.dates])
    current.appearances(connection, [photo.sha256 for photo in before.appearances])
    return current.faces(connection, [row for row in face_rows if row is not None])


def restore_prior_state(connection: Connection, before: PriorState, face_rows: Sequence[int | None]) -> list[int]:
    """Make the rows what they were. Returns the row ids of the faces. ``face_rows``: :func:`rows_of_faces`.

    Faces that are no longer there are left out. A person that the decision created is removed. A face whose person was
    merged since is assigned to the canonical person, and so are the faces of persons that are merged again.
    """
    set_photo_dates(connection, before.dates)
    restore_persons(connection, [person for person in before.persons if isinstance(person, ChangedPerson)])
    canonical = canonical_rows(connection, {face.person_id for face in before.faces if face.person_id is not None})
    face_by_row = {row: face for face, row in zip(before.faces, face_rows, strict=True) if row is not None}
    for flag in (False, True):
        set_not_a_face(connection, [row for row, face in face_by_row.items() if face.not_a_face == flag], flag)
    unassign(connection, list(face_by_row))
    restore_assignments(
        connection,
        (
            (row, canonical[face.person_id], face)
            for row, face in face_by_row.items()
            if face.person_id is not None and face.person_id in canonical
        ),
    )
    move_redirected_assignments(connection)
    set_photo_appearances(connection, before.appearances)
    remove_new_persons(connection, {person.person_id for person in before.persons if isinstance(person, NewPerson)})
    return list(face_by_row)


def rows_of_faces(connection: Connection, prior: Sequence[PriorFace]) -> list[int | None]:
    """Return the row ids of the faces, each in its gallery; None for a face that is no longer there."""
    return find_face_rows(connection, [(face.key, (face.engine, face.gallery)) for face in prior])
