"""Undo reverts one decision or one group; other and later decisions stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sqlalchemy import Connection, delete, select, update

from catalog.domain.errors import PersonError, UsageError
from catalog.domain.faces import BoundingBox
from catalog.identities.decisions import verbs
from catalog.identities.decisions.forget import forget_person
from catalog.identities.decisions.log import DecisionStamp, read_decisions
from catalog.identities.decisions.undo import redo, undo
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments, faces, persons, photos
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, rows, unmerged_persons
from tests.identities.made_library import (
    LendingGallery,
    Shot,
    VectorGallery,
    boxes_for,
    digest,
    enroll,
    people,
    vector_near,
)

OURS = BoundingBox(0.30, 0.30, 0.20, 0.30)
THEIRS = BoundingBox(0.31, 0.29, 0.21, 0.30)
"""The box of the same face from another engine."""


def merged_with_faces(database: Database) -> list[str]:
    """Return ids of merged persons that have faces."""
    with database.read() as connection:
        query = select(persons.c.person_id).join(assignments).where(persons.c.merged_into.is_not(None))
        return list(connection.scalars(query))


@pytest.mark.parametrize("decide", [verbs.confirm_face, verbs.reject_face])
def test_later_decisions_on_the_person_stay(
    light_database: Database, decide: Callable[[Connection, CataloguedFace, PersonRow, DecisionStamp], int]
) -> None:
    """Undoing a decision on a face keeps name, birth date and hidden mark of the person."""
    catalogue(light_database)
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)[:2]
        number = decide(connection, faces_of_person(connection, ann)[0], bob, STAMP)
        verbs.name_person(connection, bob, "Bob", STAMP)
        verbs.set_hidden(connection, bob, True, STAMP)
        verbs.set_birth_date(connection, bob, date(1990, 1, 1), STAMP)
        undo(connection, number, STAMP)
        now = find_person(connection, bob.person_id)
    assert (now.name, now.hidden, now.birth_date) == ("Bob", True, "1990-01-01")


def test_a_restored_face_follows_a_later_merge(light_database: Database) -> None:
    """It is assigned to the canonical person."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        merged, canonical, unrelated = unmerged_persons(connection)[:3]
        face = faces_of_person(connection, merged)[0]
        number = verbs.confirm_face(connection, face, unrelated, STAMP)
        verbs.merge_persons(connection, canonical, merged, STAMP)
        undo(connection, number, STAMP)
        assert find_person(connection, merged.person_id).id == canonical.id
    settled(light_database, gallery)
    assert merged_with_faces(light_database) == []
    assert who_is_who(light_database)[face.face_id] == canonical.person_id


def test_a_redone_merge_takes_faces_assigned_since(light_database: Database) -> None:
    """The photos were scanned between the undo and the redo."""
    rng = np.random.default_rng(1)
    gallery = LendingGallery()
    centers = people(2, rng, 128)
    shots = [Shot(f"{person}-{n}", [vector_near(centers[person], 0.85, rng)]) for person in range(2) for n in range(3)]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        canonical, merged = unmerged_persons(connection)
        by, _ = undo(connection, verbs.merge_persons(connection, canonical, merged, STAMP), STAMP)
    late = [Shot("late", [vector_near(centers[1], 0.85, rng)])]
    settled(light_database, gallery, enroll(light_database, gallery, late, night=1))
    with light_database.begin() as connection:
        undo(connection, by, STAMP)
        assert len(faces_of_person(connection, find_person(connection, merged.person_id))) == 7
    assert merged_with_faces(light_database) == []


def test_a_redo_keeps_a_merge_by_a_machine(light_database: Database) -> None:
    """A scan may merge a person without a decision in force. The redo does not separate it again."""
    rng = np.random.default_rng(5)
    (center,) = people(1, rng, 128)
    away = vector_near(center, 0.0, rng).astype(np.float64)
    tilted = [np.asarray(center * np.cos(turn) + away * np.sin(turn), dtype=np.float32) for turn in (0.0, 1.2, 0.6)]
    gallery = LendingGallery()
    for night in (0, 1):
        shots = [Shot(f"{night}", [tilted[night]])]
        settled(light_database, gallery, enroll(light_database, gallery, shots, night=night))
    with light_database.begin() as connection:
        old, young = unmerged_persons(connection)
        by, _ = undo(connection, verbs.name_person(connection, young, "Ann", STAMP), STAMP)
    settled(light_database, gallery, enroll(light_database, gallery, [Shot("2", [tilted[2]])], night=2))
    with light_database.begin() as connection:
        assert find_person(connection, young.person_id).id == old.id
        undo(connection, by, STAMP)
        assert find_person(connection, young.person_id).id == old.id


