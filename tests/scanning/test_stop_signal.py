"""Ending early: finished photos are recorded, the next run does the rest."""

from __future__ import annotations

import threading
import time

import pytest

from catalog.domain.charges import Operation
from catalog.domain.errors import SourceError
from catalog.images.decode import open_image
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.run_scan import RunLimits, scan
from catalog.scanning.stop_signal import StopSignal
from catalog.scanning.summary import Summary
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, FakeEngine, save_drawing


class SlowEngine(FakeEngine):
    """Takes a while over each photo."""

    def enroll(self, photo, sha256):
        time.sleep(0.05)
        return super().enroll(photo, sha256)


class Hourglass(StopSignal):
    """Its time is over when an engine has enrolled this many photos, whatever the speed of the machine."""

    def __init__(self, engine, photos):
        super().__init__()
        self.engine = engine
        self.photos = photos

    @property
    def is_out_of_time(self):
        return self.engine.calls[Operation.INDEX_FACES] >= self.photos


class HangingEngine(FakeEngine):
    """Blocks at one photo until it is released."""

    def __init__(self, gallery):
        super().__init__(gallery)
        self.free = threading.Event()

    def enroll(self, photo, sha256):
        if photo.width == 333:
            self.free.wait(60)
        return super().enroll(photo, sha256)


def run(scanner, limits, engine=None, settled=None):
    return scan(
        [FolderSource(scanner.folder)],
        database=scanner.database,
        engine=engine or scanner.engine,
        open_photo=lambda data: open_image(data),
        after_scan=lambda scan_id, summary: None if settled is None else settled.append(scan_id),
        gallery="catalog",
        version="test",
        workers=2,
        limits=limits,
    )


def test_an_interrupted_scan_keeps_what_it_was_working_on(scanner, folder, rows):
    """Photos in progress are finished, no new one starts, and no after-scan step runs."""
    for number in range(40):
        save_drawing(folder / f"{number:02}.png", [Drawn("ann", left=10 + number)])
    stop, settled, outcomes = StopSignal(), [], []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        for outcome in run(scanner, RunLimits(stop=stop), SlowEngine(scanner.gallery), settled):
            outcomes.append(outcome)
            stop.interrupt()
    assert 1 <= len(outcomes) < 40
    assert rows("SELECT count(*) FROM photos") == [(len(outcomes),)]
    assert len(list(scanner.engine.enrolled())) == len(outcomes)
    assert rows("SELECT state, exit_code FROM scans") == [("interrupted", 130)]
    assert settled == []
    scanner()
    assert rows("SELECT count(*) FROM photos") == [(40,)]
    assert rows("SELECT count(*) FROM faces") == [(40,)]


def test_a_photo_that_hangs_does_not_hold_up_an_interruption(scanner, folder, rows, monkeypatch):
    """After the grace period it is dropped; finished photos are recorded."""
    monkeypatch.setattr("catalog.scanning.stop_signal.GRACE_SECONDS", 0.3)
    save_drawing(folder / "a.png", [Drawn("ann")])
    save_drawing(folder / "b.png", [Drawn("ann")], width=333)
    stop, engine = StopSignal(), HangingEngine(scanner.gallery)
    began = 0.0
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        for _ in run(scanner, RunLimits(stop=stop), engine):
            began = time.monotonic()
            stop.interrupt()
    assert time.monotonic() - began < 10
    engine.free.set()
    assert rows("SELECT count(*) FROM photos") == [(1,)]


def test_time_that_is_over_ends_a_scan_and_runs_the_after_scan_steps(scanner, folder, rows):
    """After-scan steps run, the exit code is that of a limit, and the next run continues."""
    for number in range(60):
        save_drawing(folder / f"{number:02}.png", [Drawn("ann", left=10 + number)])
    settled, engine = [], SlowEngine(scanner.gallery)
    *_, summary = run(scanner, RunLimits(stop=Hourglass(engine, 5)), engine, settled)
    assert isinstance(summary, Summary)
    assert summary.limit is not None
    assert 0 < summary.discovered < 60
    assert len(settled) == 1
    assert rows("SELECT state, exit_code FROM scans") == [("limited", 7)]
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(0,)]


def test_time_is_over_when_it_is_over():
    """Seconds from the start; None is no limit."""
    assert StopSignal(0).is_due
    assert not StopSignal(60).is_due
    assert not StopSignal().is_due


def test_a_suddenly_empty_source_is_refused(scanner, folder, rows):
    """A disk that is not mounted does not make its photos missing, unless the user forces it."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    photo.unlink()
    with pytest.raises(SourceError, match="is empty, where 1 photos were") as caught:
        list(run(scanner, RunLimits()))
    assert caught.value.exit_code == 4
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(0,)]
    list(run(scanner, RunLimits(believe_empty=True)))
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(1,)]


def test_a_scan_killed_between_gallery_and_catalogue_is_completed_by_the_next(scanner, folder, rows, monkeypatch):
    """The gallery holds faces without rows. Enrolling again gives the same faces."""
    save_drawing(folder / "a.png", [Drawn("ann"), Drawn("bob", left=140)])

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed
        yield

    with monkeypatch.context() as patch:
        patch.setattr(ScanPipeline, "_record", die)
        with pytest.raises(Killed):
            list(run(scanner, RunLimits()))
    assert len(list(scanner.engine.enrolled())) == 2
    assert rows("SELECT count(*) FROM faces") == [(0,)]
    scanner()
    assert len(list(scanner.engine.enrolled())) == 2
    assert rows("SELECT count(*) FROM faces") == [(2,)]
