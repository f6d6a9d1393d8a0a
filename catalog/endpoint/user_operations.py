"""The seven operations on users."""

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
_MOST = 500


class UserOperations:
    """CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces, SearchUsers and SearchUsersByImage."""

    def __init__(
        self,
        collections: Collections,
        users: UserStore,
        sight: LocalEngineAccess,
        images: ImageReader,
        searches: Searches,
    ) -> None:
        self._collections = collections
        self._users = users
        self._sight = sight
        self._images = images
        self._searches = searches
        self._vectors = UserVectorIndex(collections)
        self._repeated = RepeatedRequests()

    def create(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])

        def act() -> Members:
            self._users.create(collection.collection_id, call.members["UserId"])
            return {}

        return self._repeated.once(call, act)

    def delete(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])

        def act() -> Members:
            with self._users.changing:
                self._users.delete(collection.collection_id, call.members["UserId"])
            return {}

        return self._repeated.once(call, act)

    def list_users(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        listing = f"ListUsers/{collection.instance}"
        limit = call.members.get("MaxResults", _MOST)
        after = read_page_token(listing, call.members["NextToken"]) if "NextToken" in call.members else None
        users = self._users.page(collection.collection_id, after, limit + 1)
        page, more = users[:limit], len(users) > limit
        return {
            "Users": [{"UserId": user.user_id, "UserStatus": user.status} for user in page],
            "NextToken": page_token(listing, page[-1].created_at, page[-1].user_id) if more else None,
        }

    # ---------------------------------------------------------------------------------------------- associations

    def associate(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        return self._repeated.once(call, lambda: self._associate(call, collection))

    def _associate(self, call: Call, collection: Collection) -> Members:
        user_id = call.members["UserId"]
        threshold = call.members.get("UserMatchThreshold", ASSOCIATE_THRESHOLD)
        with self._users.changing:
            user = self._users.find(collection.collection_id, user_id)
            room = MAX_FACES_OF_USER - self._users.face_count(collection.collection_id, user_id)
            if room <= 0:
                raise errors.quota_exceeded(f"The user id: {user_id} already has {MAX_FACES_OF_USER} faces")
            wanted, owners, vectors = self._look_up(call, collection)
            likeness = self._likeness(collection, user_id, vectors)
            associated: list[str] = []
            failures: list[Members] = []
            for face_id in wanted:
                if owners.get(face_id) == user_id:
                    continue
                failure = _refusal(face_id, owners, likeness, threshold)
                if failure is None and len(associated) == room:
                    # The service has no reason for a full user, so the list of reasons is empty.
                    failure = {"FaceId": face_id, "UserId": user_id, "Reasons": []}
                if failure is None:
                    associated.append(face_id)
                else:
                    failures.append(failure)
            if associated:
                self._users.associate(collection.collection_id, user_id, associated)
        return {
            "AssociatedFaces": [{"FaceId": face_id} for face_id in associated],
            "UnsuccessfulFaceAssociations": failures,
            "UserStatus": UPDATING if associated else user.status,
        }

    def disassociate(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        return self._repeated.once(call, lambda: self._disassociate(call, collection))

    def _disassociate(self, call: Call, collection: Collection) -> Members:
        user_id = call.members["UserId"]
        with self._users.changing:
            user = self._users.find(collection.collection_id, user_id)
            wanted, owners, vectors = self._look_up(call, collection)
            mine = [face_id for face_id in wanted if owners.get(face_id) == user_id]
            failures: list[Members] = []
            for face_id in wanted:
                if face_id not in vectors:
                    failures.append({"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]})
                elif owners.get(face_id, user_id) != user_id:
                    failures.append(_of_another(face_id, owners))
            if mine:
                self._users.disassociate(collection.collection_id, user_id, mine)
        return {
            "DisassociatedFaces": [{"FaceId": face_id} for face_id in mine],
            "UnsuccessfulFaceDisassociations": failures,
            "UserStatus": UPDATING if mine else user.status,
        }

    def _look_up(self, call: Call, collection: Collection) -> tuple[list[str], dict[str, str], dict[str, Floats]]:
        """The faces asked for, each once; the users of those that have one; the vectors of those that exist."""
        wanted = list(dict.fromkeys(call.members["FaceIds"]))
        owners = self._users.owners(collection.collection_id, wanted)
        return wanted, owners, _vectors(self._collections.gallery(collection), wanted)

    def _likeness(self, collection: Collection, user_id: str, vectors: dict[str, Floats]) -> dict[str, float]:
        """How similar each existing face is to the user; 100 for a user without faces, whose first ones define it."""
        matrix = self._vectors.of(collection)
        if user_id not in matrix.user_ids:
            return dict.fromkeys(vectors, 100.0)
        mean = matrix.vectors[matrix.user_ids.index(user_id)]
        return {face_id: self._sight.similarity(float(vector @ mean)) for face_id, vector in vectors.items()}

    # ---------------------------------------------------------------------------------------------- searches

    def search(self, call: Call) -> Members:
        asked = call.members
        if ("UserId" in asked) == ("FaceId" in asked):
            raise errors.invalid_parameter()
        collection = self._collections.find(asked["CollectionId"])
        answer: Members = {"FaceModelVersion": collection.face_model_version}
        if "FaceId" in asked:
            probe = self._searches.vector(collection, asked["FaceId"])
            matches = self._matches(call, collection, probe)
            return {**answer, "SearchedFace": {"FaceId": asked["FaceId"]}, "UserMatches": matches}
        user = self._users.find(collection.collection_id, asked["UserId"])
        matrix = self._vectors.of(collection)
        matches = []
        if user.user_id in matrix.user_ids:
            probe = matrix.vectors[matrix.user_ids.index(user.user_id)]
            matches = self._matches(call, collection, probe, without=user.user_id)
        return {**answer, "SearchedUser": {"UserId": user.user_id}, "UserMatches": matches}

    def search_by_image(self, call: Call) -> Members:
        collection = self._collections.find(call.members["CollectionId"])
        image = self._images.read(call.members["Image"])
        quality_filter = call.members.get("QualityFilter", "NONE")
        seen = self._sight.faces(image.photo)
        good = [face for face in seen if not face.flaws(quality_filter)]
        answer: Members = {"UserMatches": [], "FaceModelVersion": collection.face_model_version}
        if good:
            (probe,) = self._sight.probes(good[:1])
            answer["UserMatches"] = self._matches(call, collection, probe)
            answer["SearchedFace"] = {"FaceDetail": face_detail(good[0].face, DEFAULT)}
        answer["UnsearchedFaces"] = [
            {"FaceDetails": face_detail(face.face, DEFAULT), "Reasons": _unsearched(face, quality_filter)}
            for face in seen
            if face is not (good[0] if good else None)
        ]
        return answer

    def _matches(
        self, call: Call, collection: Collection, probe: Floats, without: str | None = None
    ) -> Sequence[Members]:
        floor = self._sight.cosine(call.members.get("UserMatchThreshold", DEFAULT_THRESHOLD))
        limit = call.members.get("MaxUsers", _MOST)
        found = self._vectors.of(collection).nearest(probe, floor, limit, without)
        users = self._users.named(collection.collection_id, [user_id for user_id, _ in found])
        status = {user.user_id: user.status for user in users}
        return [
            {
                "Similarity": self._sight.similarity(cosine),
                "User": {"UserId": user_id, "UserStatus": status[user_id]},
            }
            for user_id, cosine in found
            if user_id in status
        ]


def _refusal(face_id: str, owners: dict[str, str], likeness: dict[str, float], threshold: float) -> Members | None:
    if face_id not in likeness:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    if face_id in owners:
        return _of_another(face_id, owners)
    if likeness[face_id] < threshold:
        return {"FaceId": face_id, "Confidence": likeness[face_id], "Reasons": ["LOW_MATCH_CONFIDENCE"]}
    return None


def _of_another(face_id: str, owners: dict[str, str]) -> Members:
    return {"FaceId": face_id, "UserId": owners[face_id], "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}


def _unsearched(face: RequestFace, quality_filter: str) -> list[str]:
    return [reason.value for reason in face.flaws(quality_filter)] or ["FACE_NOT_LARGEST"]


def _vectors(gallery: LocalGallery, face_ids: Sequence[str]) -> dict[str, Floats]:
    found = {}
    for face_id in face_ids:
        try:
            found[face_id] = gallery.vector(face_id)
        except KeyError:
            continue
    return found
