"""The verbs: a scan never overrides a decision, and undo reverts it exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from catalog.domain.errors import PersonError, UsageError
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import read_decisions
from catalog.identities.decisions.undo import undo
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person, list_people
from tests.identities.assigned_catalogue import album, fresh_database, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, rows, unmerged_persons
from tests.identities.made_library import LendingGallery, Shot, digest, enroll, people, vector_near


def test_naming_changes_one_person_row(database: Database) -> None:
    """The number of faces does not matter."""
    catalogue(database)
    with database.begin() as connection:
        before = rows(connection)
        person = unmerged_persons(connection)[0]
        verbs.name_person(connection, person, "  Ann   Lee ", STAMP)
        after = rows(connection)
        assert find_person(connection, "Ann Lee").id == person.id
    assert sum(a != b for a, b in zip(before[0], after[0], strict=True)) == 1
    assert before[1:] == after[1:]


def test_a_name_of_several_persons_is_refused_with_their_ids(light_database: Database) -> None:
    """PERSON is an id, or a name of one person only."""
    catalogue(light_database)
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        for person in (first, second):
            verbs.name_person(connection, person, "Ann", STAMP)
        with pytest.raises(PersonError, match=first.person_id):
            find_person(connection, "Ann")
        assert find_person(connection, second.person_id).id == second.id
        with pytest.raises(PersonError, match="No person has"):
            find_person(connection, "Zoe")


def test_a_merged_id_redirects_permanently(light_database: Database) -> None:
    """After a is merged into b and b into c, all three ids redirect to c, and c has all faces."""
    catalogue(light_database)
    with light_database.begin() as connection:
        a, b, c = unmerged_persons(connection)[:3]
        verbs.merge_persons(connection, b, a, STAMP)
        verbs.merge_persons(connection, c, find_person(connection, b.person_id), STAMP)
        assert {find_person(connection, person.person_id).id for person in (a, b, c)} == {c.id}
        assert len(faces_of_person(connection, c)) == 12


def test_persons_of_one_photo_merge_only_with_same_photo(light_database: Database) -> None:
    """A mirror shows one person twice. Without the option the merge is refused."""
    rng = np.random.default_rng(1)
    gallery = LendingGallery()
    centers = people(2, rng, 128)
    shots = [Shot("mirror", [vector_near(centers[0], 0.9, rng), vector_near(centers[1], 0.9, rng)])]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)
        with pytest.raises(PersonError, match="together on 1 photo"):
            verbs.merge_persons(connection, first, second, STAMP)
        verbs.merge_persons(connection, first, second, STAMP, same_photo=True)
    assert settled(light_database, gallery).conflicts == 0


def test_split_persons_stay_two(light_database: Database) -> None:
    """A machine never merges them again, also after new faces."""
    gallery = catalogue(light_database, count=1, photos=6)
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        parted = faces_of_person(connection, person)[:3]
        _, new_person = verbs.split_person(connection, person, parted, STAMP)
    rng = np.random.default_rng(3)
    center = people(1, rng, 128)[0]
    shots = [Shot(f"new-{n}", [vector_near(center, 0.85, rng)]) for n in range(5)]
    result = settled(light_database, gallery, enroll(light_database, gallery, shots, night=1))
    assert (result.persons_merged, result.faces_assigned) == (0, 5)
    with light_database.read() as connection:
        face_ids = {face.face_id for face in faces_of_person(connection, new_person)}
    assert {face.face_id for face in parted} <= face_ids


def test_a_rejected_face_never_comes_back_to_that_person(light_database: Database) -> None:
    """It gets a new person, although it is as similar to the other faces as before."""
    gallery = catalogue(light_database, count=1, photos=5)
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        face = faces_of_person(connection, person)[2]
        verbs.reject_face(connection, face, person, STAMP)
    for _ in range(2):
        settled(light_database, gallery)
        holder = who_is_who(light_database)[face.face_id]
        assert holder not in (None, person.person_id)


def test_a_confirmed_face_is_never_moved(light_database: Database) -> None:
    """It is confirmed as a person that it does not resemble, and stays there through scans and a re-clustering."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, first)[0]
        verbs.confirm_face(connection, face, second, STAMP)
    rng = np.random.default_rng(9)
    settled(light_database, gallery, enroll(light_database, gallery, album(rng), night=1))
    assert who_is_who(light_database)[face.face_id] == second.person_id


