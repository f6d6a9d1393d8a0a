"""User vectors in a collection: Amazon's *users*, one for each person with confirmed faces.

A user vector is made of up to 100 faces. The user ids of this program have a prefix. Users of other programs are
not counted and not changed. :meth:`CollectionUsers.match` may be interrupted and repeated.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError, PhotoError
from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.user_vectors import UserChanges, UserMatch, UserSearch, UserVectorCalls, UserVectorRules
from catalog.engines.rekognition.accepted_images import AcceptedImages, chosen_face
from catalog.engines.rekognition.aws_errors import code_of, is_face_not_found, no_face, to_catalog_error
from catalog.engines.rekognition.client import Answer, RekognitionClient
from catalog.engines.rekognition.response_parser import read_face

PREFIX = "catalog:"
MAX_FACES = 100
_LISTED_AT_ONCE = 4096
_USERS_AT_ONCE = 500
_MATCH_THRESHOLD = 0.0
"""Amazon would refuse dissimilar faces of one user. A person's faces were confirmed by a user of this program."""


@dataclass(frozen=True, slots=True)
class _Differences:
    """Users to delete and to create, and the face ids to take from users and to give to them, one part a call."""

    deleted: list[str]
    created: list[str]
    surplus: list[tuple[str, list[str]]]
    lacking: list[tuple[str, list[str]]]


