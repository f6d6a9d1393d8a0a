"""How bright and how sharp a face is, and which faces are too poor to be enrolled.

Amazon Rekognition publishes neither its measure nor its bars; these are our own on its scale of 0 to 100.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import Pose, Quality, QualityFilter, RejectionReason

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SHARP = 6.0
"""Mean absolute Laplacian, in grey levels, at which sharpness is about 63."""


def measure_quality(aligned: NDArray[np.uint8]) -> Quality:
    """Brightness and sharpness of one aligned face, uint8 (112, 112, 3).

    Brightness is the mean luma as a percentage. Sharpness rises with the mean absolute Laplacian of the middle of the
    face; as the face was sampled to 112 pixels, a tiny face that had to be enlarged is not sharp.
    """
    luma = aligned[16:104, 16:96].astype(np.float32) @ _LUMA
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    detail = float(np.abs(laplacian).mean())
    return Quality(
        brightness=float(luma.mean()) / 2.55,
        sharpness=100.0 * (1.0 - float(np.exp(-detail / _SHARP))),
    )


@dataclass(frozen=True, slots=True)
class QualityThresholds:
    """A face is kept when it is at or above each of these, and turned no further than ``yaw`` and ``pitch`` degrees."""

    confidence: float
    side: float
    """Geometric mean of the box's sides, in pixels that the photo really has."""
    brightness: float
    glare: float
    """Brightness above which a face is washed out."""
    sharpness: float
    yaw: float
    pitch: float


BARS = {
    QualityFilter.LOW: QualityThresholds(confidence=50, side=14, brightness=4, glare=99, sharpness=8, yaw=90, pitch=75),
    QualityFilter.AUTO: QualityThresholds(
        confidence=80, side=20, brightness=8, glare=97, sharpness=14, yaw=75, pitch=60
    ),
    QualityFilter.MEDIUM: QualityThresholds(
        confidence=90, side=32, brightness=12, glare=95, sharpness=25, yaw=60, pitch=45
    ),
    QualityFilter.HIGH: QualityThresholds(
        confidence=97, side=56, brightness=20, glare=90, sharpness=40, yaw=40, pitch=30
    ),
}
"""On LFW's pairs, one photo made poorer: of faces of 20 pixels 90 % are recognized at similarity 80, of 29 pixels 98 %,
of 16 pixels 61 %; of faces blurred to a sharpness of 23 95 %, of 18 74 %."""


def find_flaws(
    quality_filter: QualityFilter, *, confidence: float, side: float, quality: Quality, pose: Pose
) -> tuple[RejectionReason, ...]:
    """Why the filter keeps a face out of the gallery, in Amazon Rekognition's words; empty when it does not."""
    bars = BARS.get(quality_filter)
    if bars is None:
        return ()
    flaws = {
        RejectionReason.EXTREME_POSE: abs(pose.yaw) > bars.yaw or abs(pose.pitch) > bars.pitch,
        RejectionReason.LOW_BRIGHTNESS: quality.brightness < bars.brightness,
        RejectionReason.LOW_FACE_QUALITY: quality.brightness > bars.glare,
        RejectionReason.LOW_SHARPNESS: quality.sharpness < bars.sharpness,
        RejectionReason.LOW_CONFIDENCE: confidence < bars.confidence,
        RejectionReason.SMALL_BOUNDING_BOX: side < bars.side,
    }
    return tuple(reason for reason, found in flaws.items() if found)
