"""Forgetting a person: nothing of it stays, and no scan, engine or backup brings it back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from catalog.domain.decisions import ReclusterPayload, Verb
from catalog.domain.errors import EngineError, PersonError, UsageError
from catalog.identities.decisions import verbs
from catalog.identities.decisions.forget import finish_forgetting, forget_person
from catalog.identities.decisions.log import append, read_decisions
from catalog.identities.decisions.undo import undo
from catalog.reports.status import read_status
from catalog.store.backup import back_up, restore
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database, open_database
from catalog.store.people import find_person
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments, faces, matches, persons, removals, tombstones
from catalog.store.tables import photos as photos_table
from catalog.store.temporary_files import temporary_file
from tests.all_rows import all_rows
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import BOX, SHIFTED, STAMP, catalogue, photos, unmerged_persons
from tests.identities.made_library import LendingGallery, VectorGallery, enroll


def every_text(database: Database) -> str:
    """Return all rows of all tables as one text."""
    return "\n".join(json.dumps([str(value) for value in row]) for row in all_rows(database))


def test_nothing_of_a_forgotten_person_is_left(database: Database) -> None:
    """Name, faces, decisions and face ids leave every table and the gallery. The receipt counts them."""
    gallery = catalogue(database)
    with database.begin() as connection:
        first, second, third = unmerged_persons(connection)[:3]
        verbs.name_person(connection, first, "Secret Name", STAMP)
        verbs.merge_persons(connection, find_person(connection, "Secret Name"), second, STAMP)
        face = faces_of_person(connection, find_person(connection, "Secret Name"))[0]
        verbs.confirm_face(connection, face, third, STAMP)
        verbs.confirm_face(connection, face, first, STAMP)
        person = find_person(connection, "Secret Name")
        face_ids = [face.face_id for face in faces_of_person(connection, person)]
        redirected = {second.person_id: first.person_id, third.person_id: "pother"}
        append(connection, Verb.RECLUSTER, STAMP, payload=ReclusterPayload(moved=1, redirected=redirected))
    receipt = forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
    assert (receipt.faces, receipt.removed, receipt.verified, receipt.owed) == (8, 8, True, 0)
    assert not set(face_ids) & set(gallery.vectors)
    text = every_text(database)
    for secret in ["Secret Name", second.person_id, *face_ids]:
        assert secret not in text
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tombstones)) == 8
        assert connection.scalar(select(func.count()).select_from(removals)) == 0
        with pytest.raises(PersonError):
            find_person(connection, first.person_id)
    with database.begin() as connection, pytest.raises(UsageError):
        undo(connection, None, STAMP)


def test_the_number_of_a_deleted_decision_is_not_used_again(database: Database) -> None:
    """Also if the deleted decisions were the latest ones: `undo N` means one decision for ever."""
    gallery = catalogue(database)
    with database.begin() as connection:
        person = unmerged_persons(connection)[0]
        numbers = [verbs.name_person(connection, person, name, STAMP) for name in ("First", "Second")]
        person = find_person(connection, "Second")
    forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
    with database.read() as connection:
        assert [decision.number for decision in read_decisions(connection)] == [max(numbers) + 1]


def test_no_scan_and_no_other_engine_brings_a_forgotten_face_back(light_database: Database) -> None:
    """A second scan, and a scan with another engine whose boxes differ, enroll all other faces."""
    lending = LendingGallery()
    settled(light_database, lending, enroll(light_database, lending, photos(BOX, 1)))
    with light_database.read() as connection:
        person = unmerged_persons(connection)[0]
        names = {face.uri.rpartition("/")[2] for face in faces_of_person(connection, person) if face.uri}
    forget_person(light_database, as_engine(lending), person, STAMP, gallery="catalog")
    again = [shot for shot in photos(BOX, 1) if shot.name in names]
    settled(light_database, lending, enroll(light_database, lending, again, night=1))
    assert len(lending.vectors) == 12
    listing = VectorGallery()
    settled(light_database, listing, enroll(light_database, listing, photos(SHIFTED, 2), night=2))
    assert len(listing.vectors) == 12
    assert len(who_is_who(light_database)) == 24


def test_matches_of_a_forgotten_person_are_deleted(light_database: Database) -> None:
    """Matches with faces of other persons are deleted with the faces."""
    gallery = VectorGallery()
    settled(light_database, gallery, enroll(light_database, gallery, photos(BOX, 1)))
    with light_database.read() as connection:
        person = unmerged_persons(connection)[0]
        before = connection.scalar(select(func.count()).select_from(matches)) or 0
    forget_person(light_database, as_engine(gallery), person, STAMP, gallery="catalog")
    with light_database.read() as connection:
        assert (connection.scalar(select(func.count()).select_from(matches)) or 0) < before
        assert connection.scalar(select(func.count()).select_from(faces)) == 12


def test_an_older_backup_does_not_restore_a_forgotten_person(database: Database, tmp_path: Path) -> None:
    """Face, name and decisions are deleted again, and the faces become pending removals."""
    gallery = catalogue(database)
    with database.begin() as connection:
        verbs.name_person(connection, unmerged_persons(connection)[0], "Secret Name", STAMP)
        person = find_person(connection, "Secret Name")
        other_ids = [row.person_id for row in unmerged_persons(connection)[1:]]
        shown = {face.face_id for face in faces_of_person(connection, person)}
    back_up(database, tmp_path / "backup.sqlite3")
    vectors = dict(gallery.vectors)
    forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
    restore(database, tmp_path / "backup.sqlite3")
    with database.read() as connection:
        assert [row.person_id for row in unmerged_persons(connection)] == other_ids
        assert not connection.execute(select(faces).where(faces.c.face_id.in_(shown))).all()
        assert set(connection.scalars(select(removals.c.face_id))) == shown
        assert [decision.verb for decision in read_decisions(connection, person_ids=[person.person_id])] == ["forget"]
    assert "Secret Name" not in every_text(database)
    gallery.vectors.update(vectors)  # as the local engine's gallery is, which is in the backup
    settled(database, gallery)
    assert not shown & set(gallery.vectors)


def test_persons_that_redirect_in_two_steps_are_forgotten_too(light_database: Database) -> None:
    """All persons that redirect to the person are deleted."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        first, second, third = unmerged_persons(connection)[:3]
        has_other_person = assignments.c.person_id.in_([second.id, third.id])
        connection.execute(update(assignments).where(has_other_person).values(person_id=first.id))
        connection.execute(update(persons).where(persons.c.id == second.id).values(merged_into=first.id))
        connection.execute(update(persons).where(persons.c.id == third.id).values(merged_into=second.id))
    forget_person(light_database, as_engine(gallery), first, STAMP, gallery="catalog")
    with light_database.read() as connection:
        assert not {first.id, second.id, third.id} & {row.id for row in all_persons(connection)}


