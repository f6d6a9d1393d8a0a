"""Quality of a face's pixels, and the quality filter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from catalog.domain.faces import Pose, Quality, QualityFilter, RejectionReason
from catalog.engines.local.align import align_faces
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.quality import QUALITY_THRESHOLDS, measure_quality, rejection_reasons
from tests.engines.local.conftest import portrait

STRAIGHT = Pose(0, 0, 0)
GOOD = {"confidence": 99.0, "side": 120.0, "quality": Quality(50, 80), "pose": STRAIGHT}


@pytest.fixture(scope="module")
def aligned() -> Image.Image:
    pixels = np.asarray(portrait("obama_1"))
    return Image.fromarray(align_faces(pixels, [detect_faces(pixels)[0].landmarks])[0])


def measured(image: Image.Image) -> Quality:
    return measure_quality(np.asarray(image))


def test_a_darker_face_is_less_bright(aligned):
    """Brightness rises with the light; black is 0 and white is 100."""
    values = [measured(ImageEnhance.Brightness(aligned).enhance(f)).brightness for f in (0.2, 0.6, 1.0, 1.4)]
    assert values == sorted(values)
    assert measured(Image.new("RGB", (112, 112))).brightness == 0
    assert measured(Image.new("RGB", (112, 112), (255, 255, 255))).brightness == pytest.approx(100, abs=0.01)


def test_a_blurred_face_is_less_sharp(aligned):
    """Sharpness falls with every step of blur."""
    values = [measured(aligned.filter(ImageFilter.GaussianBlur(radius))).sharpness for radius in (0, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 60
    assert values[-1] < 15


def test_an_enlarged_tiny_face_is_not_sharp(aligned):
    """Enlargement adds no sharpness."""
    tiny = aligned.resize((20, 20)).resize((112, 112), Image.Resampling.BICUBIC)
    assert measured(tiny).sharpness < 0.5 * measured(aligned).sharpness


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confidence": 55.0}, RejectionReason.LOW_CONFIDENCE),
        ({"side": 14.0}, RejectionReason.SMALL_BOUNDING_BOX),
        ({"quality": Quality(1, 80)}, RejectionReason.LOW_BRIGHTNESS),
        ({"quality": Quality(99.5, 80)}, RejectionReason.LOW_FACE_QUALITY),
        ({"quality": Quality(50, 0.5)}, RejectionReason.LOW_SHARPNESS),
        ({"pose": Pose(0, 88, 0)}, RejectionReason.EXTREME_POSE),
        ({"pose": Pose(0, 0, -80)}, RejectionReason.EXTREME_POSE),
    ],
)
def test_a_rejected_face_has_amazons_reason(change, reason):
    """AUTO rejects for one reason; NONE rejects no face."""
    assert rejection_reasons(QualityFilter.AUTO, **{**GOOD, **change}) == (reason,)
    assert rejection_reasons(QualityFilter.NONE, **{**GOOD, **change}) == ()


def test_all_reasons_of_a_face_are_returned():
    """A face can be too small and too dark."""
    reasons = rejection_reasons(QualityFilter.HIGH, confidence=99.0, side=10.0, quality=Quality(1, 80), pose=STRAIGHT)
    assert set(reasons) == {RejectionReason.SMALL_BOUNDING_BOX, RejectionReason.LOW_BRIGHTNESS}


def test_a_good_face_passes_every_filter():
    """A large, bright, sharp and frontal face passes."""
    for quality_filter in QualityFilter:
        assert rejection_reasons(quality_filter, **GOOD) == ()


def test_filters_grow_stricter():
    """Every threshold of a stricter filter is at least as strict."""
    order = [QualityFilter.LOW, QualityFilter.AUTO, QualityFilter.MEDIUM, QualityFilter.HIGH]
    for looser, stricter in pairwise(order):
        low, high = QUALITY_THRESHOLDS[looser], QUALITY_THRESHOLDS[stricter]
        assert low.confidence <= high.confidence
        assert low.side <= high.side
        assert low.brightness <= high.brightness
        assert low.sharpness <= high.sharpness
        assert low.glare >= high.glare
        assert low.yaw >= high.yaw
        assert low.pitch >= high.pitch
