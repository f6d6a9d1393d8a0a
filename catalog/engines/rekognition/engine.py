"""The Rekognition engine: Amazon finds, describes, enrolls and compares faces. Every call is charged.

The gallery is a collection. The ExternalImageId of a face is the content hash of its photo and the name of the
catalogue that enrolled it. Amazon's enrollment is idempotent: the same bytes under the same id give the same faces. A
photo that must be encoded again has the same bytes each time.

Faces are owned: a catalogue removes, repairs and matches its own faces only, so that several catalogues can share a
collection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from botocore.exceptions import ClientError

from catalog.domain.call_log import CallLog
from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_MATCHES, EngineCapabilities, GroupMeans
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import (
    Analysis,
    BoundingBox,
    ComparedFace,
    Comparison,
    EnrolledFace,
    Enrollment,
    Face,
    FaceRecord,
    NeighborList,
    QualityFilter,
    RejectedFace,
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import PreparedPhoto
from catalog.domain.user_vectors import UserVectorRules, UserVectors
from catalog.engines.rekognition.accepted_images import AcceptedImage, AcceptedImages, chosen_face
from catalog.engines.rekognition.answered_photos import AnsweredPhotos, write_empty_answer
from catalog.engines.rekognition.aws_errors import code_of, is_face_not_found, no_face, to_catalog_error
from catalog.engines.rekognition.client import Answer, RekognitionClient
from catalog.engines.rekognition.collection import open_collection, pinned_model
from catalog.engines.rekognition.collection_users import CollectionUsers
from catalog.engines.rekognition.pricing import Prices
from catalog.engines.rekognition.response_parser import (
    read_box,
    read_external_id,
    read_face,
    read_matches,
    read_reasons,
)
from catalog.engines.rekognition.spec import CAPABILITIES

_PATIENCE = 6
"""Attempts to search an enrolled face that cannot be searched yet: about six seconds."""
_DELETED_AT_ONCE = 1000
_LISTED_AT_ONCE = 4096


class RekognitionEngine:
    """Implements ``Engine`` over one collection, which is created at first use if it does not exist."""

    name = "rekognition"
    group_means: GroupMeans | None = None

    def __init__(
        self,
        client: RekognitionClient,
        prices: Prices,
        *,
        collection: str = "catalog",
        model: str | None = None,
        quality_filter: QualityFilter = QualityFilter.AUTO,
        attributes: Literal["all", "none"] = "all",
        reopen: Callable[[bytes, int], OpenedPhoto] | None = None,
        user_vector_rules: UserVectorRules | None = None,
        capabilities: EngineCapabilities = CAPABILITIES,
        owner: str = "",
        known_faces: int = 0,
        may_be_lost: bool = False,
        call_log: CallLog | None = None,
    ) -> None:
        """``model`` is the model of the gallery's faces, if it has any. A collection of another model is refused.

        ``reopen`` is an opener's ``open``, for photos that were reduced on opening and must be sent larger. ``owner``
        marks the faces of this catalogue. A collection without faces is refused if ``known_faces`` is above 0, unless
        it ``may_be_lost``. ``call_log`` knows the photos that a killed command sent without recording the response.
        """
        self._client = client
        self._prices = prices
        self._collection = collection
        self._expected = model
        self._quality_filter = quality_filter.name
        self._attributes = ["ALL"] if attributes == "all" else ["DEFAULT"]
        self._reopen = reopen
        self._pictures = AcceptedImages(client, reopen)
        self._owner = owner
        self._known_faces = known_faces
        self._may_be_lost = may_be_lost
        self._answered = AnsweredPhotos(
            call_log.unanswered() if call_log is not None else frozenset(),
            self._listed,
            owner=owner,
            empty_answers=call_log.empty_answers() if call_log is not None else {},
            wait_for_service=call_log.wait_for_service if call_log is not None else lambda: None,
        )
        self._call_log = call_log
        self._unreported: list[Charge] = []
        self._opening = threading.Lock()
        self._reporting = threading.Lock()
        self.capabilities = capabilities
        self.user_vectors: UserVectors | None = None
        if user_vector_rules is not None:
            self.user_vectors = CollectionUsers(
                client,
                collection=collection,
                rules=user_vector_rules,
                open_collection=lambda: self.model,
                reopen=reopen,
            )
        self._model: str | None = None

    @property
    def model(self) -> str:
        """``rekognition-`` and the collection's FaceModelVersion. The first call opens or creates the collection.

        Raises EngineError, also for a collection of another model or one that lost its faces.
        """
        with self._opening:
            if self._model is None:
                version = open_collection(
                    self._client, self._collection, known_faces=self._known_faces, may_be_lost=self._may_be_lost
                )
                self._model = pinned_model(version, self._expected, self._collection)
            return self._model

    # ------------------------------------------------------------------------------------------------ contract

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        picture = self._pictures.of(photo)
        answer, charge = self._client.call_paid(
            Operation.DETECT_FACES, Image=picture.image, Attributes=self._attributes
        )
        faces = [read_face(body, picture.placement) for body in answer["FaceDetails"]]
        return Analysis(_largest_first(faces), (charge,))

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        return self._enroll(self._pictures.of(photo), sha256)

    def enroll_prepared(self, prepared: PreparedPhoto, sha256: str) -> Enrollment:
        return self._enroll(self._pictures.of_prepared(prepared), sha256)

    def _enroll(self, picture: AcceptedImage, sha256: str) -> Enrollment:
        if answered := self._answered.find(sha256, picture):
            return answered
        answer, charge = self._ask_paid(
            Operation.INDEX_FACES,
            sha256=sha256,
            Image=picture.image,
            ExternalImageId=self._external_id(sha256),
            DetectionAttributes=self._attributes,
            QualityFilter=self._quality_filter,
        )
        records = [
            FaceRecord(body["Face"]["FaceId"], read_face(body["FaceDetail"], picture.placement))
            for body in answer["FaceRecords"]
        ]
        rejected = tuple(
            RejectedFace(read_face(body["FaceDetail"], picture.placement), read_reasons(body.get("Reasons", ())))
            for body in answer.get("UnindexedFaces", ())
        )
        records.sort(key=lambda record: -record.face.box.area)
        if not records and self._call_log is not None:
            # The collection will not show that the photo was sent.
            self._call_log.record_empty_answer(charge.intents[0], write_empty_answer(rejected))
        return Enrollment(tuple(records), rejected, (charge,))

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        max_faces = min(limit + 1, MAX_MATCHES)
        request: dict[str, Any] = {"FaceId": face_id, "FaceMatchThreshold": threshold, "MaxFaces": max_faces}
        try:
            answer, charge = self._ask_paid(Operation.SEARCH_FACES, **request)
        except ClientError as error:
            if not is_face_not_found(error) or not self._holds(face_id):
                raise self._own(error, "SearchFaces", face_id) from error
            answer, charge = self._search_until_found(request)
        bodies = answer["FaceMatches"]
        matches = read_matches(bodies, self._owner)
        complete = len(bodies) < max_faces if max_faces <= limit else len(bodies) <= limit
        return NeighborList(face_id, matches[:limit], complete, (charge,))

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        charges: list[Charge] = []
        for picture in self._pictures.around(photo, box):
            try:
                answer, charge = self._ask_paid(
                    Operation.SEARCH_FACES_BY_IMAGE,
                    Image=picture.image,
                    FaceMatchThreshold=threshold,
                    MaxFaces=min(limit, MAX_MATCHES),
                    QualityFilter="NONE",
                )
            except ClientError as error:
                if no_face(error):
                    continue
                raise to_catalog_error(
                    error, "SearchFacesByImage", place=self._client.place, with_image=True
                ) from error
            charges.append(charge)
            probe = Face(
                read_box(answer["SearchedFaceBoundingBox"], picture.placement),
                answer.get("SearchedFaceConfidence", 0.0),
            )
            if box is None or chosen_face(probe.box, box):
                return SearchResult(probe, read_matches(answer["FaceMatches"], self._owner), tuple(charges))
        where = " at the place that was asked for" if box is not None else " to search for"
        raise NoFaceError(f"The photo shows no face{where}.", charges=tuple(charges))

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        source_image, target_image = self._pictures.of(source), self._pictures.of(target)
        try:
            answer, charge = self._client.call_paid(
                Operation.COMPARE_FACES,
                SourceImage=source_image.image,
                TargetImage=target_image.image,
                SimilarityThreshold=threshold,
                QualityFilter="NONE",
            )
        except ClientError as error:
            # Amazon reports an invalid parameter only. Sizes and formats were checked before.
            raise NoFaceError("The source or the target photo shows no face.") from error
        return _comparison(answer, source_image, target_image, (charge,))

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        wanted = list(dict.fromkeys(face_ids))
        removed: set[str] = set()
        for start in range(0, len(wanted), _DELETED_AT_ONCE):
            removed |= self._delete(wanted[start : start + _DELETED_AT_ONCE])
        return removed

    def enrolled(self) -> Iterator[EnrolledFace]:
        for body in self._listed():
            external = read_external_id(body)
            if external is not None:
                box = read_box(body["BoundingBox"], AcceptedImage.WHOLE)
                is_foreign = external.owner not in {"", self._owner}
                yield EnrolledFace(body["FaceId"], external.sha256, box, body["Confidence"], is_foreign)

    def quote(self, operation: Operation, calls: int) -> Charge:
        return self._prices.quote(operation, calls)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        with self._reporting:
            own, self._unreported = self._unreported, []
        return (*own, *self._prices.take_unreported_charges())

    def close(self) -> None:
        self._client.close()

    # ------------------------------------------------------------------------------------------------ inside

    def _external_id(self, sha256: str) -> str:
        return f"{sha256}:{self._owner}" if self._owner else sha256

    def _listed(self) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._ask("ListFaces", MaxResults=_LISTED_AT_ONCE, **token)
            yield from page["Faces"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _ask(self, operation: str, **members: Any) -> Answer:
        """Call an operation on the opened collection. Raises ClientError for invalid parameters only."""
        assert self.model
        try:
            return self._client.call(operation, CollectionId=self._collection, **members)
        except ClientError as error:
            if code_of(error) == "InvalidParameterException" or is_face_not_found(error):
                raise
            raise to_catalog_error(error, operation, place=self._client.place, with_image=False) from error

    def _ask_paid(self, operation: Operation, *, sha256: str = "", **members: Any) -> tuple[Answer, Charge]:
        """Call a paid operation on the collection. Raises as :meth:`_ask` does."""
        assert self.model
        try:
            return self._client.call_paid(operation, sha256=sha256, CollectionId=self._collection, **members)
        except ClientError as error:
            if code_of(error) == "InvalidParameterException" or is_face_not_found(error):
                raise
            raise to_catalog_error(error, operation.value, place=self._client.place, with_image=False) from error

    def _search_until_found(self, request: dict[str, Any]) -> tuple[Answer, Charge]:
        try:
            return self._client.call_paid(
                Operation.SEARCH_FACES, CollectionId=self._collection, patience=_PATIENCE, **request
            )
        except ClientError as error:
            raise self._own(error, "SearchFaces", request["FaceId"]) from error

    def _holds(self, face_id: str) -> bool:
        """True if the collection lists the face, which it does before the face can be searched. Free of charge."""
        return bool(self._ask("ListFaces", FaceIds=[face_id])["Faces"])

    def _own(self, error: ClientError, operation: str, face_id: str) -> Exception:
        """KeyError for a face that the collection does not hold, else the translated error."""
        if is_face_not_found(error):
            return KeyError(face_id)
        return to_catalog_error(error, operation, place=self._client.place, with_image=False)

    def _delete(self, face_ids: list[str]) -> set[str]:
        answer = self._ask("DeleteFaces", FaceIds=face_ids)
        removed = set(answer["DeletedFaces"])
        ids_by_user: dict[str, list[str]] = {}
        for failure in answer.get("UnsuccessfulFaceDeletions", ()):
            if "ASSOCIATED_TO_AN_EXISTING_USER" in failure.get("Reasons", ()) and "UserId" in failure:
                ids_by_user.setdefault(failure["UserId"], []).append(failure["FaceId"])
        for user_id, ids in ids_by_user.items():
            for start in range(0, len(ids), 100):
                _, charge = self._ask_paid(
                    Operation.DISASSOCIATE_FACES, UserId=user_id, FaceIds=ids[start : start + 100]
                )
                with self._reporting:
                    self._unreported.append(charge)
        if ids_by_user:
            again = self._ask("DeleteFaces", FaceIds=[face_id for ids in ids_by_user.values() for face_id in ids])
            removed |= set(again["DeletedFaces"])
        return removed


def _largest_first(faces: list[Face]) -> tuple[Face, ...]:
    return tuple(sorted(faces, key=lambda face: -face.box.area))


def _comparison(
    answer: Answer, source_image: AcceptedImage, target_image: AcceptedImage, charges: tuple[Charge, ...]
) -> Comparison:
    matches = [
        ComparedFace(read_face(match["Face"], target_image.placement), match["Similarity"])
        for match in answer.get("FaceMatches", ())
    ]
    matches.sort(key=lambda match: -match.similarity)
    unmatched = [read_face(body, target_image.placement) for body in answer.get("UnmatchedFaces", ())]
    source = read_face(answer["SourceImageFace"], source_image.placement)
    return Comparison(source, tuple(matches), _largest_first(unmatched), charges)
