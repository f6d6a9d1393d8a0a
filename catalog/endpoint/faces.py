"""DetectFaces, CompareFaces, IndexFaces, ListFaces and DeleteFaces."""

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
    """The operations on faces."""

    def __init__(
        self, collections: Collections, users: UserStore, engine: LocalEngineAccess, images: ImageReader
    ) -> None:
        self._collections = collections
        self._users = users
        self._engine = engine
        self._images = images

    def detect(self, call: Call) -> Members:
        attributes = frozenset(call.members.get("Attributes") or DEFAULT)
        image = self._images.read(call.members["Image"])
        faces = self._engine.faces(image.photo, attributes)
        return {"FaceDetails": [face_detail(face.face, attributes) for face in faces]}

    def compare(self, call: Call) -> Members:
        members = call.members
        source, target = self._images.read(members["SourceImage"]), self._images.read(members["TargetImage"])
        quality_filter = members.get("QualityFilter", "NONE")
        source_faces, target_faces = (
            [face for face in self._engine.faces(image.photo) if not face.rejection_reasons(quality_filter)]
            for image in (source, target)
        )
        if not source_faces or not target_faces:
            raise errors.invalid_parameter()
        probe, *target_probes = self._engine.probes([source_faces[0], *target_faces])
        threshold = members.get("SimilarityThreshold", 80.0)
        scored = [
            (self._engine.similarity(float(target_probe @ probe)), face)
            for target_probe, face in zip(target_probes, target_faces, strict=True)
        ]
        matches = sorted((pair for pair in scored if pair[0] >= threshold), key=lambda pair: -pair[0])
        return {
            "SourceImageFace": {
                "BoundingBox": bounding_box(source_faces[0].face.box),
                "Confidence": single(source_faces[0].face.confidence),
            },
            "FaceMatches": [
                {"Similarity": similarity, "Face": compared_face(face.face)} for similarity, face in matches
            ],
            "UnmatchedFaces": [compared_face(face.face) for similarity, face in scored if similarity < threshold],
        }

    def index(self, call: Call) -> Members:
        members = call.members
        collection = self._collections.find(call)
        image = self._images.read(members["Image"])
        attributes = frozenset(members.get("DetectionAttributes") or DEFAULT)
        faces = self._engine.faces(image.photo, attributes)
        accepted, rejected = _choose(faces, members.get("QualityFilter", "AUTO"), members.get("MaxFaces"))
        new_faces = [
            NewFace(face.face.box, face.face.confidence, vector)
            for face, vector in zip(accepted, self._engine.vectors(accepted), strict=True)
        ]
        external_image_id = members.get("ExternalImageId")
        ids = self._collections.gallery(collection).enroll(
            # Amazon gives new face ids when an image without ExternalImageId is indexed again.
            image.sha256,
            new_faces,
            external_image_id or "",
            keep_ids=external_image_id is not None,
        )
        owners = self._users.owners(collection.gallery_id, ids)
        version = collection.face_model_version
        return {
            "FaceRecords": [
                {
                    "Face": {
                        "FaceId": face_id,
                        "BoundingBox": bounding_box(face.face.box),
                        "ImageId": image_id_of(image.sha256),
                        "ExternalImageId": external_image_id,
                        "Confidence": single(face.face.confidence),
                        "IndexFacesModelVersion": version,
                        "UserId": owners.get(face_id),
                    },
                    "FaceDetail": face_detail(face.face, attributes),
                }
                for face_id, face in zip(ids, accepted, strict=True)
            ],
            "UnindexedFaces": [
                {"Reasons": [reason.value for reason in reasons], "FaceDetail": face_detail(face.face, attributes)}
                for face, reasons in rejected
            ],
            "FaceModelVersion": version,
        }

    def list_faces(self, call: Call) -> Members:
        members = call.members
        collection = self._collections.find(call)
        listing = f"ListFaces/{collection.instance}"
        limit = members.get("MaxResults") or _PAGE
        table = gallery_faces.c
        query = face_query().where(table.collection_id == collection.gallery_id)
        if "UserId" in members:
            self._users.find(collection.gallery_id, members["UserId"])
            query = query.where(gallery_user_faces.c.user_id == members["UserId"])
        if "FaceIds" in members:
            query = query.where(table.face_id.in_(members["FaceIds"]))
        if "NextToken" in members:
            query = query.where(table.seq > read_page_token(listing, members["NextToken"])[0])
        with self._collections.database.connect() as connection:
            rows = connection.execute(query.order_by(table.seq).limit(limit + 1)).mappings().all()
        page, has_more = rows[:limit], len(rows) > limit
        return {
            "Faces": [face_of(row, collection) for row in page],
            "NextToken": page_token(listing, page[-1]["seq"]) if has_more else None,
            "FaceModelVersion": collection.face_model_version,
        }

    def delete(self, call: Call) -> Members:
        collection = self._collections.find(call)
        face_ids = list(dict.fromkeys(call.members["FaceIds"]))
        with self._users.changing:
            owners = self._users.owners(collection.gallery_id, face_ids)
            gallery = self._collections.gallery(collection)
            deleted = gallery.remove(face_id for face_id in face_ids if face_id not in owners)
        failures = [
            {"FaceId": face_id, "UserId": owners[face_id], "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
            if face_id in owners
            else {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
            for face_id in face_ids
            if face_id not in deleted
        ]
        return {
            "DeletedFaces": [face_id for face_id in face_ids if face_id in deleted],
            "UnsuccessfulFaceDeletions": failures,
        }


def _choose(
    faces: Sequence[RequestFace], quality_filter: str, max_faces: int | None
) -> tuple[list[RequestFace], list[tuple[RequestFace, tuple[RejectionReason, ...]]]]:
    """The faces to index, and the rejected faces with their reasons; both largest first.

    If more than ``max_faces`` remain, faces of poor quality are rejected first, then the smallest. Amazon does the
    same: a small sharp face is preferred to a large blurred one.
    """
    rejected = {}
    for index, face in enumerate(faces):
        reasons = face.rejection_reasons(quality_filter)
        if reasons:
            rejected[index] = reasons
    remaining = [index for index in range(len(faces)) if index not in rejected]
    if max_faces is not None and len(remaining) > max_faces:
        ranked = sorted(remaining, key=lambda index: (bool(faces[index].rejection_reasons("AUTO")), index))
        rejected |= dict.fromkeys(ranked[max_faces:], (RejectionReason.EXCEEDS_MAX_FACES,))
    accepted = [face for index, face in enumerate(faces) if index not in rejected]
    return accepted, [(faces[index], rejected[index]) for index in sorted(rejected)]


def face_query() -> Any:
    """A query for faces and their users; :func:`face_of` converts its rows."""
    table = gallery_faces.c
    owner = gallery_user_faces.c
    return select(gallery_faces, owner.user_id).outerjoin(
        gallery_user_faces, (owner.collection_id == table.collection_id) & (owner.face_id == table.face_id)
    )


def face_of(row: RowMapping, collection: Collection) -> Members:
    """The Face structure of one row."""
    return {
        "FaceId": row["face_id"],
        "BoundingBox": bounding_box(box_of(row)),
        "ImageId": row["image_id"],
        "ExternalImageId": row["external_image_id"] or None,
        "Confidence": single(row["confidence"]),
        "IndexFacesModelVersion": collection.face_model_version,
        "UserId": row["user_id"],
    }