def test_a_box_that_is_not_a_face_is_left_out(light_database: Database) -> None:
    """It is unassigned, and no scan assigns it. A confirmation makes it a face again."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        person = unmerged_persons(connection)[0]
        face = faces_of_person(connection, person)[0]
        verbs.mark_not_a_face(connection, face, STAMP)
    settled(light_database, gallery)
    assert face.face_id not in who_is_who(light_database)
    with light_database.begin() as connection:
        verbs.confirm_face(connection, face, person, STAMP)
    settled(light_database, gallery)
    assert who_is_who(light_database)[face.face_id] == person.person_id


def test_hidden_people_are_left_out_of_lists(light_database: Database) -> None:
    """They are shown again after `unhide`."""
    catalogue(light_database)
    with light_database.begin() as connection:
        person = unmerged_persons(connection)[0]
        verbs.set_hidden(connection, person, True, STAMP)
        assert person.person_id not in {row.person_id for row in list_people(connection)}
        assert person.person_id in {row.person_id for row in list_people(connection, hidden=True)}
        verbs.set_hidden(connection, find_person(connection, person.person_id), False, STAMP)
        assert len(list_people(connection)) == 4


def test_merge_split_and_undo_leave_the_rows_as_they_were(database: Database) -> None:
    """After undoing all of them every row equals its prior state."""
    catalogue(database)
    with database.begin() as connection:
        before = rows(connection)
        first, second, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, second, "Bob", STAMP)
        verbs.merge_persons(connection, first, find_person(connection, "Bob"), STAMP)
        parted = faces_of_person(connection, first)[:3]
        verbs.split_person(connection, first, parted, STAMP)
        face = faces_of_person(connection, third)[0]
        verbs.confirm_face(connection, face, first, STAMP)
        for _ in range(4):
            undo(connection, None, STAMP)
        assert rows(connection) == before
        assert [decision.undone_by is not None for decision in read_decisions(connection)] == [True] * 4 + [False] * 4


def test_an_undo_can_be_undone(light_database: Database) -> None:
    """A redone split has the same person id."""
    catalogue(light_database)
    with light_database.begin() as connection:
        person = unmerged_persons(connection)[0]
        number, new_person = verbs.split_person(connection, person, faces_of_person(connection, person)[:2], STAMP)
        parted = rows(connection)
        by, _ = undo(connection, number, STAMP)
        undo(connection, by, STAMP)
        again = rows(connection)
        assert find_person(connection, new_person.person_id).person_id == new_person.person_id
        assert [row[1:] for row in again[0]] == [row[1:] for row in parted[0]]
        assert len(faces_of_person(connection, find_person(connection, new_person.person_id))) == 2


def test_an_undo_is_refused_while_later_decisions_build_on_it(light_database: Database) -> None:
    """The merged person was renamed since. The message has the number of that decision."""
    catalogue(light_database)
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        merged = verbs.merge_persons(connection, first, second, STAMP)
        named = verbs.name_person(connection, find_person(connection, first.person_id), "Ann", STAMP)
        with pytest.raises(UsageError, match=str(named)):
            undo(connection, merged, STAMP)
        with pytest.raises(UsageError, match="no decision 99"):
            undo(connection, 99, STAMP)
        undo(connection, named, STAMP)
        undo(connection, merged, STAMP)
        with pytest.raises(UsageError, match="already"):
            undo(connection, merged, STAMP)


@given(seed=st.integers(0, 100_000))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_series_of_decisions_is_undone_exactly(
    seed: int, sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Undoing random decisions, the last one first, restores every row."""
    random = np.random.default_rng(seed)
    with fresh_database(sqlite_template, tmp_path_factory) as database:
        catalogue(database, count=4, photos=3)
        with database.begin() as connection:
            before = rows(connection)
            decision_count = 0
            for _ in range(8):
                decision_count += _decide(connection, random)
            for _ in range(decision_count):
                undo(connection, None, STAMP)
            assert rows(connection) == before


def _decide(connection: Connection, random: np.random.Generator) -> int:
    """Make one random decision. Returns 1, or 0 if it was refused."""
    persons = unmerged_persons(connection)
    first, second = (persons[int(index)] for index in random.integers(0, len(persons), 2))
    shown = faces_of_person(connection, first)
    try:
        match int(random.integers(0, 8)):
            case 0:
                verbs.name_person(connection, first, f"name {random.integers(3)}", STAMP)
            case 1:
                verbs.merge_persons(connection, first, second, STAMP)
            case 2:
                verbs.split_person(connection, first, shown[:1], STAMP)
            case 3:
                verbs.confirm_face(connection, _random_face(shown, random), second, STAMP)
            case 4:
                verbs.reject_face(connection, _random_face(shown, random), first, STAMP)
            case 5:
                verbs.mark_not_a_face(connection, _random_face(shown, random), STAMP)
            case 6:
                verbs.set_hidden(connection, first, bool(random.integers(2)), STAMP)
            case _:
                verbs.set_birth_date(connection, first, date(1990, 1, 2), STAMP)
    except (PersonError, IndexError):
        return 0
    return 1


