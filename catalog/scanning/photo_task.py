"""A photo on its way through a scan. Each stage takes a task and returns a new one.

::

    LISTED --read--> READ --enroll--> ENROLLED --record--> RECORDED
      |               |                                       ^
      |               +---- its content is enrolled --> KNOWN-+
      +-- skipped by the listing --> SKIPPED -----------------+
      +-- read or enroll raised PhotoError --> FAILED --------+
      +-- its first bytes are not those of a photo --> NOT_A_PHOTO
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from catalog.domain.errors import PhotoError
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import Outcome, PhotoRef
from catalog.domain.prepared_photo import PreparedPhoto, without_pixels
from catalog.domain.source import Content, Skipped, Source
from catalog.domain.taken_at import TakenAt
from catalog.store.photos import Location


class TaskState(StrEnum):
    """State of a task."""

    LISTED = "listed"
    READ = "read"
    ENROLLED = "enrolled"
    KNOWN = "known"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_A_PHOTO = "not_a_photo"
    RECORDED = "recorded"


_REQUIRED: dict[TaskState, tuple[str, ...]] = {
    TaskState.LISTED: (),
    TaskState.READ: ("sha256",),
    TaskState.ENROLLED: ("sha256", "photo", "enrollment"),
    TaskState.KNOWN: ("sha256",),
    TaskState.SKIPPED: ("reason",),
    TaskState.FAILED: ("reason",),
    TaskState.NOT_A_PHOTO: (),
    TaskState.RECORDED: ("outcome",),
}
"""Fields that a state needs."""


@dataclass(frozen=True, slots=True)
class PhotoTask:
    """One listed location and what the scan has done with it so far.

    ``known`` is the location as the catalogue knew it before this scan, None if it is new. ``content`` holds the
    file's bytes and is present between reading and enrolling only. A task that another machine read holds
    ``prepared`` instead: the prepared photo, or the error of a photo that cannot be decoded. ``photo`` holds no pixels,
    so that waiting tasks stay small. ``location_id`` is a row id; it is None for a task that was skipped or failed.
    """

    source: Source
    ref: PhotoRef
    known: Location | None = None
    state: TaskState = TaskState.LISTED
    sha256: str | None = None
    size: int = 0
    content: Content | None = None
    prepared: PreparedPhoto | PhotoError | None = None
    photo: OpenedPhoto | None = None
    enrollment: Enrollment | None = None
    reason: str | None = None
    location_id: int | None = None
    outcome: Outcome | None = None
    dates: tuple[TakenAt, ...] = ()
    """Dates of the files beside the photo, once it was read."""

    def __post_init__(self) -> None:
        """Raise ValueError if a field that the state needs is not set, or bytes are kept for no use."""
        absent = [name for name in _REQUIRED[self.state] if getattr(self, name) is None]
        if absent:
            raise ValueError(f"a task in the state {self.state} needs {', '.join(absent)}")
        if (self.content or self.prepared) is not None and self.state is not TaskState.READ:
            raise ValueError(f"a task in the state {self.state} keeps the bytes of its photo")

    @classmethod
    def of_skipped(cls, source: Source, skipped: Skipped) -> PhotoTask:
        """A task for a file or folder that the listing skipped."""
        return cls(source, PhotoRef(skipped.uri, 0, 0), state=TaskState.SKIPPED, reason=skipped.reason)

    @property
    def is_charged(self) -> bool:
        """The enrollment of the photo was charged."""
        return self.enrollment is not None and bool(self.enrollment.charges)

    @property
    def content_hash(self) -> str:
        """``sha256`` of a task that was read. Raises ValueError for another."""
        if self.sha256 is None:
            raise ValueError(f"a task in the state {self.state} has no content hash")
        return self.sha256

    def read(self, sha256: str, content: Content) -> PhotoTask:
        size = len(content.data)
        return replace(self, state=TaskState.READ, sha256=sha256, size=size, content=content, dates=content.dates)

    def read_elsewhere(
        self, sha256: str, size: int, prepared: PreparedPhoto | PhotoError | None, dates: tuple[TakenAt, ...]
    ) -> PhotoTask:
        """``prepared`` is None if the reader believed that the gallery holds the content."""
        return replace(self, state=TaskState.READ, sha256=sha256, size=size, prepared=prepared, dates=dates)

    def not_a_photo(self) -> PhotoTask:
        return replace(self, state=TaskState.NOT_A_PHOTO)

    def without_content(self) -> PhotoTask:
        """The same task without the file's bytes and what was computed of them, for waiting."""
        return replace(self, content=None, prepared=None)

    def known_content(self) -> PhotoTask:
        """The gallery holds the content, or will hold it when the tasks before this one are recorded."""
        return replace(self, state=TaskState.KNOWN, content=None, prepared=None)

    def enrolled(self, photo: OpenedPhoto, enrollment: Enrollment) -> PhotoTask:
        """``photo`` is kept without its pixels and bytes."""
        light = without_pixels(photo)
        return replace(self, state=TaskState.ENROLLED, photo=light, enrollment=enrollment, content=None, prepared=None)

    def failed(self, reason: str) -> PhotoTask:
        return replace(self, state=TaskState.FAILED, reason=reason, content=None, prepared=None)

    def recorded(self, outcome: Outcome, location_id: int | None) -> PhotoTask:
        return replace(
            self, state=TaskState.RECORDED, outcome=outcome, location_id=location_id, content=None, prepared=None
        )

    def relisted(self) -> PhotoTask:
        """The same location from the start."""
        return PhotoTask(self.source, self.ref, self.known)
