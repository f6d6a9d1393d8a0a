"""A task cannot be in a state without the fields that the state needs."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.domain.charges import Charge, Operation
from catalog.domain.faces import Enrollment
from catalog.domain.photos import Outcome, OutcomeKind, PhotoRef
from catalog.domain.source import Content, Skipped
from catalog.images.decode import open_image
from catalog.scanning.enroll_stage import enroll_photo
from catalog.scanning.photo_task import PhotoTask, TaskState
from catalog.scanning.read_stage import read_photo
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, FakeEngine, save_drawing


@pytest.fixture
def task(folder: Path) -> PhotoTask:
    """A listed photo with one face."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    source = FolderSource(folder)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    return PhotoTask(source, ref)


@pytest.mark.parametrize(
    "state", [state for state in TaskState if state not in (TaskState.LISTED, TaskState.NOT_A_PHOTO)]
)
def test_a_state_needs_its_fields(task: PhotoTask, state: TaskState) -> None:
    """A listed task and one that is not a photo need nothing but their location."""
    with pytest.raises(ValueError, match=f"in the state {state} needs"):
        dataclasses.replace(task, state=state)


def test_bytes_are_kept_between_reading_and_enrolling_only(task: PhotoTask) -> None:
    """Tasks that wait to be recorded take no memory for bytes or pixels."""
    read = read_photo(task)
    assert read.content is not None
    assert len(read.content.data) == read.size == task.ref.size
    enrolled = enroll_photo(read, FakeEngine(), open_image)
    assert enrolled.photo is not None
    assert (enrolled.content, enrolled.photo.data, enrolled.photo.pixels.size) == (None, b"", 0)
    for finished in (read.known_content(), read.failed("It failed."), read.without_content()):
        assert finished.content is None
        assert finished.sha256 == read.sha256
    with pytest.raises(ValueError, match="keeps the bytes"):
        dataclasses.replace(enrolled, content=Content(b"bytes"))


def test_each_stage_returns_a_new_task(task: PhotoTask) -> None:
    """Listed, read, enrolled, recorded; the task before stays as it was."""
    read = read_photo(task)
    enrolled = enroll_photo(read, FakeEngine(), open_image)
    recorded = enrolled.recorded(Outcome(task.ref.uri, OutcomeKind.NEW), 1)
    assert [stage.state.value for stage in (task, read, enrolled, recorded)] == [
        "listed",
        "read",
        "enrolled",
        "recorded",
    ]
    assert task.sha256 is None
    assert recorded.relisted() == task


def test_a_task_without_content_cannot_be_enrolled(task: PhotoTask) -> None:
    with pytest.raises(ValueError, match="without content"):
        enroll_photo(task, FakeEngine(), open_image)


def test_a_task_is_charged_when_its_enrollment_is(task: PhotoTask) -> None:
    read = read_photo(task)
    photo = open_image(read.content.data if read.content else b"")
    charges = (Charge(Operation.INDEX_FACES, 1, Decimal("0.001")),)
    assert not read.is_charged
    assert not read.enrolled(photo, Enrollment((), (), ())).is_charged
    assert read.enrolled(photo, Enrollment((), (), charges)).is_charged


def test_a_skipped_file_is_a_task_with_a_reason(task: PhotoTask) -> None:
    skipped = PhotoTask.of_skipped(task.source, Skipped("file:///a/b", "It is a side file."))
    assert (skipped.state, skipped.ref.uri, skipped.reason) == (TaskState.SKIPPED, "file:///a/b", "It is a side file.")
    with pytest.raises(ValueError, match="no content hash"):
        _ = skipped.content_hash
