"""Labels files of a catalogue with merged and forgotten persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, select, update

from catalog.domain.decisions import Decision, Verb
from catalog.domain.errors import UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.import_labels import LabelImportResult, import_labels
from catalog.identities.decisions.log import DecisionStamp, read_decisions
from catalog.store.database import Database, open_database
from catalog.store.labels_file import Labels, export_labels, labels_json, parse_labels
from catalog.store.people import add_persons, find_person, redirect
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments, decisions, persons
from catalog.store.tombstones import Tombstone
from tests.store.named_photo import CONTENT, DAY, fill, name_person_on_photo

NOW = datetime(2026, 5, 17, tzinfo=UTC)
STAMP = DecisionStamp("me", NOW)


def redirects(conn: Connection) -> dict[str, str | None]:
    """Return by person id the id that it redirects to."""
    ids = {row.id: row.person_id for row in all_persons(conn)}
    return {row.person_id: ids[row.merged_into] if row.merged_into else None for row in all_persons(conn)}


def add_labels(conn: Connection, labels: Labels) -> LabelImportResult:
    return import_labels(conn, labels, STAMP, engine="local", gallery="g")


def forget(conn: Connection, person_id: str) -> None:
    """Delete a person and append the decision that forgets it."""
    conn.execute(delete(persons).where(persons.c.person_id == person_id))
    conn.exec_driver_sql(
        "INSERT INTO decisions (decided_at, decided_by, verb, person_id)"
        f" VALUES ('2026-05-18T00:00:00.000000Z', 'me', 'forget', '{person_id}')"
    )


def test_a_person_that_a_scan_merged_into_an_unnamed_one_can_be_restored(database: Database) -> None:
    """The labels file contains the canonical persons of its redirects, also without a decision on them."""
    with database.begin() as conn:
        canonical, merged = add_persons(conn, 2, NOW)
        redirect(conn, merged, canonical)
        content = export_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons))
        add_labels(conn, content)
        assert redirects(conn) == {canonical.person_id: None, merged.person_id: canonical.person_id}


def test_a_labels_file_without_the_canonical_person_can_be_restored(database: Database) -> None:
    """Files of earlier versions lack it. The merged id then becomes a person of its own."""
    with database.begin() as conn:
        canonical, merged = add_persons(conn, 2, NOW)
        redirect(conn, merged, canonical)
        content = export_labels(conn, NOW)
        content = replace(content, persons=tuple(person for person in content.persons if person.merged_into))
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons))
        add_labels(conn, content)
        assert redirects(conn) == {merged.person_id: None}


def test_a_reversed_merge_makes_no_redirect_cycle(database: Database) -> None:
    """Following a cycle would not end."""
    with database.begin() as conn:
        ann, bob = add_persons(conn, 2, NOW)
        redirect(conn, bob, ann)
        content = export_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        redirect(conn, ann, bob)
        add_labels(conn, content)
        assert redirects(conn) == {ann.person_id: bob.person_id, bob.person_id: None}


def test_a_merge_from_a_labels_file_moves_faces_and_redirects(database: Database) -> None:
    """All ids redirect to the canonical person, and no face stays with a merged person."""
    with database.begin() as conn:
        ann, bob, eve = add_persons(conn, 3, NOW)
        redirect(conn, bob, ann)
        content = export_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        redirect(conn, eve, bob)
        fill(conn)
        conn.execute(assignments.insert(), {"face_id": 5, "person_id": bob.id, "by": "cluster", "assigned_at": DAY})
        add_labels(conn, content)
        assert redirects(conn) == {ann.person_id: None, bob.person_id: ann.person_id, eve.person_id: ann.person_id}
        assert conn.scalar(select(assignments.c.person_id)) == ann.id


def test_a_forgotten_person_does_not_come_back_with_older_labels(database: Database) -> None:
    """Older labels files do not restore the name, the id or a decision."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = parse_labels(labels_json(export_labels(conn, NOW)), "labels")
        conn.execute(delete(assignments))
        conn.execute(delete(decisions))
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons).where(persons.c.person_id == "p1"))
        forget(conn, "p2")
        done = add_labels(conn, labels)
        assert (done.persons, done.decisions, done.faces) == (0, 0, 0)
        assert all_persons(conn) == []
        assert conn.scalars(select(decisions.c.verb)).all() == ["forget"]


def test_persons_forgotten_in_a_labels_file_are_forgotten_on_restore(database: Database) -> None:
    """Their faces, names and decisions are deleted. Restoring twice changes nothing."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = export_labels(conn, NOW)
        tombstone = Tombstone(FaceKey(CONTENT, BoundingBox(0.1, 0.1, 0.3, 0.3)), DAY)
        forgotten = Decision(9, NOW, "x", Verb.FORGET, "p2")
        labels = replace(labels, persons=(), decisions=(forgotten,), tombstones=(tombstone,))
        assert add_labels(conn, labels).tombstones == 1
        assert add_labels(conn, labels).tombstones == 0
        assert all_persons(conn) == []
        assert conn.exec_driver_sql("SELECT count(*) FROM faces").scalar() == 0
        assert conn.exec_driver_sql("SELECT face_id FROM removals").scalar() == "f1"
        assert conn.scalars(select(decisions.c.verb)).all() == ["forget"]


def test_an_import_where_the_file_was_made_keeps_redirects(database: Database) -> None:
    """Nothing is added twice."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = export_labels(conn, NOW)
        add_labels(conn, labels)
        assert redirects(conn) == {"p1": "p2", "p2": None}
        assert find_person(conn, "p1").name == "Ann"


def test_labels_restore_onto_another_engine(database: Database, tmp_path: Path) -> None:
    """The face with the same key gets its person, although its face id differs. A second import changes nothing."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = parse_labels(labels_json(export_labels(conn, NOW)), "labels")
    target = open_database(str(tmp_path / "other.sqlite3"))
    with target.begin() as conn:
        fill(conn, "another-id", "rekognition")
        done = add_labels(conn, labels)
        assert (done.persons, done.decisions, done.faces) == (2, 2, 1)
        again = add_labels(conn, labels)
        assert (again.persons, again.decisions, again.faces) == (0, 0, 0)
        rows = conn.exec_driver_sql(
            "SELECT p.name FROM assignments a JOIN persons p ON p.id = a.person_id JOIN faces f ON f.id = a.face_id"
        ).scalars()
        assert list(rows) == ["Ann"]
        assert (
            conn.exec_driver_sql(
                "SELECT verb FROM decisions WHERE id = (SELECT undone_by FROM decisions WHERE verb = 'name')"
            ).scalar()
            == "undo"
        )
    target.close()


def test_labels_wait_for_photos_that_are_not_scanned_yet(database: Database, tmp_path: Path) -> None:
    """The decision log keeps the face keys for a later scan, without a confirmation."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = export_labels(conn, NOW)
    target = open_database(str(tmp_path / "other.sqlite3"))
    with target.begin() as conn:
        add_labels(conn, labels)
        add_labels(conn, labels)
        effective = effective_decisions(read_decisions(conn))
    target.close()
    assert [(person, place.sha256) for place, person in effective.awaited] == [("p2", CONTENT)]
    assert effective.confirmed == []


def test_json_that_is_not_a_labels_file_is_refused() -> None:
    """The message names the file."""
    with pytest.raises(UsageError, match="not a labels file"):
        parse_labels("{}", "x.json")
