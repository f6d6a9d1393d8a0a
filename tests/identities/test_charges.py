"""Charges are recorded even if the work fails."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError, NoFaceError, UsageError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.identities.matching.enroll_employee import enroll_employee
from catalog.identities.matching.verify_employee import verify_employee
from catalog.identities.matching.watch_list import add_watch, check_watches, list_watches
from catalog.store.database import Database
from catalog.store.tables import charges
from tests.fakes import Drawn, FakeEngine, drawing_bytes
from tests.identities.decided_catalogue import STAMP
from tests.identities.drawn_photos import NOW, open_drawing, reference

PRICE = Decimal("0.001")


def paid_engine(fails_at: int = 0) -> FakeEngine:
    """A charged_calls engine that fails at a call, counted from 1."""
    vector: list[Operation] = []

    def before(operation: Operation, *_: object) -> None:
        vector.append(operation)
        if len(vector) == fails_at:
            raise EngineError("The engine cannot be reached.")

    return FakeEngine(dollars=PRICE, before=before)


def charged_calls(database: Database) -> dict[str, int]:
    """Charged calls by operation."""
    with database.read() as connection:
        query = select(charges.c.operation, func.sum(charges.c.calls)).group_by(charges.c.operation)
        return {operation: int(calls) for operation, calls in connection.execute(query)}


def test_a_watch_entry_that_is_not_added_is_charged(light_database: Database) -> None:
    """A photo shows no face, or the name is taken."""
    nobody = open_drawing(drawing_bytes())
    with pytest.raises(NoFaceError):
        add_watch(light_database, paid_engine(), "Ann", [reference("ann"), nobody], [], STAMP)
    assert charged_calls(light_database) == {"DetectFaces": 2}
    add_watch(light_database, paid_engine(), "Ann", [reference("ann")], [], STAMP)
    with pytest.raises(UsageError):
        add_watch(light_database, paid_engine(), "Ann", [reference("ann")], [], STAMP)
    assert charged_calls(light_database) == {"DetectFaces": 4}
    assert len(list_watches(light_database)) == 1


def test_a_failed_check_is_charged(light_database: Database) -> None:
    """The search before the failure is charged once."""
    add_watch(light_database, FakeEngine(), "Ann", [reference("ann"), reference("ann")], [], STAMP)
    with pytest.raises(EngineError):
        check_watches(
            light_database,
            paid_engine(fails_at=2),
            open_drawing,
            gallery="catalog",
            scan_id=None,
            now=NOW,
            skip_searched=True,  # as a scan does, also for a gallery without faces
        )
    assert charged_calls(light_database) == {"SearchFacesByImage": 1}


def test_a_failed_enrollment_and_a_failed_verification_are_charged(light_database: Database) -> None:
    """A photo before the failure stays enrolled."""
    ann: OpenedPhoto = reference("ann")
    small = open_drawing(drawing_bytes([Drawn("ann", size=20)]))
    with pytest.raises(EngineError):
        enroll_employee(light_database, paid_engine(fails_at=2), "ann", [small, ann], STAMP, open_photo=open_drawing)
    assert charged_calls(light_database) == {"DetectFaces": 1}
    large = open_drawing(drawing_bytes([Drawn("ann", size=150)]))
    assert enroll_employee(light_database, FakeEngine(), "ann", [large], STAMP, open_photo=open_drawing) == [[]]
    with pytest.raises(EngineError):
        verify_employee(light_database, paid_engine(fails_at=2), open_drawing, "ann", large, STAMP)
    assert charged_calls(light_database) == {"DetectFaces": 2}
