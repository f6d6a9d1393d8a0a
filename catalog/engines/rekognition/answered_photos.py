"""Photos that Amazon enrolled in a call whose response a killed command did not record."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from catalog.domain.faces import BoundingBox, Enrollment, Face, FaceRecord, RejectedFace, RejectionReason
from catalog.engines.rekognition.accepted_images import AcceptedImage
from catalog.engines.rekognition.response_parser import Body, read_box, read_external_id

log = logging.getLogger(__name__)


class AnsweredPhotos:
    """Finds the faces of such photos with ListFaces, which is free. May be used from several threads.

    ``unanswered`` are the content hashes of the photos. ``empty_answers`` are recorded responses without an enrolled
    face, by content hash, as :func:`write_empty_answer` wrote them. ``list_faces`` yields every face of the collection,
    and ``wait_for_service`` is called before it.
    """

    def __init__(
        self,
        unanswered: frozenset[str],
        list_faces: Callable[[], Iterator[Body]],
        *,
        owner: str,
        empty_answers: Mapping[str, str] = MappingProxyType({}),
        wait_for_service: Callable[[], None] = lambda: None,
    ) -> None:
        self._unanswered = unanswered
        self._empty_answers = empty_answers
        self._wait_for_service = wait_for_service
        self._list_faces = list_faces
        self._owner = owner
        self._lock = threading.Lock()
        self._faces: dict[str, list[Body]] | None = None

    def find(self, sha256: str, image: AcceptedImage) -> Enrollment | None:
        """The photo's faces, with boxes and without attributes; None for a photo that must be sent.

        ListFaces shows no photo without a face. Such a photo is sent again if its response was not recorded.
        """
        if sha256 not in self._unanswered:
            return None
        if (empty := self._empty_answers.get(sha256)) is not None:
            return Enrollment((), _read_rejected(empty))
        faces = self._by_photo().get(sha256, [])
        if not faces:
            return None
        log.info("photo was enrolled before a kill", extra={"sha256": sha256, "faces": len(faces)})
        records = [
            FaceRecord(
                face["FaceId"], Face(read_box(face["BoundingBox"], image.placement), face.get("Confidence", 0.0))
            )
            for face in faces
        ]
        return Enrollment(tuple(sorted(records, key=lambda record: -record.face.box.area)))

    def _by_photo(self) -> dict[str, list[Body]]:
        """The faces of the unanswered photos that this catalogue enrolled. The collection is listed once."""
        with self._lock:
            if self._faces is None:
                self._wait_for_service()
                by_photo: dict[str, list[Body]] = {}
                for face in self._list_faces():
                    external = read_external_id(face)
                    if external is not None and external.owner == self._owner and external.sha256 in self._unanswered:
                        by_photo.setdefault(external.sha256, []).append(face)
                self._faces = by_photo
            return self._faces


def write_empty_answer(rejected: Sequence[RejectedFace]) -> str:
    """Return the rejected faces of a photo as the catalogue stores them: box, confidence and reasons."""
    return json.dumps(
        [
            {
                "box": [face.face.box.left, face.face.box.top, face.face.box.width, face.face.box.height],
                "confidence": face.face.confidence,
                "reasons": [reason.value for reason in face.reasons],
            }
            for face in rejected
        ]
    )


def _read_rejected(answer: str) -> tuple[RejectedFace, ...]:
    return tuple(
        RejectedFace(
            Face(BoundingBox(*face["box"]), face["confidence"]),
            tuple(RejectionReason(reason) for reason in face["reasons"]),
        )
        for face in json.loads(answer)
    )
