"""Photos that a killed command sent, and whose answer is known."""

from __future__ import annotations

from catalog.domain.faces import BoundingBox, Face, RejectedFace, RejectionReason
from catalog.engines.rekognition.accepted_images import AcceptedImage
from catalog.engines.rekognition.answered_photos import AnsweredPhotos, write_empty_answer

KNOWN, UNKNOWN = "ab" * 32, "cd" * 32
REJECTED = (
    RejectedFace(
        Face(BoundingBox(-0.1, 0.2, 0.3, 0.4), 98.5), (RejectionReason.EXTREME_POSE, RejectionReason.LOW_BRIGHTNESS)
    ),
    RejectedFace(Face(BoundingBox(0.5, 0.5, 0.1, 0.1), 51.0), ()),
)


def test_a_recorded_answer_without_a_face_is_found_without_a_call():
    """With the rejected faces. A photo whose answer is not known is looked for in the collection, and sent."""
    listings = []

    def list_faces():
        listings.append(1)
        return iter(())

    photos = AnsweredPhotos(
        frozenset({KNOWN, UNKNOWN}), list_faces, owner="me", empty_answers={KNOWN: write_empty_answer(REJECTED)}
    )
    image = AcceptedImage({}, AcceptedImage.WHOLE)
    enrollment = photos.find(KNOWN, image)
    assert enrollment is not None
    assert (enrollment.faces, enrollment.rejected, enrollment.charges) == ((), REJECTED, ())
    assert listings == []
    assert photos.find(UNKNOWN, image) is None
    assert listings == [1]
