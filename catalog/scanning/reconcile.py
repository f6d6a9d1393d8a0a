"""Compare a gallery with the catalogue and repair both: after a restore, or after a change of the collection."""

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
from catalog.domain.same_face import SAME_PHOTO, best_match
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
    """Faces that only the gallery or only the catalogue holds.

    ``orphans`` are ids of gallery faces without a row. ``missing`` are content hashes of photos of which the gallery
    lacks at least one face that has a row. ``strangers`` is the number of faces in a shared gallery that another
    catalogue enrolled, or whose photos this catalogue does not know (it may be restored from an older backup).
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
    """Numbers of removed faces and of photos enrolled again. ``failures`` are pairs of content hash and reason."""

    removed: int
    enrolled: int
    failures: tuple[tuple[str, str], ...]


def compare(database: Database, engine: Engine, *, gallery: str, shared: bool = False) -> GalleryDifference:
    """Compare; nothing is written. ``shared``: other catalogues may have faces in the gallery too."""
    # 16 bytes a face instead of a text, because a gallery may hold millions.
    hash_by_face: dict[bytes, bytes] = {}
    foreign = 0
    for enrolled in engine.enrolled():
        if shared and enrolled.is_foreign:
            foreign += 1
            continue
        hash_by_face[uuid.UUID(enrolled.face_id).bytes] = bytes.fromhex(enrolled.sha256) if shared else b""
    in_gallery = len(hash_by_face) + foreign
    missing: dict[str, None] = {}
    in_catalogue = 0
    with database.read() as connection:
        for face in stored_faces(connection, engine=engine.name, gallery=gallery):
            in_catalogue += 1
            key = uuid.UUID(face.face_id).bytes
            if key in hash_by_face:
                del hash_by_face[key]
            else:
                missing[face.sha256] = None
        # Faces of unknown photos are not removed: another catalogue may have enrolled them without its name.
        hashes = set(hash_by_face.values())
        unknown = {sha256 for sha256 in hashes if sha256 and find_photo(connection, sha256.hex()) is None}
    orphans = [str(uuid.UUID(bytes=key)) for key, sha256 in sorted(hash_by_face.items()) if sha256 not in unknown]
    strangers = len(hash_by_face) - len(orphans) + foreign
    return GalleryDifference(in_gallery, in_catalogue, tuple(orphans), tuple(missing), strangers)


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
    store_expressions: bool = False,
) -> tuple[GalleryDifference, GalleryRepair]:
    """Remove gallery faces without a row, and enroll photos again whose faces the gallery lacks.

    ``read`` returns the bytes of a location. In a ``shared`` gallery, faces of photos that this catalogue does not know
    are kept. A face that is enrolled again keeps its row, its person and its decisions.
    """
    with lock_sources(database, [CATALOGUE], wait_seconds=wait_seconds):
        pending_removals.drain(database, engine.remove, engine.name, gallery)
        difference = compare(database, engine, gallery=gallery, shared=shared)
        removed = 0
        for start in range(0, len(difference.orphans), _BATCH):
            removed += len(engine.remove(difference.orphans[start : start + _BATCH]))
        enrolled = 0
        failures: list[tuple[str, str]] = []
        for sha256 in difference.missing:
            try:
                content = _read_any(database, sha256, read)
                photo = replace(open_photo(content.oriented_data), address=content.address)
                enrollment = engine.enroll(photo, sha256)
            except PhotoError as error:
                failures.append((sha256, str(error)))
                continue
            _record(database, engine, gallery, sha256, enrollment, region, now, store_expressions)
            enrolled += 1
    return difference, GalleryRepair(removed, enrolled, tuple(failures))


def _read_any(database: Database, sha256: str, read: Callable[[Location], Content]) -> Content:
    """Read a content from the first of its locations that still holds it. Raises PhotoError."""
    with database.read() as connection:
        locations = locations_of_content(connection, sha256)
    for location in locations:
        try:
            content = read(location)
        except (PhotoError, SourceError):
            continue
        if sha256_of(content.data) == sha256:
            return content
    raise PhotoError(f"None of the {len(locations)} locations of photo {sha256[:12]} can be read.")


def _record(
    database: Database,
    engine: Engine,
    gallery: str,
    sha256: str,
    enrollment: Enrollment,
    region: str,
    now: datetime,
    store_expressions: bool,
) -> None:
    with database.begin() as connection:
        photo_id = locations_of_content(connection, sha256)[0].photo_id
        rows = list(stored_faces(connection, engine=engine.name, gallery=gallery, photo_ids=[photo_id]))
        rename_faces(connection, _new_ids(rows, enrollment))
        record_enrollment(
            connection,
            photo_id,
            enrollment,
            engine=engine.name,
            gallery=gallery,
            model=engine.model,
            scan_id=None,
            now=now,
            store_expressions=store_expressions,
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


def _new_ids(rows: Sequence[StoredFace], enrollment: Enrollment) -> dict[int, str]:
    """Row ids of faces that the gallery lost, with the id of the same face in the new enrollment."""
    stored_ids = {row.face_id for row in rows}
    enrolled_ids = {record.face_id for record in enrollment.faces}
    candidates = [record for record in enrollment.faces if record.face_id not in stored_ids]
    new_ids: dict[int, str] = {}
    for row in rows:
        if row.face_id in enrolled_ids:
            continue
        best = best_match(row.box, candidates, SAME_PHOTO, key=lambda record: record.face.box)
        if best is not None:
            new_ids[row.row_id] = best.face_id
            candidates.remove(best)
    return new_ids
