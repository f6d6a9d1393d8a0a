"""Searching a collection's faces by one of its own, or by a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from catalog.endpoint import errors
from catalog.endpoint.collections import Collection, Collections
from catalog.endpoint.faces import face_of, face_query
from catalog.endpoint.images import ImageReader
from catalog.endpoint.local_engine_access import Floats, LocalEngineAccess
from catalog.endpoint.protocol import Call, Members
from catalog.endpoint.response_builder import bounding_box, single
from catalog.engines.local.tables import gallery_faces

DEFAULT_THRESHOLD = 80.0
_MOST = 4096
_CHUNK = 500


class Searches:
    """SearchFaces and SearchFacesByImage."""

    def __init__(
        self, collections: Collections, sight: LocalEngineAccess, images: ImageReader, *, consistency_delay: float = 0.0
    ) -> None:
        """``consistency_delay`` is for how many seconds a new face can be listed but not yet searched."""
        self._collections = collections
        self._sight = sight
        self._images = images
        self._delay = timedelta(seconds=consistency_delay)

    def by_face(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        face_id = call.members["FaceId"]
        probe = self.vector(collection, face_id)
        return {
            "SearchedFaceId": face_id,
            "FaceMatches": self._matches(call, collection, probe, without=face_id),
            "FaceModelVersion": collection.face_model_version,
        }

    def by_image(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        image = self._images.read(call.members["Image"])
        quality_filter = call.members.get("QualityFilter", "NONE")
        good = [face for face in self._sight.faces(image.photo) if not face.flaws(quality_filter)]
        if not good:
            raise errors.no_face_in_image()
        (probe,) = self._sight.probes(good[:1])
        return {
            "SearchedFaceBoundingBox": bounding_box(good[0].face.box),
            "SearchedFaceConfidence": single(good[0].face.confidence),
            "FaceMatches": self._matches(call, collection, probe),
            "FaceModelVersion": collection.face_model_version,
        }

    def vector(self, collection: Collection, face_id: str) -> Floats:
        """The vector of a face that can be searched. Raises WireError."""
        if self._delay and face_id in self._too_new(collection, [face_id]):
            raise errors.face_not_found()
        try:
            return self._collections.gallery(collection).vector(face_id)
        except KeyError:
            raise errors.face_not_found() from None

    def _matches(self, call: Call, collection: Collection, probe: Floats, without: str | None = None) -> list[Members]:
        limit = call.members.get("MaxFaces", _MOST)
        floor = self._sight.cosine(call.members.get("FaceMatchThreshold", DEFAULT_THRESHOLD))
        found = self._collections.gallery(collection).nearest(probe, floor, limit, without)
        ids = [face_id for face_id, _ in found]
        hidden = self._too_new(collection, ids) if self._delay else set()
        faces = self._faces(collection, ids)
        return [
            {"Similarity": self._sight.similarity(cosine), "Face": faces[face_id]}
            for face_id, cosine in found
            if face_id in faces and face_id not in hidden
        ]

    def _faces(self, collection: Collection, face_ids: Sequence[str]) -> dict[str, Members]:
        faces = {}
        with self._collections.database.connect() as connection:
            for start in range(0, len(face_ids), _CHUNK):
                part = face_ids[start : start + _CHUNK]
                for row in connection.execute(face_query().where(gallery_faces.c.face_id.in_(part))).mappings():
                    faces[row["face_id"]] = face_of(row, collection)
        return faces

    def _too_new(self, collection: Collection, face_ids: Sequence[str]) -> set[str]:
        latest = (datetime.now(UTC) - self._delay).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        query = face_query().where(
            gallery_faces.c.collection_id == collection.collection_id, gallery_faces.c.created_at > latest
        )
        with self._collections.database.connect() as connection:
            new = {row["face_id"] for row in connection.execute(query).mappings()}
        return new.intersection(face_ids)
