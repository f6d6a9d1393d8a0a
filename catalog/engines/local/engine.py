"""The local engine: faces are found, described, enrolled and compared on this machine; no account, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine as Database

from catalog.engines.base import MAX_FACES, MAX_MATCHES
from catalog.engines.local.align import align_faces
from catalog.engines.local.attributes import AttributeReader, AttributeReading
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_faces
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.engines.local.groups import neighbor_edges
from catalog.engines.local.placement import FIVE, place_landmarks
from catalog.engines.local.pose import estimate_pose
from catalog.engines.local.quality import find_flaws, measure_quality
from catalog.engines.local.similarity import MIRRORED, PLAIN
from catalog.errors import NoFaceError
from catalog.images.opened import OpenedPhoto
from catalog.vocabulary import (
    Analysis,
    BoundingBox,
    Charge,
    ComparedFace,
    Comparison,
    EnrolledFace,
    Enrollment,
    Face,
    FaceAttributes,
    FaceRecord,
    Landmark,
    Match,
    Neighbors,
    Operation,
    QualityFilter,
    RejectedFace,
    RejectionReason,
    Search,
)

MODEL = "yunet-2023mar/facemesh/sface-2021dec"
_BOX_WIDTH, _BOX_HEIGHT = 1.03, 1.06
"""YuNet's boxes are a little smaller than Amazon's: mean of Amazon's four boxes of data/seed, about the same centre."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A face as told to callers, and cut out for the embedding."""

    face: Face
    aligned: NDArray[np.uint8]
    side: float
    """Geometric mean of the box's sides in pixels of the original photo."""