def test_undo_and_redo_alternate(light_database: Database) -> None:
    """The rows agree with the log after every step, also after a scan."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        number = verbs.confirm_face(connection, face, bob, STAMP)
    for holder in (ann, bob, ann, bob):
        with light_database.begin() as connection:
            number, _ = undo(connection, number, STAMP)
        assert who_is_who(light_database)[face.face_id] == holder.person_id
        settled(light_database, gallery)
        assert who_is_who(light_database)[face.face_id] == holder.person_id


def test_a_redo_that_a_later_undo_builds_on_is_refused(light_database: Database) -> None:
    """Two decisions on one face are undone. The second cannot be redone alone."""
    catalogue(light_database)
    with light_database.begin() as connection:
        ann, bob, cleo = unmerged_persons(connection)[:3]
        face = faces_of_person(connection, ann)[0]
        first = verbs.confirm_face(connection, face, bob, STAMP)
        second = verbs.confirm_face(connection, face, cleo, STAMP)
        by, _ = undo(connection, second, STAMP)
        undo(connection, first, STAMP)
        with pytest.raises(UsageError, match="build on"):
            undo(connection, by, STAMP)


def test_a_new_person_with_later_decisions_is_not_removed(light_database: Database) -> None:
    """A face was confirmed as the person that the decision created."""
    catalogue(light_database)
    with light_database.begin() as connection:
        ann = verbs.find_or_add_person(connection, "Ann", STAMP)
        latest = read_decisions(connection)[-1].number
        confirmed = verbs.confirm_face(
            connection, faces_of_person(connection, unmerged_persons(connection)[0])[0], ann, STAMP
        )
        with pytest.raises(UsageError, match=f"build on decision {latest}: {confirmed}"):
            undo(connection, latest, STAMP)


@pytest.mark.parametrize("verb", ["confirm", "not_a_face", "split"])
@pytest.mark.parametrize("seen_before", [True, False])
def test_replayed_faces_of_another_gallery_are_released_too(
    light_database: Database, verb: str, seen_before: bool
) -> None:
    """Replay had applied the decision to an engine that scanned later."""
    rng = np.random.default_rng(1)
    lending, listing = LendingGallery(), VectorGallery()
    centers = people(2, rng, 128)
    shots = [
        Shot(f"{person}-{n}", [vector_near(centers[person], 0.85, rng)], [OURS])
        for person in range(2)
        for n in range(4)
    ]
    settled(light_database, lending, enroll(light_database, lending, shots))

    def look_with_theirs() -> None:
        remote_shots = [replace(shot, boxes=[THEIRS]) for shot in shots]
        settled(light_database, listing, enroll(light_database, listing, remote_shots, night=1))

    if seen_before:
        look_with_theirs()
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)
        face = next(candidate for candidate in faces_of_person(connection, ann) if candidate.engine == "local")
        if verb == "confirm":
            number = verbs.confirm_face(connection, face, bob, STAMP)
        elif verb == "split":
            number, _ = verbs.split_person(connection, ann, [face], STAMP)
        else:
            number = verbs.mark_not_a_face(connection, face, STAMP)
    if seen_before:
        settled(light_database, listing)
    else:
        look_with_theirs()
    with light_database.begin() as connection:
        undo(connection, number, STAMP)
    settled(light_database, lending)
    settled(light_database, listing)
    with light_database.read() as connection:
        query = (
            select(faces.c.engine, faces.c.not_a_face, assignments.c.by)
            .select_from(faces.join(photos).outerjoin(assignments, assignments.c.face_id == faces.c.id))
            .where(photos.c.sha256 == face.sha256)
            .order_by(faces.c.engine)
        )
        assert connection.execute(query).all() == [("local", False, "cluster"), ("rekognition", False, "cluster")]


def test_a_restored_face_puts_no_person_on_a_photo_twice(light_database: Database) -> None:
    """A machine assigned another face of the photo to the person since: that face is unassigned."""
    rng = np.random.default_rng(2)
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()
    alone = [Shot(f"{n}", [vector_near(center, 0.9, rng)]) for n in range(3)]
    pair = Shot("pair", [vector_near(center, 0.95, rng), vector_near(center, 0.7, rng)], boxes_for(2))
    settled(light_database, gallery, enroll(light_database, gallery, [*alone, pair]))
    with light_database.begin() as connection:
        ann = max(unmerged_persons(connection), key=lambda person: len(faces_of_person(connection, person)))
        face = next(candidate for candidate in faces_of_person(connection, ann) if candidate.sha256 == digest("pair"))
        number = verbs.reject_face(connection, face, ann, STAMP)
        beside = select(faces.c.id).join(photos).where(photos.c.sha256 == digest("pair"), faces.c.id != face.row)
        is_beside = assignments.c.face_id.in_(beside)
        connection.execute(update(assignments).where(is_beside).values(person_id=ann.id))
        before = rows(connection)
        by, _ = undo(connection, number, STAMP)
        assert [
            candidate.row for candidate in faces_of_person(connection, ann) if candidate.sha256 == digest("pair")
        ] == [face.row]
        undo(connection, by, STAMP)
        assert rows(connection) == before
    assert settled(light_database, gallery).conflicts == 0


def test_a_face_of_a_forgotten_person_is_unassigned_after_the_undo(light_database: Database) -> None:
    """The person that it was assigned to before is forgotten."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        number = verbs.confirm_face(connection, face, bob, STAMP)
    forget_person(light_database, as_engine(gallery), ann, STAMP, gallery="catalog")
    with light_database.begin() as connection:
        undo(connection, number, STAMP)
        assert connection.scalars(select(assignments.c.by).where(assignments.c.face_id == face.row)).all() == []


