"""Finished enrollments are recorded when something else fails, because they were charged."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from itertools import islice

import pytest

from catalog.domain.charges import Operation
from catalog.domain.errors import DatabaseError, SourceError
from catalog.images.decode import open_image
from catalog.scanning.record_stage import Recorder
from catalog.scanning.run_scan import scan
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, FakeEngine, save_drawing


class BreaksOff(FolderSource):
    """A source whose listing fails, as that of S3 or of an unmounted disk may, after the first call of the engine."""

    def __init__(self, folder, called, *, after, failure):
        super().__init__(folder)
        self._asked = called
        self._after = after
        self._failure = failure

    def list(self):
        yield from islice(super().list(), self._after)
        assert self._asked.wait(30)
        raise self._failure


@pytest.fixture
def called():
    """Set at the first call of the engine."""
    return threading.Event()


@pytest.fixture
def engine(called):
    """A slow engine that charges."""

    def before(*_):
        called.set()
        time.sleep(0.1)

    return FakeEngine(dollars=Decimal("0.001"), before=before)


@pytest.fixture
def many(folder, monkeypatch):
    """More photos than one lookup and the reading window hold, so that some reach the engine."""
    monkeypatch.setattr("catalog.scanning.plan.BATCH", 4)
    for number in range(24):
        save_drawing(folder / f"{number:02}.png", [Drawn("ann")], note=number + 1)
    return folder


def begin(database, engine, source):
    return scan(
        [source],
        database=database,
        engine=engine,
        open_photo=open_image,
        after_scan=lambda scan_id, summary: None,
        gallery="catalog",
        version="test",
        workers=4,
    )


def assert_all_charges_recorded(engine, rows):
    paid = engine.calls[Operation.INDEX_FACES]
    assert paid > 0
    assert rows("SELECT coalesce(sum(calls), 0) FROM charges") == [(paid,)]
    assert rows("SELECT count(*) FROM faces") == [(paid,)]


def test_a_listing_that_breaks_off_loses_no_charge(database, many, engine, called, rows):
    """Charges and faces of finished calls are recorded, and the scan counts them."""
    source = BreaksOff(many, called, after=24, failure=SourceError("The listing broke off."))
    with pytest.raises(SourceError, match="broke off"):
        list(begin(database, engine, source))
    assert_all_charges_recorded(engine, rows)
    assert rows("SELECT state, faces FROM scans") == [("failed", engine.calls[Operation.INDEX_FACES])]


def test_locks_that_are_lost_lose_no_charge(database, many, engine, rows, monkeypatch):
    """The scan ends, and finished enrollments are recorded."""

    def lost():
        raise DatabaseError("The locks were lost.")

    monkeypatch.setattr("catalog.scanning.run_scan._periodic_check", lambda locks: lost)
    with pytest.raises(DatabaseError, match="locks were lost"):
        list(begin(database, engine, FolderSource(many)))
    assert_all_charges_recorded(engine, rows)


def test_a_reader_that_closes_the_scan_loses_no_charge(database, many, engine, rows):
    """A reader that goes away closes the scan."""
    going = begin(database, engine, FolderSource(many))
    next(going)
    going.close()
    assert_all_charges_recorded(engine, rows)
    assert rows("SELECT state FROM scans") == [("interrupted",)]


def test_a_program_error_loses_no_charge(database, many, engine, called, rows):
    """Finished enrollments are recorded after any exception."""
    with pytest.raises(ZeroDivisionError):
        list(begin(database, engine, BreaksOff(many, called, after=21, failure=ZeroDivisionError())))
    assert_all_charges_recorded(engine, rows)


def test_a_task_that_cannot_be_recorded_stops_no_other(database, many, engine, rows, monkeypatch):
    """Its batch fails, and the other tasks are recorded one by one."""
    real = Recorder._new_photo

    def refuse(self, task):
        if task.ref.uri.endswith("/02.png"):
            raise ZeroDivisionError
        return real(self, task)

    monkeypatch.setattr(Recorder, "_new_photo", refuse)
    with pytest.raises(ZeroDivisionError):
        list(begin(database, engine, FolderSource(many)))
    assert rows("SELECT coalesce(sum(calls), 0) FROM charges") == [(engine.calls[Operation.INDEX_FACES] - 1,)]
