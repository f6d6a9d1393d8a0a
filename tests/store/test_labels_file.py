"""Labels files of a catalogue with merged and forgotten persons."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, select, update

from catalog.domain.errors import UsageError
from catalog.identities.decisions.import_labels import restore_labels
from catalog.store.database import Database
from catalog.store.labels_file import parse_labels, read_labels
from catalog.store.people import add_persons, find_person, redirect
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments, decisions, persons
from tests.store.named_photo import DAY, fill, name_person_on_photo

NOW = datetime(2026, 5, 17, tzinfo=UTC)


def redirects(conn: Connection) -> dict[str, str | None]:
    """Return by person id the id that it redirects to."""
    ids = {row.id: row.person_id for row in all_persons(conn)}
    return {row.person_id: ids[row.merged_into] if row.merged_into else None for row in all_persons(conn)}


def forget(conn: Connection, person_id: str) -> None:
    """Return the rows that mention a person."""
    conn.execute(delete(persons).where(persons.c.person_id == person_id))
    conn.exec_driver_sql(
        "INSERT INTO decisions (decided_at, decided_by, verb, person_id)"
        f" VALUES ('2026-05-18T00:00:00.000000Z', 'me', 'forget', '{person_id}')"
    )


def test_a_person_that_a_scan_merged_into_an_unnamed_one_can_be_restored(database: Database) -> None:
    """The labels file contains the canonical persons of its redirects, also without a decision on them."""
    with database.begin() as conn:
        kept, merged = add_persons(conn, 2, NOW)
        redirect(conn, merged, kept)
        content = read_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons))
        restore_labels(conn, content, NOW)
        assert redirects(conn) == {kept.person_id: None, merged.person_id: kept.person_id}


def test_a_labels_file_without_the_canonical_person_can_be_restored(database: Database) -> None:
    """Files of earlier versions lack it. The merged id then becomes a person of its own."""
    with database.begin() as conn:
        kept, merged = add_persons(conn, 2, NOW)
        redirect(conn, merged, kept)
        content = read_labels(conn, NOW)
        content["persons"] = [person for person in content["persons"] if person["merged_into"]]
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons))
        restore_labels(conn, content, NOW)
        assert redirects(conn) == {merged.person_id: None}


def test_a_reversed_merge_makes_no_redirect_cycle(database: Database) -> None:
    """Following a cycle would not end."""
    with database.begin() as conn:
        ann, bob = add_persons(conn, 2, NOW)
        redirect(conn, bob, ann)
        content = read_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        redirect(conn, ann, bob)
        restore_labels(conn, content, NOW)
        assert redirects(conn) == {ann.person_id: bob.person_id, bob.person_id: None}


def test_a_merge_from_a_labels_file_moves_faces_and_redirects(database: Database) -> None:
    """All ids redirect to the canonical person, and no face stays with a merged person."""
    with database.begin() as conn:
        ann, bob, eve = add_persons(conn, 3, NOW)
        redirect(conn, bob, ann)
        content = read_labels(conn, NOW)
        conn.execute(update(persons).values(merged_into=None))
        redirect(conn, eve, bob)
        fill(conn)
        conn.execute(assignments.insert(), {"face_id": 5, "person_id": bob.id, "by": "cluster", "assigned_at": "2026"})
        restore_labels(conn, content, NOW)
        assert redirects(conn) == {ann.person_id: None, bob.person_id: ann.person_id, eve.person_id: ann.person_id}
        assert conn.scalar(select(assignments.c.person_id)) == ann.id


def test_a_forgotten_person_does_not_come_back_with_older_labels(database: Database) -> None:
    """Older labels files do not restore the name, the id or a decision."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = parse_labels(json.dumps(read_labels(conn, NOW)), "labels")
        conn.execute(delete(assignments))
        conn.execute(delete(decisions))
        conn.execute(update(persons).values(merged_into=None))
        conn.execute(delete(persons).where(persons.c.person_id == "p1"))
        forget(conn, "p2")
        done = restore_labels(conn, labels, NOW)
        assert (done.persons, done.decisions, done.faces) == (0, 0, 0)
        assert all_persons(conn) == []
        assert conn.scalars(select(decisions.c.verb)).all() == ["forget"]


def test_persons_forgotten_in_a_labels_file_are_forgotten_on_restore(database: Database) -> None:
    """Their faces, names and decisions are deleted. Restoring twice changes nothing."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = read_labels(conn, NOW)
        stone = {"photo_sha256": "aa", "box_left": 0.1, "box_top": 0.1, "box_width": 0.3, "box_height": 0.3}
        labels["tombstones"] = [{**stone, "forgotten_at": "2026"}]
        entry = dict.fromkeys(labels["decisions"][0])
        labels["decisions"] = [
            {**entry, "id": 9, "verb": "forget", "person_id": "p2", "decided_at": DAY, "decided_by": "x"}
        ]
        labels["persons"] = []
        assert restore_labels(conn, labels, NOW).tombstones == 1
        assert restore_labels(conn, labels, NOW).tombstones == 0
        assert all_persons(conn) == []
        assert conn.exec_driver_sql("SELECT count(*) FROM faces").scalar() == 0
        assert conn.exec_driver_sql("SELECT face_id FROM removals").scalar() == "f1"
        assert conn.scalars(select(decisions.c.verb)).all() == ["forget"]


def test_a_name_with_a_nul_character_is_refused() -> None:
    """PostgreSQL cannot store it."""
    content = {"format": "catalog labels", "version": 1, "persons": [{"name": "A\0"}]}
    with pytest.raises(UsageError, match="NUL"):
        parse_labels(json.dumps(content), "labels.json")


def test_restoring_labels_twice_adds_nothing(database: Database) -> None:
    """Redirects included."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
        labels = read_labels(conn, NOW)
        restore_labels(conn, labels, NOW)
        assert redirects(conn) == {"p1": "p2", "p2": None}
        assert find_person(conn, "p1").name == "Ann"
