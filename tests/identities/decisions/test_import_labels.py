"""Importing a labels file adds to the catalogue; decisions of the catalogue stay in force."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, delete, select, update

from catalog.domain.decisions import Verb
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.identities.decisions import verbs
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.import_labels import LabelImportResult, import_labels
from catalog.identities.decisions.log import DecisionStamp, read_decisions
from catalog.identities.decisions.undo import undo
from catalog.store.assignments import assign
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.labels_file import Labels, export_labels, labels_json, parse_labels
from catalog.store.people import add_persons, find_person
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.tables import assignments, faces, photos
from catalog.store.tables import decisions as ledger
from tests.identities.assigned_catalogue import fresh_database, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, rows, unmerged_persons
from tests.identities.decided_catalogue import photos as album
from tests.identities.made_library import NOW, LendingGallery, Shot, VectorGallery, digest, enroll, people, vector_near

EARLIER = DecisionStamp("somebody", NOW - timedelta(days=1))


def labels_of(database: Database) -> Labels:
    """Export the labels, through the text of a file."""
    with database.read() as connection:
        return parse_labels(labels_json(export_labels(connection, NOW)), "labels")


def add_labels(connection: Connection, labels: Labels) -> LabelImportResult:
    return import_labels(connection, labels, STAMP, engine="local", gallery="catalog")


def put_back(database: Database, labels: Labels) -> tuple[int, int, int]:
    """Import the labels, and return how many persons, decisions and faces changed."""
    with database.begin() as connection:
        done = add_labels(connection, labels)
    return done.persons, done.decisions, done.faces


@pytest.fixture
def target(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A second, empty catalogue."""
    opened: AbstractContextManager[Database] = fresh_database(sqlite_template, tmp_path_factory)
    with opened as database:
        yield database


def test_an_imported_undo_refers_to_the_new_number_of_its_decision(light_database: Database, target: Database) -> None:
    """Undoing the undo puts its own decision in force again, and no other."""
    catalogue(light_database)
    with light_database.begin() as connection:
        undo(connection, verbs.name_person(connection, unmerged_persons(connection)[0], "Ann", STAMP), STAMP)
    catalogue(target, count=3)
    with target.begin() as connection:
        for person in unmerged_persons(connection):
            verbs.name_person(connection, person, "here", EARLIER)
        undo_number, _ = undo(connection, 1, EARLIER)
        add_labels(connection, labels_of(light_database))
        named, taken_back = read_decisions(connection)[-2:]
        assert (named.verb, named.undone_by) == ("name", taken_back.number)
        assert taken_back.targets == (named.number,)
        undo(connection, taken_back.number, STAMP)
        undone = {decision.number: decision.undone_by for decision in read_decisions(connection)}
    assert (undone[named.number], undone[1]) == (None, undo_number)


def test_an_imported_copy_refers_to_the_new_number_of_its_original(light_database: Database, target: Database) -> None:
    """Undo reverts a copy for an edited photo together with its original."""
    catalogue(light_database)
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        number = verbs.confirm_face(connection, faces_of_person(connection, first)[0], second, STAMP)
        row = connection.execute(select(ledger).where(ledger.c.id == number)).mappings().one()
        place = [row[key] for key in ("photo_sha256", "box_left", "box_top", "box_width", "box_height")]
        details = json.dumps({**json.loads(row["details"]), "carried_from": place, "copy_of": number})
        copy = {**row, "id": number + 1, "photo_sha256": digest("edited"), "details": details}
        connection.execute(ledger.insert(), copy)
    catalogue(target, count=1)
    with target.begin() as connection:
        for name in ("one", "two", "three"):
            verbs.name_person(connection, unmerged_persons(connection)[0], name, EARLIER)
        add_labels(connection, labels_of(light_database))
        original, copied = read_decisions(connection, verbs=[Verb.CONFIRM])
        assert copied.copy_of == original.number


def test_merges_of_one_instant_are_all_imported(light_database: Database, target: Database) -> None:
    """One command merges two persons into a third: two decisions that differ in the merged person alone."""
    catalogue(light_database)
    with light_database.begin() as connection:
        canonical, *merged_persons = unmerged_persons(connection)[:3]
        for merged in merged_persons:
            number = verbs.merge_persons(connection, find_person(connection, canonical.person_id), merged, STAMP)
        undo(connection, number, STAMP)
    for _ in range(2):
        put_back(target, labels_of(light_database))
        with target.read() as connection:
            merges = [
                (decision.other_person_id, decision.undone_by)
                for decision in read_decisions(connection, verbs=[Verb.MERGE])
            ]
        assert merges == [(merged_persons[0].person_id, None), (merged_persons[1].person_id, 4)]


