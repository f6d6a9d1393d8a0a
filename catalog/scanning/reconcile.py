"""Bringing a gallery and the catalogue in line: after a restore, a collection that somebody emptied, or a doubt."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import Engine
from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.same_face import SAME_ENGINE, best_match
from catalog.domain.source import Content
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.faces import StoredFace, record_enrollment, rename_faces, stored_faces
from catalog.store.photos import Location, find_photo, locations_of_content
from catalog.store.scans import record_charges
from catalog.store.source_locks import CATALOGUE, lock_sources

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class GalleryDifference:
    """What the gallery and the catalogue do not share.

    ``orphans`` are gallery faces without a row; ``missing`` photos of which the gallery lacks at least one face that
    has a row, by content. ``strangers`` counts faces in a shared gallery that are of photos which this catalogue does
    not know: another one enrolled them, or this one after the backup that it was restored from.
    """

    in_gallery: int
    in_catalogue: int
    orphans: tuple[str, ...]
    missing: tuple[str, ...]
    strangers: int = 0

    @property
    def agree(self) -> bool:
        return not (self.orphans or self.missing)


@dataclass(frozen=True, slots=True)
class GalleryRepair:
    """What was done about a difference. ``failures`` are pairs of content and a sentence."""

    removed: int
    enrolled: int
    failures: tuple[tuple[str, str], ...]


def compare(database: Database, engine: Engine, *, gallery: str, shared: bool = False) -> GalleryDifference:
    """Read both sides; nothing is written. ``shared``: other catalogues may have faces in the gallery too."""
    # Sixteen bytes a face instead of a text: a gallery may hold millions.
    held: dict[bytes, bytes] = {}
    for enrolled in engine.enrolled():
        held[uuid.UUID(enrolled.face_id).bytes] = bytes.fromhex(enrolled.sha256) if shared else b""
    in_gallery = len(held)
    missing: dict[str, None] = {}
    in_catalogue = 0
    with database.read() as connection:
        for face in stored_faces(connection, engine=engine.name, gallery=gallery):
            in_catalogue += 1
            key = uuid.UUID(face.face_id).bytes
            if key in held:
                del held[key]
            else:
                missing[face.sha256] = None
        # What another catalogue enrolled is not ours to remove. Of a photo that both know there is one set of faces.
        strange = {sha256 for sha256 in set(held.values()) if sha256 and find_photo(connection, sha256.hex()) is None}
    orphans = [str(uuid.UUID(bytes=key)) for key, sha256 in sorted(held.items()) if sha256 not in strange]
    return GalleryDifference(in_gallery, in_catalogue, tuple(orphans), tuple(missing), len(held) - len(orphans))


def reconcile(
    database: Database,
    engine: Engine,
    *,
    gallery: str,
    shared: bool = False,
    read: Callable[[Location], Content],
    open_photo: Callable[[bytes], OpenedPhoto],
    now: datetime,
    region: str = "",
    wait_seconds: float = 0,
) -> tuple[GalleryDifference, GalleryRepair]:
    """Remove gallery faces that no row knows, and enroll photos again whose faces the gallery lost.

    ``read`` gives the bytes of a place. In a ``shared`` gallery faces of photos that this catalogue does not know are
    left alone. A face that is found again keeps its row, its person and its decisions.
    """
    with lock_sources(database, [CATALOGUE], wait_seconds=wait_seconds):
        pending_removals.drain(database, engine.remove, engine.name, gallery)
        found = compare(database, engine, gallery=gallery, shared=shared)
        removed = 0
        for start in range(0, len(found.orphans), _BATCH):
            removed += len(engine.remove(found.orphans[start : start + _BATCH]))
        enrolled = 0
        failures: list[tuple[str, str]] = []
        for sha256 in found.missing:
            try:
                content = _read_any(database, sha256, read)
                photo = replace(open_photo(content.data), address=content.address)
                enrollment = engine.enroll(photo, sha256)
            except PhotoError as error:
                failures.append((sha256, str(error)))
                continue
            _record(database, engine, gallery, sha256, enrollment, region, now)
            enrolled += 1
    return found, GalleryRepair(removed, enrolled, tuple(failures))


def _read_any(database: Database, sha256: str, read: Callable[[Location], Content]) -> Content:
    """The bytes of a content from the first of its places that still has them."""
    with database.read() as connection:
        places = locations_of_content(connection, sha256)
    for place in places:
        try:
            content = read(place)
        except (PhotoError, SourceError):
            continue
        if sha256_of(content.data) == sha256:
            return content
    raise PhotoError(f"None of the {len(places)} places of photo {sha256[:12]} can be read.")


def _record(
    database: Database, engine: Engine, gallery: str, sha256: str, enrollment: Enrollment, region: str, now: datetime
) -> None:
    with database.begin() as connection:
        photo_id = locations_of_content(connection, sha256)[0].photo_id
        rows = list(stored_faces(connection, engine=engine.name, gallery=gallery, photo_ids=[photo_id]))
        rename_faces(connection, _successors(rows, enrollment))
        record_enrollment(
            connection,
            photo_id,
            enrollment,
            engine=engine.name,
            gallery=gallery,
            model=engine.model,
            scan_id=None,
            now=now,
        )
        record_charges(
            connection,
            enrollment.charges,
            engine=engine.name,
            region=region,
            command="reconcile",
            scan_id=None,
            now=now,
        )


def _successors(rows: Sequence[StoredFace], enrollment: Enrollment) -> dict[int, str]:
    """Row ids of lost faces with the id under which the gallery holds the same face now."""
    kept = {row.face_id for row in rows}
    fresh = [record for record in enrollment.faces if record.face_id not in kept]
    held = {record.face_id for record in enrollment.faces}
    successors: dict[int, str] = {}
    for row in rows:
        if row.face_id in held:
            continue
        best = best_match(row.box, fresh, SAME_ENGINE, key=lambda record: record.face.box)
        if best is not None:
            successors[row.row_id] = best.face_id
            fresh.remove(best)
    return successors
