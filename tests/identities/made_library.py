"""Catalogues made of vectors: real tables and gallery arithmetic, without photos or networks."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import EngineCapabilities, GroupMeans, NeighborEdges
from catalog.domain.faces import (
    Analysis,
    BoundingBox,
    Comparison,
    EnrolledFace,
    Enrollment,
    Face,
    Match,
    NeighborList,
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.timestamps import utc_text
from catalog.engines.neighbor_edges import neighbor_edges
from catalog.identities.assignment.gallery_clustering import GroupingRules, SearchRules
from catalog.identities.clustering.face_table import SeedFaceThresholds
from catalog.identities.clustering.similarity_graph import Edges, Linkage
from catalog.store.database import Database
from catalog.store.photo_dates import date_columns
from catalog.store.tables import faces, locations, photos, scans

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = GroupingRules(
    mean_linkage=Linkage(threshold=0.42, pair_penalty=0.06, merge_margin=0.04),
    search_linkage=Linkage(threshold=2.83, pair_penalty=1.5, merge_margin=1.0),
    search=SearchRules(threshold=50.0, covered_similarity=99.94, covering_faces=1, workers=1),
    seed_faces=SeedFaceThresholds(confidence=80.0, side=32.0, sharpness=10.0, yaw=60.0),
)


def edges_of(pairs: Iterable[tuple[int, int, float]]) -> Edges:
    """Edges from rows of two indexes and their similarity."""
    rows = np.fromiter(pairs, dtype=[("a", np.int64), ("b", np.int64), ("s", np.float64)])
    return Edges.of_arrays(rows["a"], rows["b"], rows["s"])


def similarity(cosine: float) -> float:
    """Similarity, 0 to 100: cosine 0.363 is 80, 0.490 is 99."""
    return 100.0 / (1.0 + math.exp(-(1.3863 + 25.27 * (cosine - 0.363))))


@dataclass
class VectorGallery:
    """Faces with unit vectors. Gives neighbor lists, as a paid service does, and counts the calls."""

    name: str = "rekognition"
    model: str = "vectors/1"
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    limit: int = 4096
    probes: dict[bytes, NDArray[np.float32]] = field(default_factory=dict)
    """Vector of the only face of a photo, by the photo's bytes."""
    capabilities: ClassVar[EngineCapabilities] = EngineCapabilities(is_paid=True)
    user_vectors: ClassVar[None] = None

    @property
    def group_means(self) -> GroupMeans | None:
        return None

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        self.calls += 1
        limit = min(limit, self.limit)
        result = [m for m in self._matches_of(self.vectors[face_id], threshold) if m.face_id != face_id]
        charge = Charge(Operation.SEARCH_FACES, 1, Decimal("0.001"))
        return NeighborList(face_id, tuple(result[:limit]), complete=len(result) <= limit, charges=(charge,))

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = 4096, box: BoundingBox | None = None
    ) -> SearchResult:
        face = Face(box or BoundingBox(0.25, 0.25, 0.5, 0.5), 99.0)
        charge = Charge(Operation.SEARCH_FACES_BY_IMAGE, 1, Decimal("0.001"))
        return SearchResult(face, tuple(self._matches_of(self.probes[photo.data], threshold)[:limit]), (charge,))

    def _matches_of(self, probe: NDArray[np.float32], threshold: float) -> list[Match]:
        ids = list(self.vectors)
        if not ids:
            return []
        cosines = np.stack([self.vectors[row] for row in ids]) @ probe
        result = [Match(row, similarity(float(cosine))) for row, cosine in zip(ids, cosines, strict=True)]
        return sorted((m for m in result if m.similarity >= threshold), key=lambda m: (-m.similarity, m.face_id))

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        present = {row for row in face_ids if row in self.vectors}
        for row in present:
            del self.vectors[row]
        return present

    def enrolled(self) -> Iterator[EnrolledFace]:
        for row in self.vectors:
            yield EnrolledFace(row, self.sha256[row], BoundingBox(0.25, 0.25, 0.5, 0.5), 99.0)

    def quote(self, operation: Operation, calls: int) -> Charge:
        return Charge(operation, calls, Decimal("0.001") * calls)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        return ()

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return Analysis((Face(BoundingBox(0.25, 0.25, 0.5, 0.5), 99.0),))

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        raise AssertionError("a made library calls no engine")

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        raise AssertionError("a made library calls no engine")

    def close(self) -> None:
        pass