def test_an_older_file_does_not_undo_a_decision_that_is_in_force_again(light_database: Database) -> None:
    """The file was made while the decision was undone."""
    catalogue(light_database)
    with light_database.begin() as connection:
        number = verbs.name_person(connection, unmerged_persons(connection)[0], "Ann", STAMP)
        by, _ = undo(connection, number, STAMP)
    labels = labels_of(light_database)
    with light_database.begin() as connection:
        undo(connection, by, STAMP)
    put_back(light_database, labels)
    with light_database.read() as connection:
        assert [decision.undone_by for decision in read_decisions(connection)] == [None, 3, None]


def everything(database: Database) -> Any:
    with database.read() as connection:
        return rows(connection), read_decisions(connection)


BOX = BoundingBox(0.3, 0.3, 0.2, 0.3)


def enroll_in_two_galleries(database: Database) -> None:
    """Enroll eight faces in two galleries: eight persons in the one, Ann alone in the other."""
    rng = np.random.default_rng(8)
    shots = [Shot(str(number), [vector_near(center, 0.9, rng)], [BOX]) for number, center in enumerate(people(8, rng))]
    listing = VectorGallery()
    settled(database, listing, enroll(database, listing, shots))
    enroll(database, LendingGallery(), shots)
    with database.begin() as connection:
        (ann,) = add_persons(connection, 1, NOW)
        own = connection.scalars(select(faces.c.id).where(faces.c.engine == "local"))
        assign(connection, [(row, 90.0) for row in own], ann.id, AssignedBy.CLUSTER, "2026")
        verbs.name_person(connection, ann, "Ann", STAMP)


def test_an_import_changes_nothing_where_the_file_was_made(light_database: Database) -> None:
    """The file does not say which gallery an assignment is from."""
    enroll_in_two_galleries(light_database)
    before = everything(light_database)
    assert put_back(light_database, labels_of(light_database)) == (0, 0, 0)
    assert everything(light_database) == before


def test_conflicting_labels_of_two_galleries_assign_each_face_once(light_database: Database, target: Database) -> None:
    """Each face gets one of its two persons. A second import changes nothing."""
    enroll_in_two_galleries(light_database)
    with light_database.begin() as connection:
        for person in unmerged_persons(connection):
            if person.name is None:
                verbs.name_person(connection, person, "Somebody", STAMP)
    gallery = LendingGallery()
    rng = np.random.default_rng(8)
    shots = [Shot(str(number), [vector_near(center, 0.9, rng)], [BOX]) for number, center in enumerate(people(8, rng))]
    settled(target, gallery, enroll(target, gallery, shots))
    labels = labels_of(light_database)
    assert put_back(target, labels)[2] == 8
    before = everything(target)
    assert put_back(target, labels) == (0, 0, 0)
    assert everything(target) == before


Say = Callable[[Connection, CataloguedFace, PersonRow], object]


def reject(connection: Connection, face: CataloguedFace, ann: PersonRow) -> None:
    verbs.reject_face(connection, face, ann, STAMP)


def confirm_another(connection: Connection, face: CataloguedFace, ann: PersonRow) -> None:
    unnamed = next(person for person in unmerged_persons(connection) if person.id != ann.id)
    verbs.confirm_face(connection, face, unnamed, STAMP)


def say_none(connection: Connection, face: CataloguedFace, _ann: PersonRow) -> None:
    verbs.mark_not_a_face(connection, face, STAMP)


def part(connection: Connection, face: CataloguedFace, ann: PersonRow) -> None:
    verbs.split_person(connection, ann, [face], STAMP)


