"""Enrollment claims: when several scans find the same content, exactly one enrolls it and is charged."""

from __future__ import annotations

from typing import Protocol

from catalog.store.source_locks import Locks, content_lock_key


class EnrollmentClaims(Protocol):
    """Claims of one scan, visible to the scans of the same catalogue in other processes."""

    can_wait: bool
    """True: a task whose claim is refused stays with this scan, which asks again. False: another worker gets it."""

    def claim(self, uri: str, sha256: str) -> bool:
        """Try to claim a content found at ``uri``. Returns False while another scan enrolls it."""

    def release(self, sha256: str) -> None:
        """Release the claim: the content is recorded, or cannot be enrolled."""


class SoloClaims:
    """Claims of a scan that shares its sources with no worker. They are locks and end with those of the sources."""

    can_wait = True

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def claim(self, uri: str, sha256: str) -> bool:  # noqa: ARG002 - no other worker scans this location
        return self._locks.acquire(content_lock_key(sha256), shared=False)

    def release(self, sha256: str) -> None:
        self._locks.release(content_lock_key(sha256))
