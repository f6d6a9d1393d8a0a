"""SearchFaces and SearchFacesByImage."""

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
_MAX_MATCHES = 4096
_CHUNK = 500


class Searches:
    """Searches of the faces of one collection."""

    def __init__(
        self,
        collections: Collections,
        engine: LocalEngineAccess,
        images: ImageReader,
        *,
        consistency_delay: float = 0.0,
    ) -> None:
        """``consistency_delay``: seconds for which a new face is listed but not yet searchable."""
        self._collections = collections
        self._engine = engine
        self._images = images
        self._delay = timedelta(seconds=consistency_delay)

    def by_face(self, call: Call) -> Members:
        collection = self._collections.find(call)
        face_id = call.members["FaceId"]
        probe = self.vector(collection, face_id)
        return {
            "SearchedFaceId": face_id,
            "FaceMatches": self._matches(call, collection, probe, without=face_id),
            "FaceModelVersion": collection.face_model_version,
        }

    def by_image(self, call: Call) -> Members:
        collection = self._collections.find(call)
        image = self._images.read(call.members["Image"])
        quality_filter = call.members.get("QualityFilter", "NONE")
        accepted = [face for face in self._engine.faces(image.photo) if not face.rejection_reasons(quality_filter)]
        if not accepted:
            raise errors.no_face_in_image()
        (probe,) = self._engine.probes(accepted[:1])
        return {
            "SearchedFaceBoundingBox": bounding_box(accepted[0].face.box),
            "SearchedFaceConfidence": single(accepted[0].face.confidence),
            "FaceMatches": self._matches(call, collection, probe),
            "FaceModelVersion": collection.face_model_version,
        }

    def vector(self, collection: Collection, face_id: str) -> Floats:
        """The vector of a searchable face. Raises WireError if the face is unknown or too new."""
        if self._delay and face_id in self._too_new(collection, [face_id]):
            raise errors.face_not_found()
        try:
            return self._collections.gallery(collection).vector(face_id)
        except KeyError:
            raise errors.face_not_found() from None

    def _matches(self, call: Call, collection: Collection, probe: Floats, without: str | None = None) -> list[Members]:
        limit = call.members.get("MaxFaces", _MAX_MATCHES)
        floor = self._engine.cosine(call.members.get("FaceMatchThreshold", DEFAULT_THRESHOLD))
        nearest = self._collections.gallery(collection).nearest(probe, floor, limit, without)
        ids = [face_id for face_id, _ in nearest]
        too_new = self._too_new(collection, ids) if self._delay else set()
        faces = self._faces(collection, ids)
        return [
            {"Similarity": self._engine.similarity(cosine), "Face": faces[face_id]}
            for face_id, cosine in nearest
            if face_id in faces and face_id not in too_new
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
            gallery_faces.c.collection_id == collection.gallery_id, gallery_faces.c.created_at > latest
        )
        with self._collections.database.connect() as connection:
            new = {row["face_id"] for row in connection.execute(query).mappings()}
        return new.intersection(face_ids)
