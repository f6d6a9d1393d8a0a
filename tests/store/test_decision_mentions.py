"""Decisions that mention persons or photos are found without reading every payload."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection

from catalog.domain.decisions import (
    FacePayload,
    FacesPayload,
    NewPerson,
    PriorFace,
    PriorState,
    StatePayload,
    UnchangedPerson,
    UndoPayload,
    Verb,
)
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.store.database import Database
from catalog.store.decision_history import groups_of, read_groups
from catalog.store.decision_mentions import decisions_mentioning, later_mentioning
from catalog.store.decision_rows import append_decision, last_redoable, mark_undone, start_group

NOW = datetime(2024, 5, 1, tzinfo=UTC)
BOX = BoundingBox(0.1, 0.2, 0.3, 0.4)
MANY = [f"{number:064x}" for number in range(100, 200)]
"""Content hashes of photos of no decision: so many texts are looked for another way than a few."""


def key(number: int) -> FaceKey:
    return FaceKey(f"{number:064x}", BOX)


def prior(number: int, person: str) -> PriorFace:
    assigned_at = "2024-01-01T00:00:00Z"
    return PriorFace(key(number), "local", "catalog", False, person, AssignedBy.CLUSTER, 95.5, assigned_at)


def merge(connection: Connection, canonical: str, merged: str, *photos: int, group: int | None = None) -> int:
    before = PriorState((UnchangedPerson(canonical), UnchangedPerson(merged)), tuple(prior(n, merged) for n in photos))
    return append_decision(
        connection,
        Verb.MERGE,
        decided_at=NOW,
        decided_by="ann",
        person_id=canonical,
        other_person_id=merged,
        payload=FacesPayload(before),
        group=group,
    )


def confirm(connection: Connection, photo: int, person: str) -> int:
    before = PriorState((UnchangedPerson(person),), (prior(photo, person),))
    return append_decision(
        connection,
        Verb.CONFIRM,
        decided_at=NOW,
        decided_by="ann",
        person_id=person,
        face=key(photo),
        payload=FacePayload(before),
    )


def undo(connection: Connection, *numbers: int, persons: Collection[str] = ()) -> int:
    before = PriorState(tuple(map(UnchangedPerson, persons)), (prior(9, "p9"),))
    payload = UndoPayload(before, of=numbers[0], also=numbers[1:])
    number = append_decision(connection, Verb.UNDO, decided_at=NOW, decided_by="ann", payload=payload)
    mark_undone(connection, numbers, number)
    return number


def mentioning(connection: Connection, *persons: str, photos: Collection[int] = (), after: int = 0) -> list[int]:
    contents = {key(number).sha256 for number in photos}
    decisions = decisions_mentioning(connection, persons=persons, contents=contents, after=after)
    return [decision.number for decision in decisions]


def test_a_decision_mentions_the_persons_and_photos_of_its_columns(database: Database) -> None:
    with database.begin() as connection:
        first = merge(connection, "p1", "p2", 1, 2)
        second = confirm(connection, 3, "p3")
        assert mentioning(connection, "p1") == mentioning(connection, "p2") == [first]
        assert mentioning(connection, "p3") == mentioning(connection, photos=[3]) == [second]
        assert mentioning(connection, "p1", "p3") == [first, second]
        assert mentioning(connection, "p1", "p3", after=first) == [second]
        assert mentioning(connection, "p4", photos=[4]) == []


def test_a_decision_mentions_the_faces_that_it_moved(database: Database) -> None:
    """A merge moves faces that only its payload names."""
    with database.begin() as connection:
        number = merge(connection, "p1", "p2", 1, 2)
        assert mentioning(connection, "p5", photos=[2]) == [number]
        contents = {*MANY, key(2).sha256}
        assert [d.number for d in decisions_mentioning(connection, persons=(), contents=contents, after=0)] == [number]
        assert decisions_mentioning(connection, persons=(), contents=MANY, after=0) == []


def test_an_undo_mentions_the_persons_of_its_payload(database: Database) -> None:
    with database.begin() as connection:
        first, second = merge(connection, "p1", "p2"), merge(connection, "p3", "p4")
        undone_by = undo(connection, first, second, persons=["p1", "p2", "p3", "p4"])
        assert mentioning(connection, "p4", after=second) == [undone_by]
        assert mentioning(connection, "p", "p44", after=second) == []


def later(connection: Connection, after: int, *wanted: str, excluded: Collection[int] = ()) -> list[int]:
    later_decisions = later_mentioning(connection, mentioned=lambda: wanted, after=after, excluded=excluded)
    return [decision.number for decision in later_decisions]


def test_later_decisions_in_force_are_found_by_a_person_and_by_a_photo(database: Database) -> None:
    with database.begin() as connection:
        first = merge(connection, "p1", "p2", 1)
        second, third = merge(connection, "p1", "p3", 3), confirm(connection, 1, "p5")
        assert later(connection, first, "p1", key(1).sha256) == [second, third]
        assert later(connection, first, "p1", key(1).sha256, excluded=[second]) == [third]
        assert later(connection, first, *MANY, key(3).sha256) == [second]
        assert later(connection, first, *MANY) == later(connection, first, "p6") == []


def test_a_later_decision_that_was_undone_left_no_trace(database: Database) -> None:
    """Neither it nor its undo is later. The undo of an earlier decision is."""
    with database.begin() as connection:
        first, second, third = (merge(connection, "p1", other, 1) for other in ("p2", "p3", "p4"))
        undo(connection, third, persons=["p1", "p4"])
        assert later(connection, second, "p1") == []
        assert later(connection, first, "p1") == [second]
        of_first = undo(connection, first, persons=["p1", "p2"])
        assert later(connection, second, "p1") == [of_first]


def test_groups_are_read_without_prior_states(database: Database) -> None:
    """An undo has the number of the decision that it undid."""
    with database.begin() as connection:
        first = merge(connection, "p1", "p2", 1, 2)
        second = merge(connection, "p3", "p4", 3)
        start_group(connection, second)
        third = merge(connection, "p3", "p5", group=second)
        undone_by = undo(connection, second, third, persons=["p3", "p4", "p5"])
        groups = read_groups(connection, [undone_by, second, first])
        assert list(groups) == [undone_by, second, first]
        assert [decision.number for decision in groups[second]] == [second, third]
        assert groups[first][0].before == PriorState()
        assert groups[first][0].other_person_id == "p2"
        assert groups[undone_by][0].targets == (second,)
        assert groups_of(connection, [first, second, third]) == {first, second}


def test_the_undo_of_an_undo_is_not_done_again(database: Database) -> None:
    with database.begin() as connection:
        first = append_decision(
            connection,
            Verb.HIDE,
            decided_at=NOW,
            decided_by="ann",
            person_id="p1",
            payload=StatePayload(PriorState((NewPerson("p1"),))),
        )
        assert last_redoable(connection) is None
        undone_by = undo(connection, first)
        assert last_redoable(connection, decided_by="ann") == undone_by
        assert last_redoable(connection, decided_by="bob") is None
        mark_undone(connection, [first], None)
        undo(connection, undone_by)
        assert last_redoable(connection) is None