@dataclass
class LendingGallery(VectorGallery):
    """A gallery that lends exact group means, as the local engine does."""

    name: str = "local"
    capabilities: ClassVar[EngineCapabilities] = EngineCapabilities(lends_group_means=True)

    @property
    def group_means(self) -> GroupMeans:
        return self

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        return neighbor_edges(self.group_vectors(face_ids), per_face=per_face, floor=floor)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self.vectors[row] for row in face_ids]).astype(np.float32)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [similarity(value) for value in values]


@dataclass(frozen=True)
class Shot:
    """One photo with a vector for each face. ``poor`` faces are small and blurred."""

    name: str
    vectors: Sequence[NDArray[np.float32]]
    boxes: Sequence[BoundingBox] | None = None
    poor: Sequence[bool] = ()
    taken_at: datetime | None = None
    ages: Sequence[tuple[int, int]] = ()
    genders: Sequence[tuple[str, float]] = ()


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def boxes_for(count: int) -> list[BoundingBox]:
    """Boxes side by side that do not overlap."""
    width = 0.9 / count
    return [BoundingBox(0.05 + width * k, 0.3, width * 0.8, 0.4) for k in range(count)]


def start(connection: Connection, gallery: VectorGallery, night: int = 0) -> int:
    row = {
        "started_at": utc_text(NOW + timedelta(days=night)),
        "state": "running",
        "engine": gallery.name,
        "gallery": "catalog",
        "model": gallery.model,
        "version": "0",
        "host": "here",
        "pid": 1,
    }
    return int(connection.execute(insert(scans).returning(scans.c.id), row).scalar_one())


def enroll(database: Database, gallery: VectorGallery, shots: Sequence[Shot], *, night: int = 0) -> int:
    """Record photos with their faces, as a scan does; returns the scan's id."""
    stored_at = utc_text(NOW + timedelta(days=night))
    with database.begin() as connection:
        scan_id = start(connection, gallery, night)
        for shot in shots:
            photo = _photo(connection, shot, stored_at)
            boxes = shot.boxes or boxes_for(max(1, len(shot.vectors)))
            for number, (vector, box) in enumerate(zip(shot.vectors, boxes, strict=False)):
                poor = number < len(shot.poor) and shot.poor[number]
                face_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{gallery.name}/{shot.name}/{number}"))
                gallery.vectors[face_id] = vector
                gallery.sha256[face_id] = digest(shot.name)
                age = shot.ages[number] if number < len(shot.ages) else (None, None)
                gender = shot.genders[number] if number < len(shot.genders) else (None, None)
                connection.execute(
                    insert(faces),
                    {
                        "face_id": face_id,
                        "photo_id": photo,
                        "engine": gallery.name,
                        "gallery": "catalog",
                        "model": gallery.model,
                        "box_left": box.left,
                        "box_top": box.top,
                        "box_width": box.width,
                        "box_height": box.height,
                        "confidence": 60.0 if poor else 99.0,
                        "yaw": 0.0,
                        "sharpness": 4.0 if poor else 60.0,
                        "age_low": age[0],
                        "age_high": age[1],
                        "gender": gender[0],
                        "gender_confidence": gender[1],
                        "not_a_face": False,
                        "enrolled_at": stored_at,
                        "scan_id": scan_id,
                    },
                )
    return scan_id


def _photo(connection: Connection, shot: Shot, recorded_at: str | None) -> int:
    existing = connection.execute(photos.select().where(photos.c.sha256 == digest(shot.name))).first()
    if existing is not None:
        return int(existing.id)
    row = {
        "sha256": digest(shot.name),
        "size": 1,
        "format": "JPEG",
        "width": 4000,
        "height": 3000,
        "orientation": 1,
        **date_columns(shot.taken_at, None, None, None),
        "recorded_at": recorded_at,
    }
    photo = int(connection.execute(insert(photos).returning(photos.c.id), row).scalar_one())
    place = {"photo_id": photo, "uri": f"file:///photos/{shot.name}", "size": 1, "modified_ns": 1}
    connection.execute(insert(locations), {**place, "etag": "", "first_seen": recorded_at})
    return photo


def vector_near(center: NDArray[np.float64], cosine: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A unit vector at this cosine from a center."""
    noise = rng.standard_normal(len(center))
    noise -= noise @ center * center
    noise /= np.linalg.norm(noise)
    vector = center * cosine + noise * math.sqrt(1 - cosine**2)
    return np.asarray(vector, dtype=np.float32)


def people(count: int, rng: np.random.Generator, dimension: int = 64) -> NDArray[np.float64]:
    """Unit vectors of dissimilar people, one per row."""
    centers = rng.standard_normal((count, dimension))
    return np.asarray(centers / np.linalg.norm(centers, axis=1, keepdims=True))
