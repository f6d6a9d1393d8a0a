"""Scans of two folders may go side by side, and people forget others meanwhile: who is who stays whole."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, func, select

from catalog.domain.errors import CatalogError
from catalog.domain.faces import NeighborList
from catalog.identities.assignment import assign_people
from catalog.identities.decisions.forget import forget_person
from catalog.identities.decisions.undo import undo
from catalog.identities.decisions.verbs import merge_persons, name_person, reject_face
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person, list_people
from catalog.store.person_index import PersonRow, all_persons, canonical_person
from catalog.store.tables import faces, photos, tombstones
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons
from tests.identities.made_library import LendingGallery, Shot, VectorGallery, digest, enroll, near, people


def four_strangers(database: Database, gallery: VectorGallery) -> None:
    rng = np.random.default_rng(5)
    shots = [Shot(f"{number}.jpg", [near(who, 0.9, rng)]) for number, who in enumerate(people(4, rng))]
    enroll(database, gallery, shots)


def two_settle(database: Database, gallery: VectorGallery) -> None:
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(settled, database, gallery) for _ in range(2)]:
            each.result()


def meet(barrier: threading.Barrier) -> None:
    """Wait for the other one; not for ever."""
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait(1)


class Meeting(VectorGallery):
    """Lets nobody go on with its first search before another has asked for its own."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        meet(self.barrier)
        return super().neighbors(face_id, threshold, limit)


def test_no_search_is_bought_by_both(database: Database) -> None:
    """A list of neighbors is asked for once."""
    gallery = Meeting()
    four_strangers(database, gallery)
    two_settle(database, gallery)
    assert gallery.calls == 4


class Slow(LendingGallery):
    """Lends its vectors when somebody else asks for them too, or nobody else will."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        meet(self.barrier)
        return super().group_vectors(face_ids)


def test_no_person_is_made_twice(database: Database) -> None:
    """There are no persons without a face."""
    gallery = Slow()
    four_strangers(database, gallery)
    two_settle(database, gallery)
    with database.read() as connection:
        assert len(all_persons(connection)) == 4


class Meanwhile(LendingGallery):
    """Somebody takes a face out while faces are clustered, before or after its vector was lent."""

    def __init__(self, database: Database, before: bool) -> None:
        super().__init__()
        self.database = database
        self.before = before

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        gone = min(self.vectors)
        if len(self.vectors) < 4:
            return super().group_vectors(face_ids)
        with self.database.begin() as connection:
            connection.execute(delete(faces).where(faces.c.face_id == gone))
        if self.before:
            self.remove([gone])
            return super().group_vectors(face_ids)
        sums = super().group_vectors(face_ids)
        self.remove([gone])
        return sums


def test_a_face_that_is_taken_out_meanwhile_does_not_end_the_scan(database: Database) -> None:
    """It is left out; the others get their persons."""
    for before in (False, True):
        gallery = Meanwhile(database, before)
        four_strangers(database, gallery)
        settled(database, gallery)
        assert None not in who_is_who(database).values()
        assert len(who_is_who(database)) == 3
        with database.begin() as connection:
            connection.execute(delete(faces))


def test_forgetting_waits_for_a_scan_that_settles(database: Database) -> None:
    """Both come to their end, and nothing of the person is left."""
    gallery = Slow()
    four_strangers(database, gallery)
    settled(database, gallery)
    with database.read() as connection:
        person = all_persons(connection)[0]
    gallery.barrier = threading.Barrier(2)
    with ThreadPoolExecutor(1) as pool:
        settling = pool.submit(settled, database, gallery)
        meet(gallery.barrier)
        receipt = forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
        settling.result()
    assert (receipt.faces, receipt.verified) == (1, True)
    with database.read() as connection:
        assert len(all_persons(connection)) == 3
        assert connection.scalar(select(func.count()).select_from(tombstones)) == 1


class Deciding(LendingGallery):
    """A human decides while faces are clustered."""

    decide: Callable[[], object] = staticmethod(lambda: None)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        sums = super().group_vectors(face_ids)
        self.decide()
        return sums


def test_a_face_that_is_rejected_meanwhile_is_not_given_back(database: Database) -> None:
    """The scan had seen it with that person, and new company came to both."""
    gallery = Deciding()
    rng = np.random.default_rng(5)
    (who,) = people(1, rng)
    enroll(database, gallery, [Shot(f"{number}.jpg", [near(who, 0.9, rng)]) for number in range(4)])
    settled(database, gallery)
    enroll(database, gallery, [Shot("new.jpg", [near(who, 0.9, rng)])], night=1)
    rejected: list[str] = []

    def reject() -> None:
        if rejected:
            return
        with database.begin() as connection:
            (person,) = all_persons(connection)
            face = faces_of_person(connection, person)[0]
            reject_face(connection, face, person, STAMP)
            rejected.append(face.face_id)

    gallery.decide = reject
    settled(database, gallery)
    (face_id,) = rejected
    company = who_is_who(database)
    assert company.pop(face_id) is None
    assert len(company) == 4
    assert len(set(company.values()) - {None}) == 1
    assert None not in company.values()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each gives, or raises with a sentence."""
    with ThreadPoolExecutor(len(calls)) as pool:
        told: list[object] = []
        for each in [pool.submit(call) for call in calls]:
            try:
                told.append(each.result(60))
            except CatalogError as error:
                told.append(error)
        return told


def assert_whole(database: Database, faces_held: int) -> None:
    """Every id leads to somebody, and unmerged_persons's faces are seen."""
    with database.read() as connection:
        everyone = all_persons(connection)
        for each in everyone:
            assert canonical_person(connection, each.id).merged_into is None
        assert sum(each.faces for each in list_people(connection)) == faces_held


