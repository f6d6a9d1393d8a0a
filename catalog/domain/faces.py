"""Faces and what engines answer about them.

A bounding box and every landmark are fractions of the **upright** image, origin at its top-left corner, as Amazon
Rekognition gives them. Values may lie below 0 or above 1 where the border cuts a face. Confidences and similarities
are percentages, 0 to 100. Angles are degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from catalog.domain.bounding_box import BoundingBox as BoundingBox
from catalog.domain.charges import Charge


@dataclass(frozen=True, slots=True)
class Landmark:
    """One named point of a face under Amazon Rekognition's names (``eyeLeft`` is the one at the viewer's left)."""

    type: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees, -180..180, with Amazon Rekognition's signs."""

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Brightness and sharpness of the face's pixels, 0 to 100, higher is brighter or sharper."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class BooleanAttribute:
    """A yes or no with its confidence, 0 to 100."""

    value: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class EyeDirection:
    """Direction of the eyes in degrees relative to the camera, with the signs of :class:`Pose`; confidence 0 to 100."""

    yaw: float
    pitch: float
    confidence: float


@dataclass(frozen=True, slots=True)
class AgeRange:
    """Apparent age in whole years: true for about four faces in five."""

    low: int
    high: int


class GenderValue(StrEnum):
    MALE = "Male"
    FEMALE = "Female"


@dataclass(frozen=True, slots=True)
class Gender:
    """A binary prediction from appearance; it says nothing about gender identity."""

    value: GenderValue
    confidence: float


class EmotionType(StrEnum):
    HAPPY = "HAPPY"
    SAD = "SAD"
    ANGRY = "ANGRY"
    CONFUSED = "CONFUSED"
    DISGUSTED = "DISGUSTED"
    SURPRISED = "SURPRISED"
    CALM = "CALM"
    UNKNOWN = "UNKNOWN"
    FEAR = "FEAR"


@dataclass(frozen=True, slots=True)
class Emotion:
    """Apparent expression, not inner state. Confidences of one face are independent and need not add up to 100."""

    type: EmotionType
    confidence: float


@dataclass(frozen=True, slots=True)
class FaceAttributes:
    """Attributes of a face. None, or no emotions: the engine does not measure the attribute.

    A confidence near 50 says that a measured value is hardly better than a guess.
    """

    age_range: AgeRange | None = None
    gender: Gender | None = None
    smile: BooleanAttribute | None = None
    eyeglasses: BooleanAttribute | None = None
    sunglasses: BooleanAttribute | None = None
    beard: BooleanAttribute | None = None
    mustache: BooleanAttribute | None = None
    eyes_open: BooleanAttribute | None = None
    mouth_open: BooleanAttribute | None = None
    face_occluded: BooleanAttribute | None = None
    eye_direction: EyeDirection | None = None
    emotions: tuple[Emotion, ...] = ()
    """Sorted by confidence, highest first."""


@dataclass(frozen=True, slots=True)
class Face:
    """One appearance of a human face in one photo, as an engine sees it."""

    box: BoundingBox
    confidence: float
    """The engine's certainty that the box holds a face, 0 to 100."""
    landmarks: tuple[Landmark, ...] = ()
    pose: Pose | None = None
    quality: Quality | None = None
    attributes: FaceAttributes = field(default_factory=FaceAttributes)


class RejectionReason(StrEnum):
    """Why a detected face was not enrolled, in Amazon Rekognition's words, for both engines."""

    EXCEEDS_MAX_FACES = "EXCEEDS_MAX_FACES"
    EXTREME_POSE = "EXTREME_POSE"
    LOW_BRIGHTNESS = "LOW_BRIGHTNESS"
    LOW_SHARPNESS = "LOW_SHARPNESS"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    SMALL_BOUNDING_BOX = "SMALL_BOUNDING_BOX"
    LOW_FACE_QUALITY = "LOW_FACE_QUALITY"


class QualityFilter(StrEnum):
    """Which faces are kept out of the gallery: NONE keeps nothing out, HIGH all but the best."""

    NONE = "none"
    AUTO = "auto"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A face together with the id under which the gallery holds it."""

    face_id: str
    face: Face


@dataclass(frozen=True, slots=True)
class RejectedFace:
    """A face that was detected and left out of the gallery."""

    face: Face
    reasons: tuple[RejectionReason, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The faces of one image, largest first; nothing was kept."""

    faces: tuple[Face, ...]
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrollment:
    """Result of enrolling one photo. The gallery now holds ``faces``, largest first."""

    faces: tuple[FaceRecord, ...]
    rejected: tuple[RejectedFace, ...] = ()
    charges: tuple[Charge, ...] = ()
    skipped_by_prefilter: bool = False
    """A prefilter saw no face, and the photo was not sent to the engine that is paid."""
    skipped_in_stack: bool = False
    """Another file of the same exposure was sent to the engine that is paid, and this one was not."""


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face as a gallery stores it, without attributes."""

    face_id: str
    sha256: str
    """SHA-256 of the photo it came from (Rekognition's ExternalImageId)."""
    box: BoundingBox
    confidence: float
    is_foreign: bool = False
    """Another catalogue that shares the gallery enrolled the face."""


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery face at or above the threshold asked for."""

    face_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class NeighborList:
    """The gallery faces similar to one enrolled face, most similar first, itself left out.

    ``complete`` is False when the list hit its limit: a face that is absent from it is then no evidence.
    """

    face_id: str
    matches: tuple[Match, ...]
    complete: bool
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The gallery faces similar to one face (the probe) of an image that is not enrolled."""

    probe: Face
    matches: tuple[Match, ...]
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target image with its similarity to the source's face."""

    face: Face
    similarity: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The source's largest face against each face of the target: matches most similar first, then the others."""

    source: Face
    matches: tuple[ComparedFace, ...]
    unmatched: tuple[Face, ...]
    charges: tuple[Charge, ...] = ()