def _random_face(faces: list[CataloguedFace], random: np.random.Generator) -> CataloguedFace:
    return faces[int(random.integers(0, len(faces)))] if faces else faces[0]


def scan_two_persons_on_one_photo(database: Database) -> tuple[LendingGallery, CataloguedFace, CataloguedFace]:
    """Scan photos of two persons, and one photo of both. Returns their faces on it."""
    rng = np.random.default_rng(1)
    gallery = LendingGallery()
    centers = people(2, rng, 128)
    shots = [Shot(f"{person}-{n}", [vector_near(centers[person], 0.85, rng)]) for person in range(2) for n in range(3)]
    shot = Shot("both", [vector_near(center, 0.85, rng) for center in centers])
    settled(database, gallery, enroll(database, gallery, [*shots, shot]))
    with database.read() as connection:
        shown = [face for person in unmerged_persons(connection) for face in faces_of_person(connection, person)]
    first, second = [face for face in shown if face.sha256 == digest("both")]
    return gallery, first, second


def test_a_confirmation_releases_the_other_face_of_the_photo(light_database: Database) -> None:
    """A machine had assigned the other face to the same person. It is unassigned and gets another person."""
    gallery, first, second = scan_two_persons_on_one_photo(light_database)
    with light_database.begin() as connection:
        before = rows(connection)
        ann = find_person(connection, first.person_id or "")
        number = verbs.confirm_face(connection, second, ann, STAMP)
        undo(connection, number, STAMP)
        assert rows(connection) == before
        verbs.confirm_face(connection, second, ann, STAMP)
    assert settled(light_database, gallery).conflicts == 0
    now = who_is_who(light_database)
    assert now[second.face_id] == first.person_id != now[first.face_id]


def test_a_person_is_twice_on_a_photo_only_with_same_photo(light_database: Database) -> None:
    """Both faces are confirmed as one person, as for a mirror."""
    gallery, first, second = scan_two_persons_on_one_photo(light_database)
    with light_database.begin() as connection:
        ann = find_person(connection, first.person_id or "")
        verbs.confirm_face(connection, first, ann, STAMP)
        with pytest.raises(PersonError, match="on this photo already"):
            verbs.confirm_face(connection, second, ann, STAMP)
        verbs.confirm_face(connection, second, ann, STAMP, same_photo=True)
    assert settled(light_database, gallery).conflicts == 0
    assert who_is_who(light_database)[second.face_id] == ann.person_id


@pytest.mark.parametrize("merged", [False, True])
def test_a_birth_date_releases_earlier_faces(light_database: Database, merged: bool) -> None:
    """Faces that a machine assigned become unassigned, confirmed faces stay, and undo restores all."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()
    shots = [
        Shot(f"{y}", [vector_near(center, 0.85, rng)], taken_at=datetime(y, 5, 1, tzinfo=UTC))
        for y in range(1990, 1998)
    ]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        (ann,) = unmerged_persons(connection)
        sure = faces_of_person(connection, ann)[1]
        verbs.confirm_face(connection, sure, ann, STAMP)
        if merged:  # with a person who has a birth date
            child = verbs.find_or_add_person(connection, "Child", STAMP)
            verbs.set_birth_date(connection, child, date(1995, 1, 1), STAMP)
        before = rows(connection)
        if merged:
            number = verbs.merge_persons(connection, ann, child, STAMP)
        else:
            number = verbs.set_birth_date(connection, ann, date(1995, 1, 1), STAMP)
        years = [face.taken_at.year for face in faces_of_person(connection, ann) if face.taken_at]
        assert years == [1991, 1995, 1996, 1997]
        undo(connection, number, STAMP)
        assert rows(connection) == before


def test_a_name_that_starts_with_several_is_a_name(light_database: Database) -> None:
    """The text of an error message is not parsed."""
    with light_database.begin() as connection:
        assert verbs.find_or_add_person(connection, "Several Sisters", STAMP).name == "Several Sisters"