def test_two_merge_the_same_people_the_other_way_round(database: Database) -> None:
    """One of them is told that they are one already."""
    catalogue(database)
    barrier = threading.Barrier(2)
    with database.read() as connection:
        one, two = unmerged_persons(connection)[:2]

    def merge(kept: PersonRow, gone: PersonRow) -> None:
        with database.begin() as connection:
            found = [find_person(connection, each.person_id) for each in (kept, gone)]
            meet(barrier)
            merge_persons(connection, *found, STAMP)

    told = at_once(lambda: merge(one, two), lambda: merge(two, one))
    assert sum(each is None for each in told) == 1
    assert_whole(database, 16)


def test_a_chain_of_merges(database: Database) -> None:
    """One terminal merges A into B, another B into C meanwhile."""
    catalogue(database)
    with database.read() as connection:
        one, two, three = unmerged_persons(connection)[:3]

    def later() -> None:
        with database.begin() as connection:
            merge_persons(connection, find_person(connection, three.person_id), two, STAMP)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            merge_persons(connection, two, one, STAMP)
            other = pool.submit(later)
            wait([other], timeout=0.5)  # it waits for us
        other.result(60)
    assert_whole(database, 16)


def test_one_of_two_undos_is_told_that_it_was_undone(database: Database) -> None:
    """The same decision, from two terminals."""
    catalogue(database)
    with database.begin() as connection:
        number = merge_persons(connection, *unmerged_persons(connection)[:2], STAMP)
    barrier = threading.Barrier(2)

    def take_back() -> int:
        with database.begin() as connection:
            meet(barrier)
            return undo(connection, number, STAMP)[0]

    told = at_once(take_back, take_back)
    assert sum(isinstance(each, int) for each in told) == 1
    assert_whole(database, 16)


class Interrupted(LendingGallery):
    """Lets a human decide between the reading and the writing of a scan that settles, or while it writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.decide: Callable[[], None] | None = None
        self.pool = ThreadPoolExecutor(1)
        self.decided: Future[None] | None = None
        real = assign_people.add_persons

        def pause(*given: object) -> object:
            if self.decide is not None:
                self.decided, self.decide = self.pool.submit(self.decide), None
                wait([self.decided], timeout=0.5)  # until it is done, or waits for us
            return real(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(assign_people, "add_persons", pause)


def test_a_merge_while_a_scan_writes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new face of somebody who is merged away at that instant goes where the id leads."""
    gallery = Interrupted(monkeypatch)
    rng = np.random.default_rng(3)
    centers = people(4, rng, 128)
    shots = [Shot(f"{who}-{n}", [near(centers[who], 0.85, rng)]) for who in range(4) for n in range(4)]
    settled(database, gallery, enroll(database, gallery, shots))
    with database.read() as connection:
        shown = [face for each in unmerged_persons(connection) for face in faces_of_person(connection, each)]
        first = next(face for face in shown if face.sha256 == digest("1-0"))
        gone = find_person(connection, first.person_id or "")
        kept = next(each for each in unmerged_persons(connection) if each != gone)

    def merge() -> None:
        with database.begin() as connection:
            merge_persons(connection, find_person(connection, kept.person_id), gone, STAMP)

    enroll(database, gallery, [Shot("new", [near(centers[1], 0.85, rng)])], night=1)
    gallery.decide = merge
    settled(database, gallery)
    assert gallery.decided is not None
    gallery.decided.result(60)
    assert_whole(database, 17)


def test_a_name_while_a_scan_merges(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night finds two to be one; a human names the one that is going: the name is there afterwards."""
    gallery = Interrupted(monkeypatch)
    rng = np.random.default_rng(5)
    (center,) = people(1, rng, 128)
    away = near(center, 0.0, rng).astype(np.float64)
    tilted = [np.asarray(center * np.cos(turn) + away * np.sin(turn), dtype=np.float32) for turn in (0.0, 1.2, 0.6)]
    for night in (0, 1):
        settled(database, gallery, enroll(database, gallery, [Shot(f"{night}", [tilted[night]])], night=night))
    with database.read() as connection:
        _, young = unmerged_persons(connection)

    def name() -> None:
        with database.begin() as connection:
            name_person(connection, find_person(connection, young.person_id), "Ann", STAMP)

    enroll(database, gallery, [Shot("2", [tilted[2]])], night=2)
    gallery.decide = name
    settled(database, gallery)
    assert gallery.decided is not None
    gallery.decided.result(60)
    with database.read() as connection:
        assert find_person(connection, "Ann").name == "Ann"


def test_a_new_face_rejected_while_it_is_clustered(database: Database) -> None:
    """It had nobody yet; it does not get whom it was said not to be."""
    gallery = Deciding()
    rng = np.random.default_rng(5)
    (center,) = people(1, rng)
    shots = [Shot(f"{n}.jpg", [near(center, 0.9, rng)]) for n in range(4)]
    settled(database, gallery, enroll(database, gallery, shots))
    enroll(database, gallery, [Shot("new.jpg", [near(center, 0.9, rng)])], night=1)
    said: list[tuple[str, str]] = []

    def reject() -> None:
        if said:
            return
        with database.begin() as connection:
            (person,) = all_persons(connection)
            row = connection.scalar(select(faces.c.id).join(photos).where(photos.c.sha256 == digest("new.jpg")))
            face = catalogued_faces_by_row(connection, [int(row or 0)])[int(row or 0)]
            reject_face(connection, face, person, STAMP)
            said.append((face.face_id, person.person_id))

    gallery.decide = reject
    settled(database, gallery)
    settled(database, gallery)
    ((face_id, person_id),) = said
    assert who_is_who(database)[face_id] != person_id
