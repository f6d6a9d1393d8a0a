"""A photo that another machine has read: everything that its enrollment needs, without pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from catalog.domain.faces import Face, RejectedFace
from catalog.domain.opened_photo import OpenedPhoto


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPhoto:
    """Result of :meth:`Preparer.prepare`. Holds no pixels, and the file's bytes only if the engine sends them.

    ``faces`` are the faces to enroll, largest first, for an engine that finds faces itself. ``data`` are bytes that
    only the engine that made them reads. ``shows_face`` is the finding of a prefilter, None if none looked.
    """

    photo: OpenedPhoto
    faces: tuple[Face, ...] = ()
    rejected: tuple[RejectedFace, ...] = ()
    data: bytes = b""
    shows_face: bool | None = None


class Preparer(Protocol):
    """The part of an enrollment that needs no gallery and makes no paid call. It has no effect but its result.

    May be used from several threads at once.
    """

    @property
    def weights(self) -> str:
        """Name and hash of the networks; empty for an engine without networks of its own."""

    def prepare(self, photo: OpenedPhoto) -> PreparedPhoto:
        """Compute what ``Engine.enroll_prepared`` takes. Raises PhotoError and EngineError."""


def without_pixels(photo: OpenedPhoto) -> OpenedPhoto:
    """The photo without its pixels and bytes, for waiting and for sending."""
    return replace(photo, pixels=photo.pixels[:0].copy(), data=b"")
