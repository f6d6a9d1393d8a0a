"""The seven operations on users, and user searches."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.endpoint import errors
from catalog.endpoint.collections import Collection, Collections
from catalog.endpoint.images import ImageReader
from catalog.endpoint.local_engine_access import Floats, LocalEngineAccess, RequestFace
from catalog.endpoint.protocol import Call, Members
from catalog.endpoint.response_builder import DEFAULT, face_detail
from catalog.endpoint.search import DEFAULT_THRESHOLD, Searches
from catalog.endpoint.tokens import RepeatedRequests, page_token, read_page_token
from catalog.endpoint.user_vectors import UserVectorIndex
from catalog.endpoint.users import MAX_FACES_OF_USER, UPDATING, UserStore
from catalog.engines.local.gallery import LocalGallery

ASSOCIATE_THRESHOLD = 75.0
_MAX_RESULTS = 500


class UserOperations:
    """CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces, SearchUsers and SearchUsersByImage."""

    def __init__(
        self,
        collections: Collections,
        users: UserStore,
        engine: LocalEngineAccess,
        images: ImageReader,
        searches: Searches,
    ) -> None:
        self._collections = collections
        self._users = users
        self._engine = engine
        self._images = images
        self._searches = searches
        self._vectors = UserVectorIndex(collections)
        self._repeated = RepeatedRequests()

    def create(self, call: Call) -> Members:
        collection = self._collections.find(call)

        def act() -> Members:
            self._users.create(collection.gallery_id, call.members["UserId"])
            return {}

        return self._repeated.once(call, act)

    def delete(self, call: Call) -> Members:
        collection = self._collections.find(call)

        def act() -> Members:
            with self._users.changing:
                self._users.delete(collection.gallery_id, call.members["UserId"])
            return {}

        return self._repeated.once(call, act)

    def list_users(self, call: Call) -> Members:
        collection = self._collections.find(call)
        listing = f"ListUsers/{collection.instance}"
        limit = call.members.get("MaxResults", _MAX_RESULTS)
        after = read_page_token(listing, call.members["NextToken"]) if "NextToken" in call.members else None
        users = self._users.page(collection.gallery_id, after, limit + 1)
        page, has_more = users[:limit], len(users) > limit
        return {
            "Users": [{"UserId": user.user_id, "UserStatus": user.status} for user in page],
            "NextToken": page_token(listing, page[-1].created_at, page[-1].user_id) if has_more else None,
        }

    # ---------------------------------------------------------------------------------------------- associations

    def associate(self, call: Call) -> Members:
        collection = self._collections.find(call)
        return self._repeated.once(call, lambda: self._associate(call, collection))

    def _associate(self, call: Call, collection: Collection) -> Members:
        user_id = call.members["UserId"]
        threshold = call.members.get("UserMatchThreshold", ASSOCIATE_THRESHOLD)
        with self._users.changing:
            user = self._users.find(collection.gallery_id, user_id)
            free = MAX_FACES_OF_USER - self._users.face_count(collection.gallery_id, user_id)
            if free <= 0:
                raise errors.quota_exceeded(f"The user id: {user_id} already has {MAX_FACES_OF_USER} faces")
            face_ids, owners, vectors = self._look_up(call, collection)
            similarity_by_face = self._similarity_to_user(collection, user_id, vectors)
            associated: list[str] = []
            failures: list[Members] = []
            for face_id in face_ids:
                if owners.get(face_id) == user_id:
                    continue
                failure = _failure(face_id, owners, similarity_by_face, threshold)
                if failure is None and len(associated) == free:
                    # Amazon defines no reason for a full user, so the list of reasons is empty.
                    failure = {"FaceId": face_id, "UserId": user_id, "Reasons": []}
                if failure is None:
                    associated.append(face_id)
                else:
                    failures.append(failure)
            if associated:
                self._users.associate(collection.gallery_id, user_id, associated)
        return {
            "AssociatedFaces": [{"FaceId": face_id} for face_id in associated],
            "UnsuccessfulFaceAssociations": failures,
            "UserStatus": UPDATING if associated else user.status,
        }

    def disassociate(self, call: Call) -> Members:
        collection = self._collections.find(call)
        return self._repeated.once(call, lambda: self._disassociate(call, collection))

    def _disassociate(self, call: Call, collection: Collection) -> Members:
        user_id = call.members["UserId"]
        with self._users.changing:
            user = self._users.find(collection.gallery_id, user_id)
            face_ids, owners, vectors = self._look_up(call, collection)
            disassociated = [face_id for face_id in face_ids if owners.get(face_id) == user_id]
            failures: list[Members] = []
            for face_id in face_ids:
                if face_id not in vectors:
                    failures.append({"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]})
                elif owners.get(face_id, user_id) != user_id:
                    failures.append(_of_another(face_id, owners))
            if disassociated:
                self._users.disassociate(collection.gallery_id, user_id, disassociated)
        return {
            "DisassociatedFaces": [{"FaceId": face_id} for face_id in disassociated],
            "UnsuccessfulFaceDisassociations": failures,
            "UserStatus": UPDATING if disassociated else user.status,
        }

    def _look_up(self, call: Call, collection: Collection) -> tuple[list[str], dict[str, str], dict[str, Floats]]:
        """The distinct requested face ids; user by face id; vector by face id. Unknown faces have no vector."""
        face_ids = list(dict.fromkeys(call.members["FaceIds"]))
        owners = self._users.owners(collection.gallery_id, face_ids)
        return face_ids, owners, _vectors(self._collections.gallery(collection), face_ids)

    def _similarity_to_user(self, collection: Collection, user_id: str, vectors: dict[str, Floats]) -> dict[str, float]:
        """Similarity to the user by face id. 100 for a user without faces, because the first faces define the user."""
        matrix = self._vectors.of(collection)
        if user_id not in matrix.user_ids:
            return dict.fromkeys(vectors, 100.0)
        user_vector = matrix.vectors[matrix.user_ids.index(user_id)]
        return {face_id: self._engine.similarity(float(vector @ user_vector)) for face_id, vector in vectors.items()}

    # ---------------------------------------------------------------------------------------------- searches

    def search(self, call: Call) -> Members:
        members = call.members
        if ("UserId" in members) == ("FaceId" in members):
            raise errors.invalid_parameter()
        collection = self._collections.find(call)
        response: Members = {"FaceModelVersion": collection.face_model_version}
        if "FaceId" in members:
            probe = self._searches.vector(collection, members["FaceId"])
            matches = self._matches(call, collection, probe)
            return {**response, "SearchedFace": {"FaceId": members["FaceId"]}, "UserMatches": matches}
        user = self._users.find(collection.gallery_id, members["UserId"])
        matrix = self._vectors.of(collection)
        matches = []
        if user.user_id in matrix.user_ids:
            probe = matrix.vectors[matrix.user_ids.index(user.user_id)]
            matches = self._matches(call, collection, probe, without=user.user_id)
        return {**response, "SearchedUser": {"UserId": user.user_id}, "UserMatches": matches}

    def search_by_image(self, call: Call) -> Members:
        collection = self._collections.find(call)
        image = self._images.read(call.members["Image"])
        quality_filter = call.members.get("QualityFilter", "NONE")
        faces = self._engine.faces(image.photo)
        accepted = [face for face in faces if not face.rejection_reasons(quality_filter)]
        response: Members = {"UserMatches": [], "FaceModelVersion": collection.face_model_version}
        if accepted:
            (probe,) = self._engine.probes(accepted[:1])
            response["UserMatches"] = self._matches(call, collection, probe)
            response["SearchedFace"] = {"FaceDetail": face_detail(accepted[0].face, DEFAULT)}
        response["UnsearchedFaces"] = [
            {"FaceDetails": face_detail(face.face, DEFAULT), "Reasons": _unsearched(face, quality_filter)}
            for face in faces
            if face is not (accepted[0] if accepted else None)
        ]
        return response

    def _matches(
        self, call: Call, collection: Collection, probe: Floats, without: str | None = None
    ) -> Sequence[Members]:
        floor = self._engine.cosine(call.members.get("UserMatchThreshold", DEFAULT_THRESHOLD))
        limit = call.members.get("MaxUsers", _MAX_RESULTS)
        nearest = self._vectors.of(collection).nearest(probe, floor, limit, without)
        users = self._users.named(collection.gallery_id, [user_id for user_id, _ in nearest])
        status = {user.user_id: user.status for user in users}
        return [
            {
                "Similarity": self._engine.similarity(cosine),
                "User": {"UserId": user_id, "UserStatus": status[user_id]},
            }
            for user_id, cosine in nearest
            if user_id in status
        ]


def _failure(
    face_id: str, owners: dict[str, str], similarity_by_face: dict[str, float], threshold: float
) -> Members | None:
    if face_id not in similarity_by_face:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    if face_id in owners:
        return _of_another(face_id, owners)
    if similarity_by_face[face_id] < threshold:
        return {"FaceId": face_id, "Confidence": similarity_by_face[face_id], "Reasons": ["LOW_MATCH_CONFIDENCE"]}
    return None


def _of_another(face_id: str, owners: dict[str, str]) -> Members:
    return {"FaceId": face_id, "UserId": owners[face_id], "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}


def _unsearched(face: RequestFace, quality_filter: str) -> list[str]:
    return [reason.value for reason in face.rejection_reasons(quality_filter)] or ["FACE_NOT_LARGEST"]


def _vectors(gallery: LocalGallery, face_ids: Sequence[str]) -> dict[str, Floats]:
    vectors = {}
    for face_id in face_ids:
        try:
            vectors[face_id] = gallery.vector(face_id)
        except KeyError:
            continue
    return vectors