def test_a_removed_photo_is_left_out(light_database: Database) -> None:
    """All other faces are restored."""
    catalogue(light_database)
    with light_database.begin() as connection:
        canonical, merged = unmerged_persons(connection)[:2]
        number = verbs.merge_persons(connection, canonical, merged, STAMP)
        connection.execute(delete(photos).where(photos.c.sha256 == faces_of_person(connection, canonical)[-1].sha256))
        undo(connection, number, STAMP)
        face_counts = [
            len(faces_of_person(connection, person))
            for person in (canonical, find_person(connection, merged.person_id))
        ]
    assert sum(face_counts) == 7


def test_a_redone_rejection_applies_to_every_gallery(light_database: Database) -> None:
    """Another engine assigned the face to the person while the rejection was undone."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    lending, listing = LendingGallery(), VectorGallery()
    shots = [Shot(f"{n}", [vector_near(center, 0.85, rng)], [OURS]) for n in range(4)]
    settled(light_database, lending, enroll(light_database, lending, shots))
    with light_database.begin() as connection:
        (ann,) = unmerged_persons(connection)
        face = faces_of_person(connection, ann)[0]
        by, _ = undo(connection, verbs.reject_face(connection, face, ann, STAMP), STAMP)
    remote_shots = [replace(shot, boxes=[THEIRS]) for shot in shots]
    settled(light_database, listing, enroll(light_database, listing, remote_shots, night=1))
    with light_database.begin() as connection:
        before = rows(connection)
        again, _ = undo(connection, by, STAMP)
        assert face.sha256 not in {candidate.sha256 for candidate in faces_of_person(connection, ann)}
        undo(connection, again, STAMP)
        assert rows(connection) == before


def test_a_redo_makes_the_checks_of_the_first_time(database: Database) -> None:
    """Between undo and redo a scan found both persons on a new photo. The redo is refused."""
    rng = np.random.default_rng(1)
    centers = people(2, rng, 128)
    gallery = LendingGallery()
    mirror = Shot("mirror", [vector_near(center, 0.85, rng) for center in centers])
    settled(database, gallery, enroll(database, gallery, [mirror]))
    with database.begin() as connection:
        first, second = unmerged_persons(connection)
        by, _ = undo(connection, verbs.merge_persons(connection, first, second, STAMP, same_photo=True), STAMP)
    late = Shot("late", [vector_near(center, 0.85, rng) for center in centers])
    settled(database, gallery, enroll(database, gallery, [late], night=1))
    with database.read() as connection:
        before = rows(connection)
    with pytest.raises(PersonError, match="on 1 photo twice"), database.begin() as connection:
        undo(connection, by, STAMP)
    with database.begin() as connection:
        assert rows(connection) == before
        verbs.merge_persons(connection, first, second, STAMP, same_photo=True)


def test_a_redo_of_a_mirror_is_allowed(light_database: Database) -> None:
    """Nothing changed since the user decided on the photo."""
    rng = np.random.default_rng(1)
    gallery = LendingGallery()
    mirror = Shot("mirror", [vector_near(center, 0.85, rng) for center in people(2, rng, 128)])
    settled(light_database, gallery, enroll(light_database, gallery, [mirror]))
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)
        number = verbs.merge_persons(connection, first, second, STAMP, same_photo=True)
        merged = rows(connection)
        by, _ = undo(connection, number, STAMP)
        undo(connection, by, STAMP)
        assert rows(connection) == merged


def test_a_group_is_undone_and_redone_as_a_whole(database: Database) -> None:
    """Decisions that change one person several times: the rows become what they were before the first of them."""
    catalogue(database)
    stamp = STAMP.grouped()
    with database.begin() as connection:
        verbs.set_hidden(connection, unmerged_persons(connection)[3], True, STAMP)
        before = rows(connection)
        first, second, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, first, "Ann", stamp)
        verbs.merge_persons(connection, first, second, stamp)
        face = faces_of_person(connection, third)[0]
        added = verbs.find_or_add_person(connection, "Bob", stamp)
        verbs.confirm_face(connection, face, added, stamp)
        last = verbs.name_person(connection, first, "Anna", stamp)
        after = rows(connection)
        assert {decision.group for decision in read_decisions(connection)[1:]} == {2}
        by, first = undo(connection, last, STAMP)
        assert first.number == 2
        assert rows(connection) == before
        undo(connection, by, STAMP)
        assert [row[1:] for row in rows(connection)[0]] == [row[1:] for row in after[0]]
        undo(connection, None, STAMP)
        assert rows(connection) == before


def test_a_group_that_a_later_decision_builds_on_stays(light_database: Database) -> None:
    """The number of the later decision is in the message."""
    catalogue(light_database)
    stamp = STAMP.grouped()
    with light_database.begin() as connection:
        first, second, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, first, "Ann", stamp)
        verbs.merge_persons(connection, second, third, stamp)
        later = verbs.name_person(connection, second, "Bob", STAMP)
        with pytest.raises(UsageError, match=f"build on decision 1: {later}"):
            undo(connection, 1, STAMP)


def test_undo_and_redo_of_one_login_leave_the_decisions_of_others(light_database: Database) -> None:
    """Any depth: the newest decision of the login first, and back in the other order."""
    catalogue(light_database)
    other_login = replace(STAMP, who="other")
    with light_database.begin() as connection:
        first, second, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, first, "Ann", STAMP)
        verbs.set_hidden(connection, second, True, STAMP)
        verbs.name_person(connection, third, "Cleo", other_login)
        after = rows(connection)
        undone = [undo(connection, None, STAMP, decided_by="tester")[1].number for _ in range(2)]
        assert undone == [2, 1]
        with pytest.raises(UsageError, match="no decision to undo"):
            undo(connection, None, STAMP, decided_by="tester")
        assert find_person(connection, "Cleo").id == third.id
        for _ in range(2):
            redo(connection, STAMP, decided_by="tester")
        with pytest.raises(UsageError, match="no undo"):
            redo(connection, STAMP, decided_by="tester")
        assert rows(connection) == after