@pytest.mark.parametrize("confirmed", [False, True], ids=["found by a machine", "confirmed"])
@pytest.mark.parametrize("is_gone", [False, True], ids=["there", "away"])
@pytest.mark.parametrize("say", [reject, confirm_another, say_none, part])
def test_a_decision_on_a_face_outweighs_the_file(
    light_database: Database, target: Database, say: Say, is_gone: bool, confirmed: bool
) -> None:
    """The face is Ann in the file, by a machine or a user. It is not Ann here, also if its photo left and returned."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        verbs.name_person(connection, ann, "Ann", STAMP)
        face = faces_of_person(connection, ann)[0]
    labels = labels_of(light_database)
    if confirmed:
        catalogue(target)
        put_back(target, labels)
        with target.begin() as connection:
            local_face = faces_of_person(connection, find_person(connection, "Ann"))[0]
            assert local_face.place == face.place
            verbs.confirm_face(connection, local_face, find_person(connection, "Ann"), EARLIER)
        labels = labels_of(target)
    with light_database.begin() as connection:
        say(connection, face, find_person(connection, "Ann"))
    meant = who_is_who(light_database).get(face.face_id)
    if is_gone:
        with light_database.begin() as connection:
            lost = [dict(row) for table in (photos, faces) for row in connection.execute(select(table)).mappings()]
            connection.execute(delete(photos))
    put_back(light_database, labels)
    if is_gone:
        with light_database.begin() as connection:
            for row in lost:
                connection.execute((faces if "face_id" in row else photos).insert(), row)
    settled(light_database, gallery)
    now = who_is_who(light_database).get(face.face_id)
    assert now != ann.person_id
    assert meant in (now, None)


def moved(database: Database, target: Database, *, named_here: bool, confirmed: bool) -> str | None:
    """Import the labels of one catalogue into another in which a machine assigned the same faces to another person.

    Returns the name of the person who then has the faces.
    """
    catalogue(database, count=1)
    catalogue(target, count=1)
    with database.begin() as connection:
        (person,) = unmerged_persons(connection)
        verbs.name_person(connection, person, "there", STAMP)
        if confirmed:
            for face in faces_of_person(connection, person):
                verbs.confirm_face(connection, face, person, STAMP)
    if named_here:
        with target.begin() as connection:
            verbs.name_person(connection, unmerged_persons(connection)[0], "here", STAMP)
    put_back(target, labels_of(database))
    with target.read() as connection:
        (owner,) = {
            face.name for person in unmerged_persons(connection) for face in faces_of_person(connection, person)
        }
    return owner


@pytest.mark.parametrize(
    ("named_here", "confirmed", "name"),
    [(False, False, "there"), (True, False, "here"), (True, True, "there")],
    ids=["a name counts more than none", "a name that is here stays", "a word on the face counts more than a machine"],
)
def test_machine_assignments_yield_to_decisions_of_the_file(
    light_database: Database, target: Database, named_here: bool, confirmed: bool, name: str
) -> None:
    """The photos were scanned before the import."""
    assert moved(light_database, target, named_here=named_here, confirmed=confirmed) == name


def test_a_machine_label_puts_no_person_on_a_photo_twice(light_database: Database, target: Database) -> None:
    """The other face of the photo is Ann here."""
    rng = np.random.default_rng(1)
    shot = Shot("both", [vector_near(center, 0.9, rng) for center in people(2, rng)])
    for database in (light_database, target):
        gallery = LendingGallery()
        settled(database, gallery, enroll(database, gallery, [shot]))
    with light_database.begin() as connection:
        verbs.name_person(connection, unmerged_persons(connection)[0], "Ann", STAMP)
    labels = labels_of(light_database)
    put_back(target, labels)
    with target.begin() as connection:
        ann = find_person(connection, "Ann")
        (shown,) = faces_of_person(connection, ann)
        connection.execute(update(assignments).values(person_id=ann.id).where(assignments.c.face_id != shown.row))
        connection.execute(delete(assignments).where(assignments.c.face_id == shown.row))
    put_back(target, labels)
    assert settled(target, gallery).conflicts == 0


def test_an_imported_name_keeps_birth_date_and_hidden_mark(light_database: Database) -> None:
    """Both were set since the file was made."""
    catalogue(light_database)
    with light_database.begin() as connection:
        number = verbs.name_person(connection, unmerged_persons(connection)[0], "Ann", STAMP)
    labels = labels_of(light_database)
    with light_database.begin() as connection:
        undo(connection, number, STAMP)
        person = unmerged_persons(connection)[0]
        verbs.set_birth_date(connection, person, date(1990, 1, 1), STAMP)
        verbs.set_hidden(connection, find_person(connection, person.person_id), True, STAMP)
    put_back(light_database, labels)
    with light_database.read() as connection:
        ann = find_person(connection, "Ann")
    assert (ann.birth_date, ann.hidden) == ("1990-01-01", True)


def test_a_mirror_in_the_file_leaves_a_confirmed_face(light_database: Database, target: Database) -> None:
    """Both faces of the photo are one person in the file. Here a user confirmed one of them as another person."""
    rng = np.random.default_rng(1)
    shot = Shot("mirror", [vector_near(center, 0.9, rng) for center in people(2, rng)])
    for database in (light_database, target):
        gallery = LendingGallery()
        settled(database, gallery, enroll(database, gallery, [shot]))
    with light_database.begin() as connection:
        canonical, merged = unmerged_persons(connection)
        verbs.merge_persons(connection, canonical, merged, EARLIER, same_photo=True)
    with target.begin() as connection:
        _, local_person = unmerged_persons(connection)
        (face,) = faces_of_person(connection, local_person)
        verbs.confirm_face(connection, face, local_person, STAMP)
    for _ in range(2):
        put_back(target, labels_of(light_database))
        settled(target, gallery)
        assert who_is_who(target)[face.face_id] == local_person.person_id
        assert set(who_is_who(target).values()) == {canonical.person_id, local_person.person_id}


def test_copies_for_several_edits_are_all_imported(light_database: Database, target: Database) -> None:
    """A split was copied to a first edit before one file was made, and to a second edit before the next file."""
    catalogue(light_database, count=1)
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        number, _ = verbs.split_person(connection, person, faces_of_person(connection, person)[:1], STAMP)
        row = dict(connection.execute(select(ledger).where(ledger.c.id == number)).mappings().one())
        details = {**json.loads(row["details"]), "carried_from": [digest("x")], "copy_of": number}
        ((_, *box),) = details["faces"]
        copies = [
            {
                **row,
                "id": number + 1 + index,
                "details": json.dumps({**details, "faces": [[digest(f"edit {index}"), *box]]}),
            }
            for index in range(2)
        ]
        connection.execute(ledger.insert(), copies[0])
    put_back(target, labels_of(light_database))
    with light_database.begin() as connection:
        connection.execute(delete(ledger).where(ledger.c.id == copies[0]["id"]))
        connection.execute(ledger.insert(), copies[1])
    put_back(target, labels_of(light_database))
    with target.read() as connection:
        split_photos = [decision.faces[0].sha256 for decision in read_decisions(connection, verbs=[Verb.SPLIT])]
    assert split_photos[1:] == [digest("edit 0"), digest("edit 1")]


def test_an_imported_machine_assignment_does_not_become_a_decision(light_database: Database, target: Database) -> None:
    """A named person is found on photos that are scanned later. Those assignments are a machine's."""
    gallery, shots = LendingGallery(), album(BOX, 1)
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        verbs.name_person(connection, ann, "Ann", STAMP)
        hers = {face.sha256 for face in faces_of_person(connection, ann)}
    with target.begin() as connection:
        add_labels(connection, labels_of(light_database))
    anew = LendingGallery()
    settled(target, anew, enroll(target, anew, shots))
    with target.read() as connection:
        shown = faces_of_person(connection, find_person(connection, "Ann"))
        assert {face.sha256 for face in shown} == hers
        assert {face.by for face in shown} == {AssignedBy.CLUSTER}


