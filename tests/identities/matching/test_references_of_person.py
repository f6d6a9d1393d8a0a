"""References that show a person who is forgotten are found by the face."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.domain.content_hash import sha256_of
from catalog.domain.people import AssignedBy
from catalog.identities.matching.enroll_employee import enroll_employee
from catalog.identities.matching.references_of_person import DeletedReferences, delete_references_of
from catalog.identities.matching.watch_list import add_watch, list_watches
from catalog.store.assignments import assign
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.people import add_persons
from catalog.store.photos import record_photo
from catalog.store.verification_rows import read_employees
from tests.fakes import Drawn, FakeEngine, FakeGallery, drawing_bytes
from tests.identities.decided_catalogue import STAMP
from tests.identities.drawn_photos import NOW, open_drawing

TOGETHER = drawing_bytes([Drawn("ann", left=20), Drawn("bob", left=150)])
ALONE = drawing_bytes([Drawn("ann", left=60, top=40, size=110)])


@pytest.fixture
def gallery() -> FakeGallery:
    return FakeGallery()


@pytest.fixture
def ann(database: Database, gallery: FakeGallery) -> list[CataloguedFace]:
    """The face of a person on a photo with another one, who is a person, too."""
    engine = FakeEngine(gallery)
    photo, sha256 = open_drawing(TOGETHER), sha256_of(TOGETHER)
    enrollment = engine.enroll(photo, sha256)
    with database.begin() as connection:
        row = record_photo(connection, sha256, len(TOGETHER), photo, NOW)
        rows = record_enrollment(
            connection,
            row,
            enrollment,
            engine=engine.name,
            gallery="catalog",
            model=engine.model,
            scan_id=None,
            now=NOW,
        )
        persons = add_persons(connection, 2, NOW)
        by_place = sorted(zip(enrollment.faces, rows, strict=True), key=lambda pair: pair[0].face.box.left)
        for person, (_, face) in zip(persons, by_place, strict=True):
            assign(connection, [(face, None)], person.id, AssignedBy.CLUSTER, "2026-01-01T00:00:00.000000Z")
        return faces_of_person(connection, persons[0])


def add_references(database: Database) -> None:
    """Of two persons, on the watch list and as employees, from photos that the catalogue does not hold."""
    for person in ("ann", "bob"):
        photo = open_drawing(drawing_bytes([Drawn(person, left=60, top=40, size=110)], note=7))
        add_watch(database, FakeEngine(), f"watch {person}", [photo], [], STAMP)
        flaws = enroll_employee(database, FakeEngine(), f"id {person}", [photo], STAMP, open_photo=open_drawing)
        assert flaws == [[]]


def left(database: Database) -> tuple[list[str], list[str]]:
    with database.read() as connection:
        ids = [row.employee_id for row in read_employees(connection)]
    return [entry.name for entry in list_watches(database)], ids


def test_a_free_engine_compares_every_reference(
    database: Database, gallery: FakeGallery, ann: list[CataloguedFace]
) -> None:
    """References of the other person on the photo stay."""
    add_references(database)
    deleted = delete_references_of(database, FakeEngine(gallery), open_drawing, ann, STAMP)
    assert deleted == DeletedReferences(of_watch_list=1, of_employees=1)
    assert left(database) == (["watch bob"], ["id bob"])


def test_a_paid_engine_makes_no_call(database: Database, gallery: FakeGallery, ann: list[CataloguedFace]) -> None:
    """The references are counted as unchecked."""
    add_references(database)
    engine = FakeEngine(gallery, dollars=Decimal("0.001"))
    assert delete_references_of(database, engine, open_drawing, ann, STAMP) == DeletedReferences(unchecked=4)
    assert not engine.calls
    assert left(database) == (["watch ann", "watch bob"], ["id ann", "id bob"])
