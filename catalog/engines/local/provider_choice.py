"""Choose the provider that the networks run on, after a self-test of its results.

The self-test finds the faces of a shipped photo on the processor and on the provider, and compares them.
"""

from __future__ import annotations

import io
import logging
import threading
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from catalog.domain.errors import EngineError, SettingsError
from catalog.domain.faces import BooleanAttribute, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local import networks
from catalog.engines.local.execution_provider import CANDIDATES, CPU, ExecutionProvider
from catalog.engines.local.face_pipeline import FacePipeline, PipelineFace

log = logging.getLogger(__name__)

FIXTURE = "self_test.jpg"
MIN_COSINE = 0.997
"""Lowest cosine of a face's two vectors. Integers round after every layer, so a change of one level in 17 of 37,632
values of the aligned face gives .9987 on one processor. MODELS.md has the verification with such vectors."""
MAX_SHIFT = 0.001
"""Largest distance of a landmark or of a corner of the box, in sides of the box."""
MAX_POINTS = 2.0
"""Largest difference of a confidence, in points of 100, and of an age, in years."""

_lock = threading.Lock()
_tested: dict[ExecutionProvider, Agreement] = {}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Largest differences between the results of a provider and of the processor, over all faces of the fixture."""

    faces: tuple[int, int]
    """Number of faces on the processor and on the provider."""
    cosine: float = 1.0
    shift: float = 0.0
    points: float = 0.0

    @property
    def is_within_tolerance(self) -> bool:
        return (
            self.faces[0] == self.faces[1] > 0
            and self.cosine >= MIN_COSINE
            and self.shift <= MAX_SHIFT
            and self.points <= MAX_POINTS
        )

    def __str__(self) -> str:
        if self.faces[0] != self.faces[1]:
            return f"{self.faces[1]} faces instead of {self.faces[0]}"
        return (
            f"lowest cosine {self.cosine:.6f}, positions within {100 * self.shift:.2f} % of the face, "
            f"attributes within {self.points:.1f} points"
        )


def choose_provider(setting: str) -> ExecutionProvider:
    """Select the provider for this process and return it. ``setting`` is the value of ``engine.provider``.

    ``auto`` is the first GPU provider that is present and passes the self-test, else the processor. Raises
    SettingsError for a provider that the installed onnxruntime lacks, EngineError for one that cannot be started or
    fails the self-test.
    """
    available = onnxruntime.get_available_providers()
    candidates = [provider for provider in CANDIDATES[setting] if provider.name in available]
    chosen = _first_usable(candidates, setting) if candidates else _without_provider(setting)
    networks.use_provider(chosen)
    return chosen


def measure_agreement(provider: ExecutionProvider) -> Agreement:
    """Run the self-test, at the first call for a provider. Raises EngineError if the provider cannot be started."""
    with _lock:
        if provider not in _tested:
            _tested[provider] = compare_faces(faces_on(CPU), faces_on(provider))
        return _tested[provider]


def _without_provider(setting: str) -> ExecutionProvider:
    if setting == "auto":
        return CPU
    package = CANDIDATES[setting][0].package
    problem = (
        f'"engine.provider" is "{setting}", which the installed onnxruntime does not support; install the package '
        f'{package} in its place, or set "cpu".'
    )
    raise SettingsError([problem])


def _first_usable(candidates: list[ExecutionProvider], setting: str) -> ExecutionProvider:
    """The first candidate that passes the self-test; for ``auto`` the processor if none does, else EngineError."""
    for index, provider in enumerate(candidates):
        try:
            _check_agreement(provider)
        except EngineError as error:
            if setting != "auto" and index == len(candidates) - 1:
                raise
            log.log(logging.WARNING if setting == "auto" else logging.INFO, "%s Another one is used.", error)
        else:
            return provider
    return CPU


def _check_agreement(provider: ExecutionProvider) -> None:
    if provider is CPU:
        return
    agreement = measure_agreement(provider)
    if not agreement.is_within_tolerance:
        raise EngineError(
            f'The provider "{provider.setting}" is refused because its results differ from the processor\'s: '
            f"{agreement}.",
            remedy='Set engine.provider to "cpu", or install another version of its drivers.',
        )


def faces_on(provider: ExecutionProvider) -> list[PipelineFace]:
    """Return the faces of the fixture with attributes and vectors. Raises EngineError."""
    with Image.open(io.BytesIO(networks.read_checked(FIXTURE, networks.WEIGHTS))) as image:
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB")))
    photo = OpenedPhoto(pixels=pixels, width=pixels.shape[1], height=pixels.shape[0], format="JPEG")
    with networks.running_on(provider):
        return FacePipeline().find_faces(photo, with_attributes=True)


def compare_faces(expected: list[PipelineFace], measured: list[PipelineFace]) -> Agreement:
    """Compare the faces of one photo, matched from left to right."""
    counts = (len(expected), len(measured))
    if counts[0] != counts[1] or not expected:
        return Agreement(counts)
    ordered = (sorted(faces, key=lambda face: face.face.box.left) for faces in (expected, measured))
    pairs = list(zip(*ordered, strict=True))
    cosines = [float(one.vector @ other.vector) for one, other in pairs if one.vector is not None]
    shifts = [
        _largest_difference(_positions(one.face), _positions(other.face)) / min(one.face.box.width, one.face.box.height)
        for one, other in pairs
    ]
    points = [_largest_difference(_values(one.face), _values(other.face)) for one, other in pairs]
    return Agreement(counts, min(cosines), max(shifts), max(points))


def _largest_difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Infinite if one face has values that the other one lacks."""
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


def _positions(face: Face) -> NDArray[np.float64]:
    box = face.box
    corners = [(box.left, box.top), (box.left + box.width, box.top + box.height)]
    return np.array([*corners, *((mark.x, mark.y) for mark in face.landmarks)])


def _values(face: Face) -> NDArray[np.float64]:
    """The confidences of a face, in points of 100, and the bounds of its age, in years, in a fixed order."""
    attributes = face.attributes
    yes_no = (
        attributes.smile,
        attributes.eyeglasses,
        attributes.sunglasses,
        attributes.beard,
        attributes.mustache,
        attributes.eyes_open,
        attributes.mouth_open,
        attributes.face_occluded,
    )
    values = [face.confidence, *(_share_of_yes(answer) for answer in yes_no if answer is not None)]
    if attributes.age_range is not None:
        values += [attributes.age_range.low, attributes.age_range.high]
    if attributes.gender is not None:
        values.append(attributes.gender.confidence)
    values += [emotion.confidence for emotion in sorted(attributes.emotions, key=lambda emotion: emotion.type)]
    return np.array(values, np.float64)


def _share_of_yes(answer: BooleanAttribute) -> float:
    return answer.confidence if answer.value else 100 - answer.confidence