def test_the_next_scan_drains_all_pending_removals(light_database: Database) -> None:
    """More of them than one batch."""
    gallery = catalogue(light_database)
    owed = [f"owed-{number}" for number in range(1001)]
    gallery.vectors.update(dict.fromkeys(owed, next(iter(gallery.vectors.values()))))
    with light_database.begin() as connection:
        row = {"engine": gallery.name, "gallery": "catalog", "wanted_at": "2026"}
        connection.execute(insert(removals), [{**row, "face_id": face_id} for face_id in owed])
    settled(light_database, gallery)
    assert not set(owed) & set(gallery.vectors)


def test_unassigned_faces_of_another_gallery_are_forgotten_too(light_database: Database) -> None:
    """The scan of another engine was killed before it assigned people. Its matching faces become pending removals."""
    lending, listing = LendingGallery(), VectorGallery()
    settled(light_database, lending, enroll(light_database, lending, photos(BOX, 1)))
    enroll(light_database, listing, photos(SHIFTED, 2), night=1)
    with light_database.read() as connection:
        person = unmerged_persons(connection)[0]
        hers = {face.sha256 for face in faces_of_person(connection, person)}
    receipt = forget_person(light_database, as_engine(lending), person, STAMP, gallery="catalog")
    assert (receipt.faces, receipt.removed, receipt.owed) == (4, 4, 4)
    with light_database.read() as connection:
        left = select(func.count()).select_from(faces.join(photos_table)).where(photos_table.c.sha256.in_(hers))
        assert connection.scalar(left) == 0


def test_a_person_merged_since_the_confirmation_is_not_forgotten(light_database: Database) -> None:
    """The id redirects to another person than the user confirmed."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        canonical, merged = unmerged_persons(connection)[:2]
        verbs.merge_persons(connection, canonical, merged, STAMP)
    with pytest.raises(PersonError, match="merged into another person"):
        forget_person(light_database, as_engine(gallery), merged, STAMP, gallery="catalog")
    with light_database.read() as connection:
        assert len(faces_of_person(connection, canonical)) == 8


class FailingGallery(LendingGallery):
    """A gallery whose removals fail, as with a lost connection."""

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        raise EngineError("The gallery is not reachable.")


def test_an_interrupted_forget_is_finished_by_the_same_command(database: Database) -> None:
    """The rows were deleted and the gallery failed: its faces are pending removals, which the status counts."""
    gallery = catalogue(database)
    with database.begin() as connection:
        verbs.name_person(connection, unmerged_persons(connection)[0], "Ann", STAMP)
        ann = find_person(connection, "Ann")
        hers = {face.face_id for face in faces_of_person(connection, ann)}
    unreachable = FailingGallery(vectors=gallery.vectors, sha256=gallery.sha256)
    with pytest.raises(EngineError, match="forgotten in the catalogue"):
        forget_person(database, as_engine(unreachable), ann, STAMP, gallery="catalog")
    with database.read() as connection, pytest.raises(PersonError):
        find_person(connection, "Ann")
    assert read_status(database).pending_removals == len(hers)
    receipt = finish_forgetting(database, as_engine(gallery), "Ann", gallery="catalog")
    assert receipt is not None
    assert (receipt.removed, receipt.verified, receipt.owed) == (len(hers), True, 0)
    assert not hers & set(gallery.vectors)
    assert read_status(database).pending_removals == 0
    assert finish_forgetting(database, as_engine(gallery), "Ann", gallery="catalog") is None


def test_the_receipt_names_temporary_copies_that_another_process_writes(tmp_path: Path, sqlite_template: Path) -> None:
    """Those of killed processes are deleted."""
    shutil.copy(sqlite_template, tmp_path / "catalog.sqlite3")
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    gallery = catalogue(database)
    (tmp_path / ".catalog.sqlite3.abcd1234.part").write_bytes(b"SQLite format 3\0")
    with database.read() as connection:
        person = unmerged_persons(connection)[0]
    with temporary_file(tmp_path / "new.sqlite3") as busy:
        receipt = forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
        assert receipt.backups == (busy,)
    database.close()
    assert not (tmp_path / ".catalog.sqlite3.abcd1234.part").exists()
