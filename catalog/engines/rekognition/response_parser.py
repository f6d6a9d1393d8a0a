"""Parses the responses of Amazon Rekognition.

Reasons and types that are not known are left out: the service may add some.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog.domain.faces import (
    AgeRange,
    BooleanAttribute,
    BoundingBox,
    Emotion,
    EmotionType,
    EyeDirection,
    Face,
    FaceAttributes,
    Gender,
    GenderValue,
    Landmark,
    Match,
    Pose,
    Quality,
    RejectionReason,
)
from catalog.images.fit import Placement

Body = dict[str, Any]

_LEAST_SIZE = 1e-6


def read_box(body: Body, placement: Placement) -> BoundingBox:
    """A BoundingBox of the sent image, as fractions of the photo. Amazon has returned sizes of 0."""
    return placement.in_photo(
        BoundingBox(body["Left"], body["Top"], max(body["Width"], _LEAST_SIZE), max(body["Height"], _LEAST_SIZE))
    )


def read_face(body: Body, placement: Placement) -> Face:
    """A FaceDetail, ComparedFace or similar; only BoundingBox is required."""
    pose, quality = body.get("Pose"), body.get("Quality")
    return Face(
        box=read_box(body["BoundingBox"], placement),
        confidence=body.get("Confidence", 0.0),
        landmarks=tuple(
            Landmark(point["Type"], *placement.point_in_photo(point["X"], point["Y"]))
            for point in body.get("Landmarks", ())
        ),
        pose=Pose(pose["Roll"], pose["Yaw"], pose["Pitch"]) if pose else None,
        quality=Quality(quality["Brightness"], quality["Sharpness"]) if quality else None,
        attributes=_attributes(body),
    )


def _attributes(body: Body) -> FaceAttributes:
    age, gender, eyes = body.get("AgeRange"), body.get("Gender"), body.get("EyeDirection")
    return FaceAttributes(
        age_range=AgeRange(age["Low"], age["High"]) if age else None,
        gender=Gender(GenderValue(gender["Value"]), gender["Confidence"])
        if gender and gender["Value"] in list(GenderValue)
        else None,
        smile=_boolean_attribute(body, "Smile"),
        eyeglasses=_boolean_attribute(body, "Eyeglasses"),
        sunglasses=_boolean_attribute(body, "Sunglasses"),
        beard=_boolean_attribute(body, "Beard"),
        mustache=_boolean_attribute(body, "Mustache"),
        eyes_open=_boolean_attribute(body, "EyesOpen"),
        mouth_open=_boolean_attribute(body, "MouthOpen"),
        face_occluded=_boolean_attribute(body, "FaceOccluded"),
        eye_direction=EyeDirection(eyes["Yaw"], eyes["Pitch"], eyes["Confidence"]) if eyes else None,
        emotions=_emotions(body.get("Emotions", ())),
    )


def _boolean_attribute(body: Body, member: str) -> BooleanAttribute | None:
    value = body.get(member)
    return BooleanAttribute(value["Value"], value["Confidence"]) if value else None


def _emotions(bodies: Iterable[Body]) -> tuple[Emotion, ...]:
    """Emotions, highest confidence first. Older responses are not sorted."""
    emotions = [Emotion(EmotionType(e["Type"]), e["Confidence"]) for e in bodies if _is(e["Type"], EmotionType)]
    return tuple(sorted(emotions, key=lambda emotion: -emotion.confidence))


def read_reasons(names: Iterable[str]) -> tuple[RejectionReason, ...]:
    """Reasons why a face was rejected; at least one."""
    reasons = tuple(RejectionReason(name) for name in names if _is(name, RejectionReason))
    return reasons or (RejectionReason.LOW_FACE_QUALITY,)


def read_matches(bodies: Iterable[Body], owner: str = "") -> tuple[Match, ...]:
    """FaceMatches, most similar first, without the faces of other catalogues and other programs."""
    return tuple(
        Match(body["Face"]["FaceId"], body["Similarity"])
        for body in sorted(bodies, key=lambda body: -body["Similarity"])
        if (external := read_external_id(body["Face"])) is not None and external.owner in {"", owner}
    )


@dataclass(frozen=True, slots=True)
class ExternalId:
    """The ExternalImageId of a catalogue's face: the content hash and the catalogue that enrolled it.

    Faces that were enrolled before catalogues had names have an empty owner. Any catalogue may hold them.
    """

    sha256: str
    owner: str


def read_external_id(body: Body) -> ExternalId | None:
    """Parse a face's ExternalImageId; None for a face of another program."""
    sha256, _, owner = str(body.get("ExternalImageId", "")).partition(":")
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        return None
    return ExternalId(sha256, owner)


def _is(name: str, kind: type[StrEnum]) -> bool:
    return name in kind.__members__