class LocalEngine:
    """Implements :class:`~catalog.engines.base.Engine` and :class:`~catalog.engines.base.GroupMeans`.

    Making one is cheap: networks are loaded at the first photo, the gallery at the first search.
    """

    name = "local"

    def __init__(
        self,
        database: Database,
        *,
        collection: str = "catalog",
        quality_filter: QualityFilter = QualityFilter.AUTO,
        attributes: Literal["all", "none"] = "all",
        mirrored: bool = False,
    ) -> None:
        self.model = f"{MODEL}{'/mirrored' if mirrored else ''}"
        self.gallery = LocalGallery(database, collection, self.model)
        self._quality_filter = quality_filter
        self._reader = AttributeReader() if attributes == "all" else None
        self._mirrored = mirrored
        self._calibration = MIRRORED if mirrored else PLAIN

    # ------------------------------------------------------------------------------------------------ contract

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return Analysis(tuple(seen.face for seen in self._look(photo, described=True)))

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        kept: list[_Seen] = []
        rejected: list[RejectedFace] = []
        for seen in self._look(photo, described=True):
            flaws = self._flaws(seen)
            if flaws:
                rejected.append(RejectedFace(seen.face, flaws))
            else:
                kept.append(seen)
        vectors = self._vectors(kept)
        new = [NewFace(s.face.box, s.face.confidence, v) for s, v in zip(kept, vectors, strict=True)]
        ids = self.gallery.enroll(sha256, new)
        records = tuple(FaceRecord(face_id, seen.face) for face_id, seen in zip(ids, kept, strict=True))
        return Enrollment(records, tuple(rejected))

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> Neighbors:
        probe = self.gallery.vector(face_id)
        # One more than asked for tells whether the list was cut.
        matches = self._matches(probe, threshold, limit + 1, without=face_id)
        return Neighbors(face_id, matches[:limit], complete=len(matches) <= limit)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> Search:
        seen = self._look(photo)
        if not seen:
            raise NoFaceError("The photo shows no face to search for.")
        chosen = seen[0] if box is None else max(seen, key=lambda s: s.face.box.iou(box))
        if box is not None and chosen.face.box.iou(box) <= 0:
            raise NoFaceError("The photo shows no face at the place that was asked for.")
        (probe,) = self._vectors([chosen])
        return Search(chosen.face, self._matches(probe, threshold, limit))

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        ours, theirs = self._look(source), self._look(target)
        if not ours:
            raise NoFaceError("The source photo shows no face.")
        if not theirs:
            raise NoFaceError("The target photo shows no face.")
        (probe,) = self._vectors(ours[:1])
        similarities = self._calibration.similarity(self._vectors(theirs) @ probe)
        compared = [ComparedFace(seen.face, float(s)) for seen, s in zip(theirs, similarities, strict=True)]
        matches = sorted((c for c in compared if c.similarity >= threshold), key=lambda c: -c.similarity)
        unmatched = tuple(c.face for c in compared if c.similarity < threshold)
        return Comparison(ours[0].face, tuple(matches), unmatched)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        return self.gallery.remove(face_ids)

    def enrolled(self) -> Iterator[EnrolledFace]:
        return self.gallery.faces()

    def price(self, operation: Operation, calls: int) -> Charge:
        return Charge(operation, calls, Decimal(0))

    def close(self) -> None:
        self.gallery.forget_rows()

    # ------------------------------------------------------------------------------------------------ group means

    def neighbor_edges(
        self, face_ids: Sequence[str], *, per_face: int, floor: float
    ) -> Iterator[tuple[int, int, float]]:
        return neighbor_edges(self.gallery.vectors(face_ids), per_face=per_face, floor=floor)

    def group_sums(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self.gallery.vectors(face_ids)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [float(each) for each in self._calibration.similarity(np.asarray(values, np.float64))]

    # ------------------------------------------------------------------------------------------------ inside

    def _look(self, photo: OpenedPhoto, *, described: bool = False) -> list[_Seen]:
        """The photo's faces, largest first, at most :data:`MAX_FACES`; ``described`` with what each shows."""
        pixels = photo.pixels
        found, meshes = place_landmarks(pixels, detect_faces(pixels)[:MAX_FACES])
        aligned = align_faces(pixels, [face.landmarks for face in found])
        readings: list[AttributeReading | None] = [None] * len(found)
        if described and self._reader is not None:
            readings = [*self._reader.read(pixels, found, meshes)]
        enlargement = photo.width / pixels.shape[1]
        return [
            _Seen(
                face=_describe(face, square, reading, pixels.shape[1], pixels.shape[0]),
                aligned=square,
                side=face.size * enlargement,
            )
            for face, square, reading in zip(found, aligned, readings, strict=True)
        ]

    def _flaws(self, seen: _Seen) -> tuple[RejectionReason, ...]:
        face = seen.face
        assert face.quality is not None
        assert face.pose is not None
        return find_flaws(
            self._quality_filter, confidence=face.confidence, side=seen.side, quality=face.quality, pose=face.pose
        )

    def _vectors(self, faces: Sequence[_Seen]) -> NDArray[np.float32]:
        if not faces:
            return embed_faces(np.zeros((0, 112, 112, 3), np.uint8))
        return embed_faces(np.stack([seen.aligned for seen in faces]), mirrored=self._mirrored)

    def _matches(
        self, probe: NDArray[np.float32], threshold: float, limit: int, without: str | None = None
    ) -> tuple[Match, ...]:
        found = self.gallery.nearest(probe, self._calibration.cosine(threshold), limit, without)
        return tuple(Match(face_id, float(self._calibration.similarity(cosine))) for face_id, cosine in found)


def _describe(
    found: DetectedFace, aligned: NDArray[np.uint8], reading: AttributeReading | None, width: int, height: int
) -> Face:
    left, top, across, down = found.box
    wider, taller = across * _BOX_WIDTH, down * _BOX_HEIGHT
    points = dict(zip(FIVE, found.landmarks.tolist(), strict=True))
    if reading is not None:
        points |= reading.landmarks
    return Face(
        box=BoundingBox(
            left=(left - (wider - across) / 2) / width,
            top=(top - (taller - down) / 2) / height,
            width=wider / width,
            height=taller / height,
        ),
        confidence=found.confidence,
        landmarks=tuple(Landmark(name, x / width, y / height) for name, (x, y) in points.items()),
        pose=(reading and reading.pose) or estimate_pose(found.landmarks),
        quality=measure_quality(aligned),
        attributes=reading.attributes if reading is not None else FaceAttributes(),
    )
