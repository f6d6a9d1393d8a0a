"""Scans of two folders may go side by side, and people forget others meanwhile: who is who stays whole."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select

from catalog.identities.decisions import reject_face
from catalog.identities.forget import forget_person
from catalog.store.appearances import appearances_of
from catalog.store.database import Database
from catalog.store.people import all_persons
from catalog.store.tables import faces, tombstones
from catalog.vocabulary import Neighbors
from tests.identities.made import LendingGallery, Shot, VectorGallery, enroll, near, people
from tests.identities.test_decisions import STAMP
from tests.identities.test_settle import as_engine, settled, who_is_who


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

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> Neighbors:
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

    def group_sums(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        meet(self.barrier)
        return super().group_sums(face_ids)


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

    def group_sums(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        gone = min(self.vectors)
        if len(self.vectors) < 4:
            return super().group_sums(face_ids)
        with self.database.begin() as connection:
            connection.execute(delete(faces).where(faces.c.face_id == gone))
        if self.before:
            self.remove([gone])
            return super().group_sums(face_ids)
        sums = super().group_sums(face_ids)
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

    def group_sums(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        sums = super().group_sums(face_ids)
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
            face = appearances_of(connection, person)[0]
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
