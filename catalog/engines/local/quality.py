"""Brightness and sharpness of a face, and the quality filter that rejects faces at enrollment.

Amazon does not publish its quality measure and its thresholds. The values here use the same scale of 0 to 100.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import Pose, Quality, QualityFilter, RejectionReason

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SHARP = 6.0
"""Mean absolute Laplacian, in gray levels, at which sharpness is about 63."""


def measure_quality(aligned: NDArray[np.uint8]) -> Quality:
    """Return brightness and sharpness of one aligned face, uint8 (112, 112, 3).

    Brightness is the mean luma as a percentage. Sharpness rises with the mean absolute Laplacian of the middle of the
    face. The face was sampled to 112 pixels, so an enlarged tiny face is not sharp.
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
    """Lowest accepted values of a face, and the largest accepted turn, ``yaw`` and ``pitch``, in degrees."""

    confidence: float
    side: float
    """Geometric mean of the box's sides, in pixels of the original photo."""
    brightness: float
    glare: float
    """Highest accepted brightness: brighter faces are overexposed."""
    sharpness: float
    yaw: float
    pitch: float


QUALITY_THRESHOLDS = {
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
"""Measured on LFW's pairs with one photo degraded. Recognized at similarity 80: 61 % of faces of 16 pixels, 90 % of 20
pixels, 98 % of 29 pixels; 74 % of faces blurred to sharpness 18, 95 % of sharpness 23."""


def rejection_reasons(
    quality_filter: QualityFilter, *, confidence: float, side: float, quality: Quality, pose: Pose
) -> tuple[RejectionReason, ...]:
    """Return the reasons, under Amazon's names, for which the filter rejects a face; empty if it accepts the face."""
    thresholds = QUALITY_THRESHOLDS.get(quality_filter)
    if thresholds is None:
        return ()
    rejected = {
        RejectionReason.EXTREME_POSE: abs(pose.yaw) > thresholds.yaw or abs(pose.pitch) > thresholds.pitch,
        RejectionReason.LOW_BRIGHTNESS: quality.brightness < thresholds.brightness,
        RejectionReason.LOW_FACE_QUALITY: quality.brightness > thresholds.glare,
        RejectionReason.LOW_SHARPNESS: quality.sharpness < thresholds.sharpness,
        RejectionReason.LOW_CONFIDENCE: confidence < thresholds.confidence,
        RejectionReason.SMALL_BOUNDING_BOX: side < thresholds.side,
    }
    return tuple(reason for reason, is_rejected in rejected.items() if is_rejected)
