"""Builds Amazon Rekognition's response structures from domain values.

Numbers are rounded to float32, as Amazon's are. Values that were not measured are absent, never null, as in botocore
and in Amazon's documentation.
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
"""Landmarks that Amazon returns when only DEFAULT attributes are requested."""


def single(number: float) -> float:
    """Round to float32 and widen again: 99.98 becomes 99.9800033569336, as in Amazon's responses."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def bounding_box(box: BoundingBox) -> Body:
    return {
        "Width": single(box.width),
        "Height": single(box.height),
        "Left": single(box.left),
        "Top": single(box.top),
    }


def face_detail(face: Face, attributes: Collection[str] = EVERYTHING) -> Body:
    """A FaceDetail with the DEFAULT members and the requested ``attributes`` (Amazon's names)."""
    is_all = "ALL" in attributes
    body: Body = {"BoundingBox": bounding_box(face.box)}
    body |= {member: value for name, member, value in _attributes(face.attributes) if is_all or name in attributes}
    body["Landmarks"] = [
        {"Type": landmark.type, "X": single(landmark.x), "Y": single(landmark.y)}
        for landmark in face.landmarks
        if is_all or landmark.type in DEFAULT_LANDMARKS
    ]
    return body | _measured(face)


def compared_face(face: Face) -> Body:
    """A ComparedFace: bounding box, confidence, five landmarks, pose and quality."""
    return face_detail(face, DEFAULT)


def comparison_body(comparison: Comparison) -> Body:
    """The response of CompareFaces."""
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


def _attributes(attributes: FaceAttributes) -> list[tuple[str, str, Any]]:
    """The measured attributes: name in requests, name of the response member, value."""
    measured: list[tuple[str, str, Any]] = []
    if attributes.age_range is not None:
        measured.append(("AGE_RANGE", "AgeRange", {"Low": attributes.age_range.low, "High": attributes.age_range.high}))
    if attributes.gender is not None:
        gender = {"Value": attributes.gender.value.value, "Confidence": single(attributes.gender.confidence)}
        measured.append(("GENDER", "Gender", gender))
    judgements: dict[tuple[str, str], BooleanAttribute | None] = {
        ("SMILE", "Smile"): attributes.smile,
        ("EYEGLASSES", "Eyeglasses"): attributes.eyeglasses,
        ("SUNGLASSES", "Sunglasses"): attributes.sunglasses,
        ("BEARD", "Beard"): attributes.beard,
        ("MUSTACHE", "Mustache"): attributes.mustache,
        ("EYES_OPEN", "EyesOpen"): attributes.eyes_open,
        ("MOUTH_OPEN", "MouthOpen"): attributes.mouth_open,
        ("FACE_OCCLUDED", "FaceOccluded"): attributes.face_occluded,
    }
    for (name, member), judgement in judgements.items():
        if judgement is not None:
            measured.append((name, member, {"Value": judgement.value, "Confidence": single(judgement.confidence)}))
    if attributes.eye_direction is not None:
        eyes = attributes.eye_direction
        direction = {"Yaw": single(eyes.yaw), "Pitch": single(eyes.pitch), "Confidence": single(eyes.confidence)}
        measured.append(("EYE_DIRECTION", "EyeDirection", direction))
    if attributes.emotions:
        emotions = [
            {"Type": emotion.type.value, "Confidence": single(emotion.confidence)} for emotion in attributes.emotions
        ]
        measured.append(("EMOTIONS", "Emotions", emotions))
    return measured