def names_and_redirects(connection: Connection) -> set[tuple[str, str | None, str]]:
    """Public id, name and canonical public id of every person. Row ids differ after a redo."""
    people = PersonIndex.of(all_persons(connection))
    return {(row.person_id, row.name, people.canonical_row(row.id).person_id) for row in people.rows.values()}


def test_an_import_is_undone_as_a_whole(database: Database, target: Database) -> None:
    """Persons, names, redirects, decisions and assignments are what they were; the file can be imported again."""
    catalogue(target)
    with target.begin() as connection:
        canonical, merged, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, canonical, "Ann", STAMP)
        verbs.merge_persons(connection, find_person(connection, "Ann"), merged, STAMP)
        verbs.confirm_face(connection, faces_of_person(connection, third)[0], find_person(connection, "Ann"), STAMP)
    labels = labels_of(target)
    gallery = catalogue(database)
    with database.read() as connection:
        before = rows(connection)
    assert put_back(database, labels)[0] > 0
    with database.begin() as connection:
        imported = names_and_redirects(connection)
        by, first = undo(connection, None, STAMP)
        assert first.verb is Verb.IMPORT
        assert rows(connection) == before
        assert effective_decisions(read_decisions(connection)).decided_persons == set()
        undo(connection, by, STAMP)
        assert names_and_redirects(connection) == imported
        undo(connection, None, STAMP)
        assert rows(connection) == before
    settled(database, gallery)
    assert put_back(database, labels)[1] > 0
    with database.read() as connection:
        assert find_person(connection, merged.person_id).name == "Ann"
