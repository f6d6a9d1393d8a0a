"""What is in the line when something else fails: answers that were paid for are kept."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from itertools import islice

import pytest

from catalog.domain.charges import Operation
from catalog.domain.errors import DatabaseError, SourceError
from catalog.images.decode import open_image
from catalog.scanning.photo_task import TaskState
from catalog.scanning.record_stage import Recorder
from catalog.scanning.run_scan import scan
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, FakeEngine, save_drawing


class BreaksOff(FolderSource):
    """A source whose listing fails, as S3 or a disk that is unmounted may; not before the engine was asked."""

    def __init__(self, folder, asked, *, after, failure):
        super().__init__(folder)
        self._asked = asked
        self._after = after
        self._failure = failure

    def list(self):
        yield from islice(super().list(), self._after)
        assert self._asked.wait(30)
        raise self._failure


@pytest.fixture
def asked():
    """Set once the engine was asked for something."""
    return threading.Event()


@pytest.fixture
def engine(asked):
    """Takes its time, and money."""

    def before(*_):
        asked.set()
        time.sleep(0.1)

    return FakeEngine(dollars=Decimal("0.001"), before=before)


@pytest.fixture
def many(folder, monkeypatch):
    """More photos than the catalogue is asked about at once, and than wait for their bytes: some reach the engine."""
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


def assert_all_answers_kept(engine, rows):
    paid = engine.calls[Operation.INDEX_FACES]
    assert paid > 0
    assert rows("SELECT coalesce(sum(calls), 0) FROM charges") == [(paid,)]
    assert rows("SELECT count(*) FROM faces") == [(paid,)]


def test_a_listing_that_breaks_off_loses_no_answer(database, many, engine, asked, rows):
    """Calls that were answered are in the ledger, their faces in the catalogue, and the scan counts them."""
    source = BreaksOff(many, asked, after=24, failure=SourceError("The listing broke off."))
    with pytest.raises(SourceError, match="broke off"):
        list(begin(database, engine, source))
    assert_all_answers_kept(engine, rows)
    assert rows("SELECT state, faces FROM scans") == [("failed", engine.calls[Operation.INDEX_FACES])]


def test_locks_that_are_lost_lose_no_answer(database, many, engine, rows, monkeypatch):
    """The scan may not go on without them; what it has is recorded all the same."""

    def lost():
        raise DatabaseError("The locks were lost.")

    monkeypatch.setattr("catalog.scanning.run_scan._periodic_check", lambda locks: lost)
    with pytest.raises(DatabaseError, match="locks were lost"):
        list(begin(database, engine, FolderSource(many)))
    assert_all_answers_kept(engine, rows)


def test_who_stops_asking_for_outcomes_loses_no_answer(database, many, engine, rows):
    """A reader that goes away closes the scan."""
    going = begin(database, engine, FolderSource(many))
    next(going)
    going.close()
    assert_all_answers_kept(engine, rows)
    assert rows("SELECT state FROM scans") == [("interrupted",)]


def test_a_program_error_loses_no_answer(database, many, engine, asked, rows):
    """Also what nobody foresaw."""
    with pytest.raises(ZeroDivisionError):
        list(begin(database, engine, BreaksOff(many, asked, after=21, failure=ZeroDivisionError())))
    assert_all_answers_kept(engine, rows)


def test_an_answer_that_cannot_be_recorded_takes_no_other_with_it(database, many, engine, rows, monkeypatch):
    """It fails with all of its group; the others are then recorded without it."""
    real = Recorder._record

    def refuse(self, connection, task, previous_photos):
        if task.state is TaskState.ENROLLED and task.ref.uri.endswith("/02.png"):
            raise ZeroDivisionError
        return real(self, connection, task, previous_photos)

    monkeypatch.setattr(Recorder, "_record", refuse)
    with pytest.raises(ZeroDivisionError):
        list(begin(database, engine, FolderSource(many)))
    assert rows("SELECT coalesce(sum(calls), 0) FROM charges") == [(engine.calls[Operation.INDEX_FACES] - 1,)]