class CollectionUsers:
    """Implements ``UserVectors`` over one collection.

    May be used from several threads, :meth:`match` from one.
    """

    def __init__(
        self,
        client: RekognitionClient,
        *,
        collection: str,
        rules: UserVectorRules,
        open_collection: Callable[[], object],
        reopen: Callable[[bytes, int], OpenedPhoto] | None = None,
        patience_seconds: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``open_collection`` is called before the first call. Raises EngineError where the collection cannot be used.

        ``patience_seconds`` is the longest wait for users to become ACTIVE; Amazon says about a minute.
        """
        self.rules = rules
        self._open_collection = open_collection
        self._client = client
        self._collection = collection
        self._pictures = AcceptedImages(client, reopen)
        self._patience = patience_seconds
        self._sleep = sleep
        self._any: bool | None = None
        """True if the collection has users of this program; None before the first look."""

    # ------------------------------------------------------------------------------------------------ searching

    def search_face(self, face_id: str, threshold: float, limit: int = 10) -> UserSearch:
        """Persons similar to an enrolled face. Raises ``KeyError`` for a face that the collection does not hold."""
        try:
            answer, charge = self._ask_paid(
                Operation.SEARCH_USERS, FaceId=face_id, UserMatchThreshold=threshold, MaxUsers=limit
            )
        except ClientError as error:
            if is_face_not_found(error):
                raise KeyError(face_id) from error
            raise
        return UserSearch(None, _matches(answer), (charge,))

    def search_image(
        self, photo: OpenedPhoto, threshold: float, limit: int = 10, box: BoundingBox | None = None
    ) -> UserSearch:
        """Persons similar to the face of a photo at ``box``, else to its largest. Free while there are no users."""
        if self._any is None:
            self._any = bool(self._users())
        if not self._any:
            return UserSearch(None, (), ())
        charges: list[Charge] = []
        for picture in self._pictures.around(photo, box):
            try:
                answer, charge = self._ask_paid(
                    Operation.SEARCH_USERS_BY_IMAGE,
                    Image=picture.image,
                    UserMatchThreshold=threshold,
                    MaxUsers=limit,
                )
            except ClientError as error:
                if no_face(error):
                    continue
                raise PhotoError("Amazon Rekognition does not accept the photo.") from error
            charges.append(charge)
            detail = answer.get("SearchedFace", {}).get("FaceDetail")
            if detail is None:
                continue
            probe = read_face(detail, picture.placement)
            if box is None or chosen_face(probe.box, box):
                return UserSearch(probe, _matches(answer), tuple(charges))
        return UserSearch(None, (), tuple(charges))

    # ------------------------------------------------------------------------------------------------ matching

    def associated(self) -> dict[str, tuple[str, ...]]:
        """Face ids of each person's user, by person id. Free of charge."""
        if not self._users():
            return {}
        return {user.removeprefix(PREFIX): tuple(sorted(faces)) for user, faces in self._faces_by_user().items()}

    def match(self, wanted: Mapping[str, Sequence[str]], on_charge: Callable[[Charge], None]) -> UserChanges:
        """Make the users equal to ``wanted``: face ids by person id, the best ones first; at most 100 are used.

        Waits until the users are ACTIVE. Raises EngineError if they are not in time.
        """
        goal = _goal(wanted)
        differences = _compare(goal, self._users(), self._faces_by_user())
        for user in differences.deleted:
            self._tolerant("ResourceNotFoundException", "DeleteUser", UserId=user)
        for user, part in differences.surplus:
            _, charge = self._ask_paid(Operation.DISASSOCIATE_FACES, UserId=user, FaceIds=part, **_token())
            on_charge(charge)
        for user in differences.created:
            self._tolerant("ConflictException", "CreateUser", UserId=user)
        associated = 0
        refused: list[str] = []
        for user, part in differences.lacking:
            answer, charge = self._ask_paid(
                Operation.ASSOCIATE_FACES,
                UserId=user,
                FaceIds=part,
                UserMatchThreshold=_MATCH_THRESHOLD,
                **_token(),
            )
            on_charge(charge)
            failures = [failure["FaceId"] for failure in answer.get("UnsuccessfulFaceAssociations", ())]
            associated += len(part) - len(failures)
            refused += failures
        self._any = bool(goal)
        self._follow(set(goal))
        disassociated = sum(len(part) for _, part in differences.surplus)
        return UserChanges(
            len(differences.created), len(differences.deleted), associated, disassociated, tuple(refused)
        )

    def count_calls(self, wanted: Mapping[str, Sequence[str]], removed: Collection[str] = ()) -> UserVectorCalls:
        """The paid calls of removing the faces ``removed`` and of :meth:`match` after it. Free of charge."""
        faces_by_user = self._faces_by_user()
        users = self._users()
        leaving = {user: sorted(faces.intersection(removed)) for user, faces in faces_by_user.items()}
        for user, faces in leaving.items():
            faces_by_user[user] = faces_by_user[user].difference(faces)
        differences = _compare(_goal(wanted), users, faces_by_user)
        disassociate = len(differences.surplus) + sum(len(list(_parts(faces))) for faces in leaving.values())
        return UserVectorCalls(len(differences.lacking), disassociate, users=bool(users))

    def _follow(self, users: set[str]) -> None:
        waited, pause = 0.0, 0.5
        while True:
            status = self._users()
            late = [user for user in users if status.get(user) not in {"ACTIVE", "CREATED"}]
            if not late:
                return
            if waited >= self._patience:
                raise EngineError(
                    f"{len(late)} users of the collection are not active after {self._patience:.0f} seconds.",
                    remedy="Run the command again later; finished work is kept.",
                )
            self._sleep(pause)
            waited += pause
            pause = min(2 * pause, 8.0)

    def _users(self) -> dict[str, str]:
        """Status by user id, for users of this program."""
        users: dict[str, str] = {}
        for page in self._pages("ListUsers", MaxResults=_USERS_AT_ONCE):
            users.update((user["UserId"], user["UserStatus"]) for user in page["Users"])
        return {user: status for user, status in users.items() if user.startswith(PREFIX)}

    def _faces_by_user(self) -> dict[str, set[str]]:
        faces_by_user: dict[str, set[str]] = {}
        for page in self._pages("ListFaces", MaxResults=_LISTED_AT_ONCE):
            for face in page["Faces"]:
                if face.get("UserId", "").startswith(PREFIX):
                    faces_by_user.setdefault(face["UserId"], set()).add(face["FaceId"])
        return faces_by_user

    # ------------------------------------------------------------------------------------------------ inside

    def _pages(self, operation: str, **members: Any) -> Iterable[Answer]:
        token: dict[str, str] = {}
        while True:
            page = self._ask(operation, **members, **token)
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _tolerant(self, code: str, operation: str, **members: Any) -> None:
        """Call an operation that another worker, or a call with a lost response, may have done before."""
        self._open_collection()
        try:
            self._client.call(operation, CollectionId=self._collection, ClientRequestToken=str(uuid.uuid4()), **members)
        except ClientError as error:
            if code_of(error) != code:
                raise to_catalog_error(error, operation, place=self._client.place, with_image=False) from error

    def _ask_paid(self, operation: Operation, **members: Any) -> tuple[Answer, Charge]:
        """Raises as :meth:`_ask` does."""
        self._open_collection()
        try:
            return self._client.call_paid(operation, CollectionId=self._collection, **members)
        except ClientError as error:
            if code_of(error) == "InvalidParameterException" or is_face_not_found(error):
                raise
            raise to_catalog_error(error, operation.value, place=self._client.place, with_image=False) from error

    def _ask(self, operation: str, **members: Any) -> Answer:
        """Raises ClientError for invalid parameters only."""
        self._open_collection()
        try:
            return self._client.call(operation, CollectionId=self._collection, **members)
        except ClientError as error:
            if code_of(error) == "InvalidParameterException" or is_face_not_found(error):
                raise
            raise to_catalog_error(error, operation, place=self._client.place, with_image=False) from error


def _goal(wanted: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    return {f"{PREFIX}{person}": set(faces[:MAX_FACES]) for person, faces in wanted.items() if faces}


def _compare(
    goal: Mapping[str, set[str]], users: Collection[str], faces_by_user: Mapping[str, set[str]]
) -> _Differences:
    """``goal`` and ``faces_by_user`` are face ids by user id; ``users`` are the present users."""
    return _Differences(
        deleted=[user for user in users if user not in goal],
        created=[user for user in goal if user not in users],
        surplus=[
            (user, part)
            for user in goal
            if user in users
            for part in _parts(sorted(faces_by_user.get(user, set()) - goal[user]))
        ],
        lacking=[
            (user, part)
            for user, faces in goal.items()
            for part in _parts(sorted(faces - faces_by_user.get(user, set())))
        ],
    )


def _token() -> dict[str, str]:
    """One token for all attempts of a call, so that a repeated call does nothing again."""
    return {"ClientRequestToken": str(uuid.uuid4())}


def _parts(face_ids: Sequence[str]) -> Iterable[list[str]]:
    """Lists of at most 100 face ids."""
    for start in range(0, len(face_ids), MAX_FACES):
        yield list(face_ids[start : start + MAX_FACES])


def _matches(answer: Answer) -> tuple[UserMatch, ...]:
    matches = [
        UserMatch(match["User"]["UserId"].removeprefix(PREFIX), match["Similarity"])
        for match in answer.get("UserMatches", ())
        if match["User"]["UserId"].startswith(PREFIX)
    ]
    return tuple(sorted(matches, key=lambda match: -match.similarity))
