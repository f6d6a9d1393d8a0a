"""What was paid for is in the ledger, whatever came of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError, NoFaceError, UsageError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.identities.matching.verify_employee import enroll_employee, verify_employee
from catalog.identities.matching.watch_list import add_watch, check_watches, list_watches
from catalog.store.database import Database
from catalog.store.tables import charges
from tests.fakes import Drawn, FakeEngine, drawing_bytes
from tests.identities.decided_catalogue import STAMP
from tests.identities.drawn_photos import NOW, open_drawing, reference

PRICE = Decimal("0.001")


def dear(fails_at: int = 0) -> FakeEngine:
    """An engine that is paid by the call, and cannot be reached from some call on."""
    made: list[Operation] = []

    def before(operation: Operation, *_: object) -> None:
        made.append(operation)
        if len(made) == fails_at:
            raise EngineError("The engine cannot be reached.")

    return FakeEngine(dollars=PRICE, before=before)


def paid(database: Database) -> dict[str, int]:
    """Calls in the ledger by operation."""
    with database.read() as connection:
        query = select(charges.c.operation, func.sum(charges.c.calls)).group_by(charges.c.operation)
        return {operation: int(calls) for operation, calls in connection.execute(query)}


def test_a_watch_that_is_not_made_is_paid_for(light_database: Database) -> None:
    """Whether a photo shows no face, or the name is taken."""
    nobody = open_drawing(drawing_bytes())
    with pytest.raises(NoFaceError):
        add_watch(light_database, dear(), "Ann", [reference("ann"), nobody], [], STAMP)
    assert paid(light_database) == {"DetectFaces": 2}
    add_watch(light_database, dear(), "Ann", [reference("ann")], [], STAMP)
    with pytest.raises(UsageError):
        add_watch(light_database, dear(), "Ann", [reference("ann")], [], STAMP)
    assert paid(light_database) == {"DetectFaces": 4}
    assert len(list_watches(light_database)) == 1


def test_a_check_that_breaks_off_is_paid_for(light_database: Database) -> None:
    """The search before the one that failed is in the ledger, once."""
    add_watch(light_database, FakeEngine(), "Ann", [reference("ann"), reference("ann")], [], STAMP)
    with pytest.raises(EngineError):
        check_watches(light_database, dear(fails_at=2), open_drawing, gallery="catalog", scan_id=None, now=NOW)
    assert paid(light_database) == {"SearchFacesByImage": 1}


def test_an_enrollment_and_a_check_that_break_off_are_paid_for(light_database: Database) -> None:
    """Nothing is kept of either but what it cost."""
    ann: OpenedPhoto = reference("ann")
    with pytest.raises(EngineError):
        enroll_employee(light_database, dear(fails_at=2), "ann", [ann, ann], STAMP, open_photo=open_drawing)
    assert paid(light_database) == {"DetectFaces": 1}
    large = open_drawing(drawing_bytes([Drawn("ann", size=150)]))
    assert enroll_employee(light_database, FakeEngine(), "ann", [large], STAMP, open_photo=open_drawing) == [[]]
    with pytest.raises(EngineError):
        verify_employee(light_database, dear(fails_at=2), open_drawing, "ann", large, STAMP)
    assert paid(light_database) == {"DetectFaces": 2}
