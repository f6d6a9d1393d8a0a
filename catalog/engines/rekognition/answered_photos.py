"""Photos that Amazon enrolled in a call whose response a killed command did not record."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from catalog.domain.faces import Enrollment, Face, FaceRecord
from catalog.engines.rekognition.accepted_images import AcceptedImage
from catalog.engines.rekognition.response_parser import Body, read_box, read_external_id

log = logging.getLogger(__name__)


class AnsweredPhotos:
    """Finds the faces of such photos with ListFaces, which is free. May be used from several threads.

    ``unanswered`` are the content hashes of the photos. ``list_faces`` yields every face of the collection, and
    ``wait_for_service`` is called before it.
    """

    def __init__(
        self,
        unanswered: frozenset[str],
        list_faces: Callable[[], Iterator[Body]],
        *,
        owner: str,
        wait_for_service: Callable[[], None] = lambda: None,
    ) -> None:
        self._unanswered = unanswered
        self._wait_for_service = wait_for_service
        self._list_faces = list_faces
        self._owner = owner
        self._lock = threading.Lock()
        self._faces: dict[str, list[Body]] | None = None

    def find(self, sha256: str, image: AcceptedImage) -> Enrollment | None:
        """The photo's faces, with boxes and without attributes; None for a photo that must be sent.

        ListFaces shows no photo without a face, so that such a photo is sent again.
        """
        if sha256 not in self._unanswered:
            return None
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
