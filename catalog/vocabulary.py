"""The nouns of the field, as frozen values that may cross every border.

Nothing here knows an engine, a database or a screen. Words follow the glossary: a *photo* is a catalogued file, an
*image* its decoded pixels, a *face* one appearance in one photo, a *person* a human being as held by the catalogue.

Geometry: a bounding box and every landmark are fractions of the **upright** image, origin at its top-left corner, as
Amazon Rekognition gives them; values may lie below 0 or above 1 where a face is cut by the border. Confidences and
similarities are percentages, 0 to 100. Angles are degrees. Times are aware ``datetime`` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

# ------------------------------------------------------------------------------------------------------ photos


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """One place where a photo was seen, as a source lists it without reading it.

    ``uri`` is ``file://`` percent-encoded from the raw bytes of the name, or ``s3://bucket/key``. ``modified_ns`` is
    in nanoseconds since the epoch. ``etag`` is the source's own change mark: an S3 ETag, or the inode of a
    local file; it is compared for equality only.
    """

    uri: str
    size: int
    modified_ns: int
    etag: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where an engine in the same region may read a photo by itself instead of being sent its bytes."""

    bucket: str
    key: str
    version: str | None
    etag: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class GpsPosition:
    """WGS 84, in degrees: latitude -90..90 (north positive), longitude -180..180 (east positive); altitude in m."""

    latitude: float
    longitude: float
    altitude: float | None = None


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """What the camera wrote beside the pixels.

    ``taken_at`` is UTC when ``taken_at_offset`` (minutes east of UTC) is known; when it is ``None`` the camera gave
    no zone and ``taken_at`` is its wall clock labelled UTC.
    """

    taken_at: datetime | None = None
    taken_at_offset: int | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    gps: GpsPosition | None = None


class OutcomeKind(StrEnum):
    """What a scan did with one discovered photo; the seven kinds add up to the photos discovered."""

    NEW = "new"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What just happened to one photo in this scan. ``reason`` is a sentence for skipped and failed, else None."""

    uri: str
    kind: OutcomeKind
    sha256: str | None = None
    faces: int = 0
    rejected: int = 0
    reason: str | None = None
    charges: tuple[Charge, ...] = ()
    """What the photo cost."""


# ------------------------------------------------------------------------------------------------------ faces


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in fractions of the upright image, from its top-left corner. Width and height are above 0."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a bounding box needs a size above 0, not {self.width} x {self.height}")

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def iou(self, other: BoundingBox) -> float:
        """Intersection over union, 0 to 1."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.area + other.area - shared)


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
class Judgement:
    """A yes or no with its confidence, 0 to 100."""

    value: bool
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
    """What a face shows. None, or no emotions: the engine does not measure it; it never guesses."""

    age_range: AgeRange | None = None
    gender: Gender | None = None
    smile: Judgement | None = None
    eyeglasses: Judgement | None = None
    sunglasses: Judgement | None = None
    beard: Judgement | None = None
    mustache: Judgement | None = None
    eyes_open: Judgement | None = None
    mouth_open: Judgement | None = None
    face_occluded: Judgement | None = None
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


# ------------------------------------------------------------------------------------------------------ engines


class Operation(StrEnum):
    """The operations of a face engine that cost money at Amazon, under its names."""

    INDEX_FACES = "IndexFaces"
    SEARCH_FACES = "SearchFaces"
    SEARCH_FACES_BY_IMAGE = "SearchFacesByImage"
    DETECT_FACES = "DetectFaces"
    COMPARE_FACES = "CompareFaces"
    SEARCH_USERS = "SearchUsers"
    SEARCH_USERS_BY_IMAGE = "SearchUsersByImage"
    ASSOCIATE_FACES = "AssociateFaces"
    DISASSOCIATE_FACES = "DisassociateFaces"


@dataclass(frozen=True, slots=True)
class Charge:
    """Calls that were answered, and what they will cost in US dollars. The local engine makes none."""

    operation: Operation
    calls: int
    dollars: Decimal


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
    """What enrolling one photo brought: the gallery now holds ``faces``, largest first."""

    faces: tuple[FaceRecord, ...]
    rejected: tuple[RejectedFace, ...] = ()
    charges: tuple[Charge, ...] = ()
    spared: bool = False
    """A prefilter saw no face, and the photo was not sent to the engine that is paid."""


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """What a gallery remembers of a face: never its attributes."""

    face_id: str
    sha256: str
    """SHA-256 of the photo it came from (Rekognition's ExternalImageId)."""
    box: BoundingBox
    confidence: float


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery face at or above the threshold asked for."""

    face_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The gallery faces similar to one enrolled face, most similar first, itself left out.

    ``complete`` is False when the list hit its limit: a face that is absent from it is then no evidence.
    """

    face_id: str
    matches: tuple[Match, ...]
    complete: bool
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
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


# ------------------------------------------------------------------------------------------------------ people


@dataclass(frozen=True, slots=True)
class Person:
    """A human being as held by the catalogue. ``person_id`` is public and kept for ever; a merged one redirects."""

    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int


class AssignedBy(StrEnum):
    """Who decided that a face belongs to a person. What a human decided is never overruled."""

    CLUSTER = "cluster"
    HUMAN = "human"
