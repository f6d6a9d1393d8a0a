"""Contents in flight: those that the engine works on now, and tasks that wait for another scan's enrollment."""

from __future__ import annotations

from catalog.scanning.enrollment_claims import EnrollmentClaims
from catalog.scanning.photo_task import PhotoTask


class InFlight:
    """Keeps a content from being enrolled, and charged, twice.

    Within this process a set of content hashes does it: a copy waits behind the first task of its content. Between
    processes the enrollment claims do it. Used from one thread.
    """

    def __init__(self, claims: EnrollmentClaims) -> None:
        self.claims = claims
        self._contents: set[str] = set()
        self._postponed: list[PhotoTask] = []

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._contents

    @property
    def has_postponed(self) -> bool:
        """Tasks wait for another scan."""
        return bool(self._postponed)

    def claim(self, task: PhotoTask) -> bool:
        """Claim the task's content. If another scan has it, the task is postponed or left to another worker."""
        if self.claims.claim(task.ref.uri, task.content_hash):
            return True
        if self.claims.can_wait:
            self._postponed.append(task.without_content())
        return False

    def begin(self, sha256: str) -> None:
        """The engine starts with a claimed content."""
        self._contents.add(sha256)

    def end(self, sha256: str, *, release: bool = True) -> None:
        """The content is recorded, or cannot be enrolled. Its claim is released if asked."""
        self._contents.discard(sha256)
        if release:
            self.claims.release(sha256)

    def release(self, sha256: str) -> None:
        """Release a claim without having enrolled."""
        self.claims.release(sha256)

    def take_postponed(self) -> list[PhotoTask]:
        """The postponed tasks, which are no longer kept."""
        postponed, self._postponed = self._postponed, []
        return postponed
