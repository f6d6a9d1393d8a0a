"""Finding faces, putting them in collections, listing, deleting and comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select

from catalog.domain.faces import RejectionReason
from catalog.endpoint import errors
from catalog.endpoint.collections import Collection, Collections
from catalog.endpoint.images import ImageReader
from catalog.endpoint.local_engine_access import LocalEngineAccess, RequestFace
from catalog.endpoint.protocol import Call, Members
from catalog.endpoint.response_builder import DEFAULT, bounding_box, compared_face, face_detail, single
from catalog.endpoint.tokens import page_token, read_page_token
from catalog.endpoint.users import UserStore
from catalog.engines.local.gallery import NewFace, box_of, image_id_of
from catalog.engines.local.tables import gallery_faces, gallery_user_faces

_PAGE = 1000
_CHUNK = 500


class Faces:
    """IndexFaces, ListFaces, DeleteFaces, DetectFaces and CompareFaces."""

    def __init__(
        self, collections: Collections, users: UserStore, sight: LocalEngineAccess, images: ImageReader
    ) -> None:
        self._collections = collections
        self._users = users
        self._sight = sight
        self._images = images

    def detect(self, call: Call) -> Members:
        attributes = frozenset(call.members.get("Attributes") or DEFAULT)
        image = self._images.read(call.members["Image"])
        seen = self._sight.faces(image.photo, attributes)
        return {"FaceDetails": [face_detail(face.face, attributes) for face in seen]}

    def compare(self, call: Call) -> Members:
        asked = call.members
        source, target = self._images.read(asked["SourceImage"]), self._images.read(asked["TargetImage"])
        quality_filter = asked.get("QualityFilter", "NONE")
        ours, theirs = (
            [face for face in self._sight.faces(image.photo) if not face.flaws(quality_filter)]
            for image in (source, target)
        )
        if not ours or not theirs:
            raise errors.invalid_parameter()
        probe, *others = self._sight.probes([ours[0], *theirs])
        threshold = asked.get("SimilarityThreshold", 80.0)
        scored = [
            (self._sight.similarity(float(other @ probe)), face) for other, face in zip(others, theirs, strict=True)
        ]
        matches = sorted((pair for pair in scored if pair[0] >= threshold), key=lambda pair: -pair[0])
        return {
            "SourceImageFace": {
                "BoundingBox": bounding_box(ours[0].face.box),
                "Confidence": single(ours[0].face.confidence),
            },
            "FaceMatches": [
                {"Similarity": similarity, "Face": compared_face(face.face)} for similarity, face in matches
            ],
            "UnmatchedFaces": [compared_face(face.face) for similarity, face in scored if similarity < threshold],
        }

    def index(self, call: Call) -> Members:
        asked = call.members
        collection = self._collections.find(asked["CollectionId"])
        image = self._images.read(asked["Image"])
        attributes = frozenset(asked.get("DetectionAttributes") or DEFAULT)
        seen = self._sight.faces(image.photo, attributes)
        kept, rejected = _choose(seen, asked.get("QualityFilter", "AUTO"), asked.get("MaxFaces"))
        new = [
            NewFace(face.face.box, face.face.confidence, vector)
            for face, vector in zip(kept, self._sight.vectors(kept), strict=True)
        ]
        external = asked.get("ExternalImageId")
        ids = self._collections.gallery(collection).enroll(image.sha256, new, external or "")
        owners = self._users.owners(collection.collection_id, ids)
        version = collection.face_model_version
        return {
            "FaceRecords": [
                {
                    "Face": {
                        "FaceId": face_id,
                        "BoundingBox": bounding_box(face.face.box),
                        "ImageId": image_id_of(image.sha256),
                        "ExternalImageId": external,
                        "Confidence": single(face.face.confidence),
                        "IndexFacesModelVersion": version,
                        "UserId": owners.get(face_id),
                    },
                    "FaceDetail": face_detail(face.face, attributes),
                }
                for face_id, face in zip(ids, kept, strict=True)
            ],
            "UnindexedFaces": [
                {"Reasons": [reason.value for reason in reasons], "FaceDetail": face_detail(face.face, attributes)}
                for face, reasons in rejected
            ],
            "FaceModelVersion": version,
        }

    def list_faces(self, call: Call) -> Members:
        asked = call.members
        collection = self._collections.find(asked["CollectionId"])
        listing = f"ListFaces/{collection.instance}"
        limit = asked.get("MaxResults") or _PAGE
        table = gallery_faces.c
        query = face_query().where(table.collection_id == collection.collection_id)
        if "UserId" in asked:
            self._users.find(collection.collection_id, asked["UserId"])
            query = query.where(gallery_user_faces.c.user_id == asked["UserId"])
        if "FaceIds" in asked:
            query = query.where(table.face_id.in_(asked["FaceIds"]))
        if "NextToken" in asked:
            query = query.where(table.seq > read_page_token(listing, asked["NextToken"])[0])
        with self._collections.database.connect() as connection:
            rows = connection.execute(query.order_by(table.seq).limit(limit + 1)).mappings().all()
        page, more = rows[:limit], len(rows) > limit
        return {
            "Faces": [face_of(row, collection) for row in page],
            "NextToken": page_token(listing, page[-1]["seq"]) if more else None,
            "FaceModelVersion": collection.face_model_version,
        }

    def delete(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        wanted = list(dict.fromkeys(call.members["FaceIds"]))
        with self._users.changing:
            owners = self._users.owners(collection.collection_id, wanted)
            gallery = self._collections.gallery(collection)
            deleted = gallery.remove(face_id for face_id in wanted if face_id not in owners)
        failures = [
            {"FaceId": face_id, "UserId": owners[face_id], "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
            if face_id in owners
            else {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
            for face_id in wanted
            if face_id not in deleted
        ]
        return {
            "DeletedFaces": [face_id for face_id in wanted if face_id in deleted],
            "UnsuccessfulFaceDeletions": failures,
        }


def _choose(
    seen: Sequence[RequestFace], quality_filter: str, most: int | None
) -> tuple[list[RequestFace], list[tuple[RequestFace, tuple[RejectionReason, ...]]]]:
    """Which faces are indexed, and why the others are not; both largest first.

    Where there are more than ``most``, faces of poor quality are dropped before good ones, and then the smallest: so
    Amazon does it, and so a large blurred face loses against a small sharp one.
    """
    rejected = {}
    for place, face in enumerate(seen):
        flaws = face.flaws(quality_filter)
        if flaws:
            rejected[place] = flaws
    left = [place for place in range(len(seen)) if place not in rejected]
    if most is not None and len(left) > most:
        ranked = sorted(left, key=lambda place: (bool(seen[place].flaws("AUTO")), place))
        rejected |= dict.fromkeys(ranked[most:], (RejectionReason.EXCEEDS_MAX_FACES,))
    kept = [face for place, face in enumerate(seen) if place not in rejected]
    return kept, [(seen[place], rejected[place]) for place in sorted(rejected)]


def face_query() -> Any:
    """Faces with the user each belongs to: rows for :func:`face_of`."""
    table = gallery_faces.c
    owner = gallery_user_faces.c
    return select(gallery_faces, owner.user_id).outerjoin(
        gallery_user_faces, (owner.collection_id == table.collection_id) & (owner.face_id == table.face_id)
    )


def face_of(row: RowMapping, collection: Collection) -> Members:
    """A Face structure."""
    return {
        "FaceId": row["face_id"],
        "BoundingBox": bounding_box(box_of(row)),
        "ImageId": row["image_id"],
        "ExternalImageId": row["external_image_id"] or None,
        "Confidence": single(row["confidence"]),
        "IndexFacesModelVersion": collection.face_model_version,
        "UserId": row["user_id"],
    }
