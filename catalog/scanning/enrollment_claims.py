"""Which scan enrolls a content that several meet at the same time: exactly one of them, so that it is paid for once."""

from __future__ import annotations

from typing import Protocol

from catalog.store.source_locks import Locks, content_lock_key


class Claims(Protocol):
    """What a scan has begun to enroll, told to all scans of the catalogue in other processes."""

    waits: bool
    """Whether a photo that is refused stays with this scan, which asks again; if not, somebody else will come to it."""

    def claim(self, uri: str, sha256: str) -> bool:
        """Whether this scan may enroll a content, here at ``uri``; another one may be at it right now."""

    def let_go(self, sha256: str) -> None:
        """The content is recorded, or could not be enrolled: whoever asks next may have it."""


class OwnClaims:
    """Claims of a scan that shares its sources with nobody: locks beside those of its sources, which end with them."""

    waits = True

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def claim(self, uri: str, sha256: str) -> bool:  # noqa: ARG002  a place is nobody else's here
        return self._locks.acquire(content_lock_key(sha256), shared=False)

    def let_go(self, sha256: str) -> None:
        self._locks.release(content_lock_key(sha256))
