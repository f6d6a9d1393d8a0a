"""Scans and decisions at the same time: assignments stay consistent."""

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
from tests.identities.made_library import LendingGallery, Shot, VectorGallery, digest, enroll, people, vector_near


def four_strangers(database: Database, gallery: VectorGallery) -> None:
    rng = np.random.default_rng(5)
    shots = [Shot(f"{number}.jpg", [vector_near(center, 0.9, rng)]) for number, center in enumerate(people(4, rng))]
    enroll(database, gallery, shots)


def two_settle(database: Database, gallery: VectorGallery) -> None:
    with ThreadPoolExecutor(2) as pool:
        for row in [pool.submit(settled, database, gallery) for _ in range(2)]:
            row.result()


def meet(barrier: threading.Barrier) -> None:
    """Wait at most one second for the other thread."""
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait(1)


class BarrierGallery(VectorGallery):
    """A search waits for the search of another thread."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        meet(self.barrier)
        return super().neighbors(face_id, threshold, limit)


def test_two_assignments_search_each_face_once(database: Database) -> None:
    gallery = BarrierGallery()
    four_strangers(database, gallery)
    two_settle(database, gallery)
    assert gallery.calls == 4


class SlowGallery(LendingGallery):
    """Lends its vectors once another thread asks for them too, or after a second."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        meet(self.barrier)
        return super().group_vectors(face_ids)


def test_two_assignments_add_each_person_once(database: Database) -> None:
    gallery = SlowGallery()
    four_strangers(database, gallery)
    two_settle(database, gallery)
    with database.read() as connection:
        assert len(all_persons(connection)) == 4


class ShrinkingGallery(LendingGallery):
    """Another process deletes a face while faces are clustered, before or after its vector was lent."""

    def __init__(self, database: Database, before: bool) -> None:
        super().__init__()
        self.database = database
        self.before = before

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        lowest_id = min(self.vectors)
        if len(self.vectors) < 4:
            return super().group_vectors(face_ids)
        with self.database.begin() as connection:
            connection.execute(delete(faces).where(faces.c.face_id == lowest_id))
        if self.before:
            self.remove([lowest_id])
            return super().group_vectors(face_ids)
        sums = super().group_vectors(face_ids)
        self.remove([lowest_id])
        return sums


def test_a_face_that_is_deleted_meanwhile_does_not_end_the_scan(database: Database) -> None:
    """The other faces get their persons."""
    for before in (False, True):
        gallery = ShrinkingGallery(database, before)
        four_strangers(database, gallery)
        settled(database, gallery)
        assert None not in who_is_who(database).values()
        assert len(who_is_who(database)) == 3
        with database.begin() as connection:
            connection.execute(delete(faces))


def test_forgetting_waits_for_the_assignment_lock(database: Database) -> None:
    """Both end, and no row of the person is left."""
    gallery = SlowGallery()
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


class DecidingGallery(LendingGallery):
    """A user decides while faces are clustered."""

    decide: Callable[[], object] = staticmethod(lambda: None)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        sums = super().group_vectors(face_ids)
        self.decide()
        return sums


def test_a_face_that_is_rejected_meanwhile_is_not_assigned_again(database: Database) -> None:
    """A new face of the person arrives at the same time."""
    gallery = DecidingGallery()
    rng = np.random.default_rng(5)
    (center,) = people(1, rng)
    enroll(database, gallery, [Shot(f"{number}.jpg", [vector_near(center, 0.9, rng)]) for number in range(4)])
    settled(database, gallery)
    enroll(database, gallery, [Shot("new.jpg", [vector_near(center, 0.9, rng)])], night=1)
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
    """The results, or the CatalogErrors, of calls in parallel."""
    with ThreadPoolExecutor(len(calls)) as pool:
        results: list[object] = []
        for row in [pool.submit(call) for call in calls]:
            try:
                results.append(row.result(60))
            except CatalogError as error:
                results.append(error)
        return results


def assert_whole(database: Database, faces_held: int) -> None:
    """Check that every id redirects to a person, and that all faces have one."""
    with database.read() as connection:
        everyone = all_persons(connection)
        for row in everyone:
            assert canonical_person(connection, row.id).merged_into is None
        assert sum(row.faces for row in list_people(connection)) == faces_held


