"""From the catalogue's nouns to Amazon Rekognition's response structures.

Numbers are widened from float32, as the service's are. What was not measured is left out, never null: botocore and
the documentation agree that an absent member is the way to say so.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

from catalog.domain.faces import BooleanAttribute, BoundingBox, Comparison, Face, FaceAttributes

Body = dict[str, Any]

EVERYTHING = frozenset({"ALL"})
DEFAULT = frozenset({"DEFAULT"})

DEFAULT_LANDMARKS = ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose")
"""What the service gives when only DEFAULT attributes are asked for."""


def single(number: float) -> float:
    """The double that a float32 widens to: 99.98 becomes 99.9800033569336, as on the real wire."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def bounding_box(box: BoundingBox) -> Body:
    return {
        "Width": single(box.width),
        "Height": single(box.height),
        "Left": single(box.left),
        "Top": single(box.top),
    }


def face_detail(face: Face, attributes: Collection[str] = EVERYTHING) -> Body:
    """A FaceDetail with what ``attributes`` (Amazon's names) ask for beside DEFAULT."""
    everything = "ALL" in attributes
    body: Body = {"BoundingBox": bounding_box(face.box)}
    body |= {member: value for name, member, value in _attributes(face.attributes) if everything or name in attributes}
    body["Landmarks"] = [
        {"Type": landmark.type, "X": single(landmark.x), "Y": single(landmark.y)}
        for landmark in face.landmarks
        if everything or landmark.type in DEFAULT_LANDMARKS
    ]
    return body | _measured(face)


def compared_face(face: Face) -> Body:
    """A ComparedFace: box, confidence, five landmarks, pose and quality."""
    return face_detail(face, DEFAULT)


def comparison_body(comparison: Comparison) -> Body:
    """CompareFaces' response."""
    return {
        "SourceImageFace": {
            "BoundingBox": bounding_box(comparison.source.box),
            "Confidence": single(comparison.source.confidence),
        },
        "FaceMatches": [
            {"Similarity": single(match.similarity), "Face": compared_face(match.face)} for match in comparison.matches
        ],
        "UnmatchedFaces": [compared_face(face) for face in comparison.unmatched],
    }


def _measured(face: Face) -> Body:
    body: Body = {}
    if face.pose is not None:
        pose = face.pose
        body["Pose"] = {"Roll": single(pose.roll), "Yaw": single(pose.yaw), "Pitch": single(pose.pitch)}
    if face.quality is not None:
        quality = face.quality
        body["Quality"] = {"Brightness": single(quality.brightness), "Sharpness": single(quality.sharpness)}
    return body | {"Confidence": single(face.confidence)}


def _attributes(seen: FaceAttributes) -> list[tuple[str, str, Any]]:
    """What was measured: the name to ask for it by, the member that holds it, and its value."""
    found: list[tuple[str, str, Any]] = []
    if seen.age_range is not None:
        found.append(("AGE_RANGE", "AgeRange", {"Low": seen.age_range.low, "High": seen.age_range.high}))
    if seen.gender is not None:
        gender = {"Value": seen.gender.value.value, "Confidence": single(seen.gender.confidence)}
        found.append(("GENDER", "Gender", gender))
    judgements: dict[tuple[str, str], BooleanAttribute | None] = {
        ("SMILE", "Smile"): seen.smile,
        ("EYEGLASSES", "Eyeglasses"): seen.eyeglasses,
        ("SUNGLASSES", "Sunglasses"): seen.sunglasses,
        ("BEARD", "Beard"): seen.beard,
        ("MUSTACHE", "Mustache"): seen.mustache,
        ("EYES_OPEN", "EyesOpen"): seen.eyes_open,
        ("MOUTH_OPEN", "MouthOpen"): seen.mouth_open,
        ("FACE_OCCLUDED", "FaceOccluded"): seen.face_occluded,
    }
    for (name, member), judgement in judgements.items():
        if judgement is not None:
            found.append((name, member, {"Value": judgement.value, "Confidence": single(judgement.confidence)}))
    if seen.emotions:
        emotions = [{"Type": emotion.type.value, "Confidence": single(emotion.confidence)} for emotion in seen.emotions]
        found.append(("EMOTIONS", "Emotions", emotions))
    return found
