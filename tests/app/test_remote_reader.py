"""Collecting photos into chunks for workers: bounded, in order of the listing, and robust against bad workers."""

from __future__ import annotations

from concurrent.futures import Future
from importlib.metadata import version

import pytest

from catalog.app.open_source import PhotoAccess
from catalog.app.photo_preparation import (
    ChunkResult,
    PreparationResult,
    PreparationSettings,
    WorkerRequirements,
    check_worker,
)
from catalog.app.remote_reader import RemoteReader, WorkersKilledError
from catalog.domain.errors import EngineError, PhotoError, SourceError
from catalog.domain.faces import QualityFilter
from catalog.images.decode import DecodeLimits
from catalog.scanning.photo_task import PhotoTask, TaskState
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, save_drawing


class Workers:
    """Chunks that were submitted; the test decides when and how each ends."""

    threads = 2

    def __init__(self):
        self.chunks = []
        self.refusal = None
        self.checks = []

    def check(self, requirements):
        self.checks.append(requirements)
        return {"tls://worker": self.refusal}

    def submit(self, chunk):
        self.chunks.append((chunk, Future()))
        return self.chunks[-1][1]

    def drop(self):
        """Nothing runs."""

    def finish(self, seconds_each=0.5):
        chunk, future = self.chunks.pop(0)
        results = tuple(PreparationResult(photo.ref.uri[-8:], 1, PhotoError("x")) for photo in chunk.photos)
        future.set_result(ChunkResult(results, seconds_each * len(results)))
        return len(results)


@pytest.fixture
def workers():
    return Workers()


@pytest.fixture
def source(tmp_path):
    for number in range(40):
        save_drawing(tmp_path / f"{number:02}.png", [Drawn("ann")], note=number)
    return FolderSource(tmp_path)


def requirements_of(source):
    access = PhotoAccess(source.uri, 1 << 20, "", "", "", requester_pays=False, amazon_reads=False)
    settings = PreparationSettings(
        scan="1",
        access=access,
        engine="local",
        quality_filter=QualityFilter.AUTO,
        attributes="none",
        max_side=1000,
        limits=DecodeLimits(),
    )
    return WorkerRequirements("1", "w", settings)


@pytest.fixture
def reader(workers):
    return RemoteReader(workers, requirements_of, lambda _sha256: False, sends_images=False)


def tasks(source):
    return [PhotoTask(source, ref) for ref in source.list()]


def test_chunks_grow_to_some_seconds_of_work(reader, workers, source):
    """The first chunk is small; at half a second a photo the next one holds six."""
    futures = [reader.start(task) for task in tasks(source)[:4]]
    assert workers.finish() == 4
    assert [future.result(0).state for future in futures] == [TaskState.READ] * 4
    rest = [reader.start(task) for task in tasks(source)[4:17]]
    sizes = [workers.finish() for _ in range(2)]
    assert sizes == [4, 6]
    assert [future.done() for future in rest] == [True] * 10 + [False] * 3


def test_the_window_is_bounded_and_larger_than_a_chunk(reader, workers):
    """At most two chunks for each thread are under way."""
    assert reader.window == 2 * workers.threads * 4


def test_flush_sends_an_unfinished_chunk(reader, workers, source):
    future = reader.start(tasks(source)[0])
    assert not workers.chunks
    reader.flush()
    assert workers.finish() == 1
    assert future.done()


def test_workers_are_asked_once_with_the_first_photo(reader, workers, source):
    for task in tasks(source)[:12]:
        reader.start(task)
    (requirements,) = workers.checks
    assert requirements.probe.ref.uri.endswith("/00.png")
    assert requirements.probe.head.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("refusal", "kind", "sentence"),
    [
        (EngineError("It is old."), EngineError, 'A worker "tls://worker" cannot take part in the scan: It is old.'),
        (SourceError("No such folder."), SourceError, 'A worker "tls://worker" cannot read the source'),
    ],
)
def test_a_refusal_of_a_present_worker_fails_the_photos(reader, workers, source, refusal, kind, sentence):
    workers.refusal = refusal
    future = reader.start(tasks(source)[0])
    reader.flush()
    assert not workers.chunks
    with pytest.raises(kind, match=sentence):
        future.result(0)


def test_a_refusal_of_a_later_worker_fails_its_chunk(reader, workers, source):
    future = reader.start(tasks(source)[0])
    reader.flush()
    workers.chunks[0][1].set_result(ChunkResult(refusal=SourceError("No such folder.")))
    with pytest.raises(SourceError, match="A worker that joined the cluster cannot read the source"):
        future.result(0)


def test_a_photo_that_ends_its_workers_fails_alone(reader, workers, source):
    """The other photos of its chunk are sent one by one."""
    futures = [reader.start(task) for task in tasks(source)[:4]]
    workers.chunks.pop(0)[1].set_exception(WorkersKilledError())
    assert [len(chunk.photos) for chunk, _ in workers.chunks] == [1] * 4
    workers.chunks.pop(0)[1].set_exception(WorkersKilledError())
    for _ in range(3):
        workers.finish()
    with pytest.raises(PhotoError, match="ended several workers"):
        futures[0].result(0)
    assert [future.result(0).state for future in futures[1:]] == [TaskState.READ] * 3


def test_results_for_a_cancelled_photo_are_dropped(reader, workers, source):
    """Ctrl-C cancels; the other photos of the chunk get their results."""
    futures = [reader.start(task) for task in tasks(source)[:4]]
    futures[1].cancel()
    workers.finish()
    assert [future.done() for future in futures] == [True] * 4
    assert futures[2].result(0).state is TaskState.READ


def test_a_worker_with_other_weights_names_both(source):
    """Release and weights are compared in the worker before its first photo."""
    wanted = requirements_of(source)
    refusal = check_worker(wanted, threads=1)
    assert "and this machine runs catalog 1." in str(refusal)
    refusal = check_worker(WorkerRequirements(version("face-catalog"), "w", wanted.settings), threads=1)
    assert 'this machine has "w"' in str(refusal)
    assert 'It has the weights "' in str(refusal)