def test_two_merges_of_one_pair_in_opposite_directions(database: Database) -> None:
    """The second one is refused: they are one person already."""
    catalogue(database)
    barrier = threading.Barrier(2)
    with database.read() as connection:
        first, second = unmerged_persons(connection)[:2]

    def merge(canonical: PersonRow, merged: PersonRow) -> None:
        with database.begin() as connection:
            result = [find_person(connection, row.person_id) for row in (canonical, merged)]
            meet(barrier)
            merge_persons(connection, *result, STAMP)

    results = at_once(lambda: merge(first, second), lambda: merge(second, first))
    assert sum(row is None for row in results) == 1
    assert_whole(database, 16)


def test_a_merge_into_a_person_that_is_being_merged(database: Database) -> None:
    """One terminal merges A into B, another B into C at the same time."""
    catalogue(database)
    with database.read() as connection:
        first, second, three = unmerged_persons(connection)[:3]

    def later() -> None:
        with database.begin() as connection:
            merge_persons(connection, find_person(connection, three.person_id), second, STAMP)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            merge_persons(connection, second, first, STAMP)
            another = pool.submit(later)
            wait([another], timeout=0.5)  # it waits for us
        another.result(60)
    assert_whole(database, 16)


def test_the_second_of_two_undos_is_refused(database: Database) -> None:
    catalogue(database)
    with database.begin() as connection:
        number = merge_persons(connection, *unmerged_persons(connection)[:2], STAMP)
    barrier = threading.Barrier(2)

    def take_back() -> int:
        with database.begin() as connection:
            meet(barrier)
            return undo(connection, number, STAMP)[0]

    results = at_once(take_back, take_back)
    assert sum(isinstance(row, int) for row in results) == 1
    assert_whole(database, 16)


class InterruptedGallery(LendingGallery):
    """Lets a user decide between the reading and the writing of an assignment, or while it writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.decide: Callable[[], None] | None = None
        self.pool = ThreadPoolExecutor(1)
        self.decided: Future[None] | None = None
        real = assign_people.add_persons

        def pause(*arguments: object) -> object:
            if self.decide is not None:
                self.decided, self.decide = self.pool.submit(self.decide), None
                wait([self.decided], timeout=0.5)  # until it is done, or waits for us
            return real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(assign_people, "add_persons", pause)


def test_a_merge_while_a_scan_writes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new face of a person that is merged at that moment goes to the canonical person."""
    gallery = InterruptedGallery(monkeypatch)
    rng = np.random.default_rng(3)
    centers = people(4, rng, 128)
    shots = [Shot(f"{center}-{n}", [vector_near(centers[center], 0.85, rng)]) for center in range(4) for n in range(4)]
    settled(database, gallery, enroll(database, gallery, shots))
    with database.read() as connection:
        shown = [face for row in unmerged_persons(connection) for face in faces_of_person(connection, row)]
        first = next(face for face in shown if face.sha256 == digest("1-0"))
        merged = find_person(connection, first.person_id or "")
        kept_person = next(row for row in unmerged_persons(connection) if row != merged)

    def merge() -> None:
        with database.begin() as connection:
            merge_persons(connection, find_person(connection, kept_person.person_id), merged, STAMP)

    enroll(database, gallery, [Shot("new", [vector_near(centers[1], 0.85, rng)])], night=1)
    gallery.decide = merge
    settled(database, gallery)
    assert gallery.decided is not None
    gallery.decided.result(60)
    assert_whole(database, 17)


def test_a_name_while_a_scan_merges(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan merges a person while a user names it: the name is kept."""
    gallery = InterruptedGallery(monkeypatch)
    rng = np.random.default_rng(5)
    (center,) = people(1, rng, 128)
    away = vector_near(center, 0.0, rng).astype(np.float64)
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
    """The unassigned face does not get the rejected person."""
    gallery = DecidingGallery()
    rng = np.random.default_rng(5)
    (center,) = people(1, rng)
    shots = [Shot(f"{n}.jpg", [vector_near(center, 0.9, rng)]) for n in range(4)]
    settled(database, gallery, enroll(database, gallery, shots))
    enroll(database, gallery, [Shot("new.jpg", [vector_near(center, 0.9, rng)])], night=1)
    rejections: list[tuple[str, str]] = []

    def reject() -> None:
        if rejections:
            return
        with database.begin() as connection:
            (person,) = all_persons(connection)
            row = connection.scalar(select(faces.c.id).join(photos).where(photos.c.sha256 == digest("new.jpg")))
            face = catalogued_faces_by_row(connection, [int(row or 0)])[int(row or 0)]
            reject_face(connection, face, person, STAMP)
            rejections.append((face.face_id, person.person_id))

    gallery.decide = reject
    settled(database, gallery)
    settled(database, gallery)
    ((face_id, person_id),) = rejections
    assert who_is_who(database)[face_id] != person_id
