"""A file of labels is added to what humans said and machines found here; what is there already stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from catalog.identities import decisions
from catalog.identities.decisions import Stamp
from catalog.identities.ledger import read_ledger
from catalog.identities.relabel import restore_labels
from catalog.identities.replay import replay
from catalog.identities.undo import undo
from catalog.store.appearances import appearances_of
from catalog.store.database import Database
from catalog.store.labels import parse_labels, read_labels
from catalog.store.people import find_person
from catalog.store.tables import decisions as ledger
from tests.identities.made import NOW
from tests.identities.test_decisions import STAMP, catalogue, everybody
from tests.identities.test_settle import fresh_database

EARLIER = Stamp("somebody", NOW - timedelta(days=1))


def labels_of(database: Database) -> dict[str, Any]:
    """What a file holds that is made now."""
    with database.read() as connection:
        return parse_labels(json.dumps(read_labels(connection, NOW)), "labels")


def put_back(database: Database, labels: dict[str, Any]) -> tuple[int, int, int]:
    """As the command does: the file is added, then decisions find their faces."""
    with database.begin() as connection:
        done = restore_labels(connection, labels, NOW)
        replay(connection, engine="local", gallery="catalog", now=NOW)
    return done.persons, done.decisions, done.faces


@pytest.fixture
def other(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty catalogue besides."""
    opened: AbstractContextManager[Database] = fresh_database(sqlite_template, tmp_path_factory)
    with opened as database:
        yield database


def test_an_undo_knows_under_new_numbers_what_it_took_back(light_database: Database, other: Database) -> None:
    """Taken back itself, it lets the decision hold again that it was about, and leaves strangers' decisions alone."""
    catalogue(light_database)
    with light_database.begin() as connection:
        undo(connection, decisions.name_person(connection, everybody(connection)[0], "Ann", STAMP), STAMP)
    catalogue(other, count=3)
    with other.begin() as connection:
        for person in everybody(connection):
            decisions.name_person(connection, person, "here", EARLIER)
        theirs, _ = undo(connection, 1, EARLIER)
        restore_labels(connection, labels_of(light_database), NOW)
        named, taken_back = read_ledger(connection)[-2:]
        assert (named.verb, named.undone_by) == ("name", taken_back.number)
        assert taken_back.details["of"] == named.number
        undo(connection, taken_back.number, STAMP)
        undone = {each.number: each.undone_by for each in read_ledger(connection)}
    assert (undone[named.number], undone[1]) == (None, theirs)


def test_a_copy_knows_under_new_numbers_whose_it_is(light_database: Database, other: Database) -> None:
    """What was repeated for edited content is taken back along with its original."""
    catalogue(light_database)
    with light_database.begin() as connection:
        one, two = everybody(connection)[:2]
        number = decisions.confirm_face(connection, appearances_of(connection, one)[0], two, STAMP)
        said = connection.execute(select(ledger).where(ledger.c.id == number)).mappings().one()
        place = [said[key] for key in ("photo_sha256", "box_left", "box_top", "box_width", "box_height")]
        details = json.dumps({**json.loads(said["details"]), "carried_from": place, "copy_of": number})
        copy = {**said, "id": number + 1, "photo_sha256": "edited", "details": details}
        connection.execute(ledger.insert(), copy)
    catalogue(other, count=1)
    with other.begin() as connection:
        for name in ("one", "two", "three"):
            decisions.name_person(connection, everybody(connection)[0], name, EARLIER)
        restore_labels(connection, labels_of(light_database), NOW)
        original, copied = read_ledger(connection, verbs=["confirm"])
        assert copied.details["copy_of"] == original.number


def test_merges_of_one_instant_are_all_kept(light_database: Database, other: Database) -> None:
    """Two people are merged into one with one command: two entries that differ in whom they are about."""
    catalogue(light_database)
    with light_database.begin() as connection:
        kept, *gone = everybody(connection)[:3]
        for each in gone:
            number = decisions.merge_persons(connection, find_person(connection, kept.person_id), each, STAMP)
        undo(connection, number, STAMP)
    for _ in range(2):
        put_back(other, labels_of(light_database))
        with other.read() as connection:
            told = [(each.other_person_id, each.undone_by) for each in read_ledger(connection, verbs=["merge"])]
        assert told == [(gone[0].person_id, None), (gone[1].person_id, 3)]


def test_a_decision_that_holds_here_again_is_not_taken_back_by_an_older_file(light_database: Database) -> None:
    """The file was made while it was taken back."""
    catalogue(light_database)
    with light_database.begin() as connection:
        number = decisions.name_person(connection, everybody(connection)[0], "Ann", STAMP)
        by, _ = undo(connection, number, STAMP)
    labels = labels_of(light_database)
    with light_database.begin() as connection:
        undo(connection, by, STAMP)
    put_back(light_database, labels)
    with light_database.read() as connection:
        assert [each.undone_by for each in read_ledger(connection)] == [None, 3, None]
