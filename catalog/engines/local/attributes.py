"""Face attributes: age range, gender, emotions, smile, glasses, beard, mustache, eyes, mouth, landmarks, pose.

A network or the face mesh measures each attribute, and a calibration fitted on data turns the number into a confidence
(``weights/MODELS.md`` names the data and the accuracy). Attributes that are not measured are None: sunglasses and
occlusion. The emotions do not include CONFUSED.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import (
    AgeRange,
    BooleanAttribute,
    Emotion,
    EmotionType,
    FaceAttributes,
    Gender,
    GenderValue,
    Pose,
)
from catalog.domain.log_odds import log_odds
from catalog.engines.local.align import warp
from catalog.engines.local.detect import DetectedFace
from catalog.engines.local.embed import EmbeddedFaces
from catalog.engines.local.mesh import FaceMesh, upright_transform
from catalog.engines.local.networks import WEIGHTS, Network, read_checked

MARKS = ("eyeglasses", "beard", "mustache")
ATTRIBUTES = Network("attributes.onnx", ("rows", "grid"), ("age", *MARKS))
"""Heads on the embedding network's map means (:class:`EmbeddedFaces`): log-odds of each age from 0 to 99 (n, 100), and
of glasses, beard and mustache (n, 1 each)."""

EMOTION = Network("emotions.onnx", ("pixels",), ("emotions",))
"""Upright faces, uint8 RGB (n, 96, 96, 3): log-odds of :data:`EMOTIONS` (n, 7). The network reads luma only."""
EMOTION_CROP = (96, 1.0)
"""Side in pixels, and zoom."""

GENDER_HEAD = Network("gender_head.onnx", ("rows", "grid"), ("male",))
"""A head on the embedding network's map means: log-odds of male (n, 1). It decides faces of which it is certain."""

GENDER = Network("gender.onnx", ("pixels",), ("gender",))
"""Upright faces, uint8 RGB (n, 192, 192, 3): log-odds of male (n, 1). Runs only for faces that the head leaves open."""
GENDER_CROP = (192, 1.5)
"""Larger and wider, to include hair and chin: a tighter crop causes more errors."""

_DOUBTFUL_EMOTION = 0.6
"""Share of the likeliest emotion below which the mirror image is read, too: 36 % of FER2013's validation pictures."""

EMOTIONS = (
    EmotionType.ANGRY,
    EmotionType.DISGUSTED,
    EmotionType.FEAR,
    EmotionType.HAPPY,
    EmotionType.SAD,
    EmotionType.SURPRISED,
    EmotionType.CALM,
)
"""The network's outputs, in the order of FER2013's labels. FER2013's neutral is Amazon's CALM."""

EMOTION_CLIP = 1e-6
"""Probabilities of emotions are clipped to this distance from 0 and 1."""
_BATCH = 8
"""Faces per run: enough to share the cost of a call, few enough to bound memory."""


@dataclass(frozen=True, slots=True)
class AttributeReading:
    """The attributes of one face. ``landmarks`` are Amazon's 30 by name, x and y in pixels of the photo.

    If the mesh finds no face in the box, ``landmarks`` is empty and ``pose`` is None.
    """

    attributes: FaceAttributes
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)
    pose: Pose | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutputs:
    """Outputs of the attribute networks before calibration, one row per face."""

    male_by_head: NDArray[np.float32]
    male_by_network: NDArray[np.float32]
    """NaN for faces that the head decides."""
    ages: NDArray[np.float32]
    marks: NDArray[np.float32]
    emotions: NDArray[np.float32]


@cache
def calibration() -> dict[str, Any]:
    """Return the numbers that turn network outputs into percentages. ``tools.fit_attributes`` fits them."""
    numbers: dict[str, Any] = json.loads(read_checked("attributes.json", WEIGHTS))
    return numbers


class AttributeReader:
    """Reads the attributes of detected faces. Safe for several threads."""

    def read(
        self,
        pixels: NDArray[np.uint8],
        faces: Sequence[DetectedFace],
        meshes: Sequence[FaceMesh],
        embedded: EmbeddedFaces,
    ) -> list[AttributeReading]:
        """Return one reading per face, in order. ``pixels`` is the upright photo, RGB, (rows, columns, 3).

        ``meshes`` and ``embedded`` belong to ``faces``, in the same order.
        """
        readings: list[AttributeReading] = []
        for start in range(0, len(faces), _BATCH):
            batch = slice(start, start + _BATCH)
            trusted = [trusted_mesh(mesh) for mesh in meshes[batch]]
            outputs = run_networks(pixels, faces[batch], trusted, embedded.rows[batch], embedded.grid[batch])
            readings += [_reading(mesh, outputs, row) for row, mesh in enumerate(trusted)]
        return readings


def trusted_mesh(mesh: FaceMesh) -> FaceMesh | None:
    """Return the mesh, or None if its network sees no face."""
    return mesh if mesh.presence >= calibration()["mesh"]["presence"] else None


def run_networks(
    pixels: NDArray[np.uint8],
    faces: Sequence[DetectedFace],
    meshes: Sequence[FaceMesh | None],
    rows: NDArray[np.float32],
    grid: NDArray[np.float32],
    gender_margin: float | None = None,
) -> NetworkOutputs:
    """Run the attribute networks. ``rows`` and ``grid`` as in :class:`EmbeddedFaces`.

    The gender network runs for faces with log-odds by the head below ``gender_margin`` (absolute value). The default is
    the calibration's margin.
    """
    frames = [
        face.landmarks[[0, 1, 3, 4]] if mesh is None else mesh.frame_points()
        for mesh, face in zip(meshes, faces, strict=True)
    ]
    ages, *marks = ATTRIBUTES.run(rows, grid)
    emotions = emotion_log_odds(crop_faces(pixels, frames, *EMOTION_CROP))
    by_head = GENDER_HEAD.run(rows, grid)[0][:, 0]
    by_network = np.full(len(faces), np.nan, np.float32)
    is_open = np.abs(by_head) < (calibration()["gender_head"]["margin"] if gender_margin is None else gender_margin)
    if is_open.any():
        open_frames = [frame for frame, is_needed in zip(frames, is_open, strict=True) if is_needed]
        by_network[is_open] = male_log_odds(crop_faces(pixels, open_frames, *GENDER_CROP))
    return NetworkOutputs(by_head, by_network, ages, np.concatenate(marks, axis=1), emotions)


def emotion_log_odds(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return log-odds of the emotions, (n, 7). A doubtful face is averaged with its mirror image, which errs less."""
    (outputs,) = EMOTION.run(crops)
    is_doubtful = softmax(outputs).max(axis=1) < _DOUBTFUL_EMOTION
    if is_doubtful.any():
        mirrored = np.ascontiguousarray(crops[is_doubtful][:, :, ::-1])
        outputs[is_doubtful] = (outputs[is_doubtful] + EMOTION.run(mirrored)[0]) / 2
    return outputs


def male_log_odds(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return log-odds of male, (n,): the mean over the crop and its mirror image has fewer errors than the crop."""
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    outputs = [GENDER.run(images)[0][:, 0] for images in (crops, mirrored)]
    return np.asarray(np.mean(outputs, axis=0), np.float32)


def crop_faces(
    pixels: NDArray[np.uint8], frames: Sequence[NDArray[np.floating]], side: int, zoom: float
) -> NDArray[np.uint8]:
    """Return upright crops, (n, side, side, 3)."""
    return np.stack([warp(pixels, upright_transform(frame, side, zoom), side) for frame in frames])


def _reading(mesh: FaceMesh | None, outputs: NetworkOutputs, row: int) -> AttributeReading:
    emotions = read_emotions(outputs.emotions[row])
    happy = next(emotion.confidence for emotion in emotions if emotion.type is EmotionType.HAPPY)
    marks = {name: read_boolean(name, float(outputs.marks[row, index])) for index, name in enumerate(MARKS)}
    attributes = FaceAttributes(
        age_range=read_age(outputs.ages[row]),
        gender=read_gender(float(outputs.male_by_head[row]), float(outputs.male_by_network[row])),
        smile=_boolean_attribute(happy / 100),
        eyes_open=read_boolean("eyes_open", mesh.eye_opening()) if mesh else None,
        mouth_open=read_boolean("mouth_open", mesh.mouth_opening()) if mesh else None,
        eyeglasses=marks["eyeglasses"],
        beard=marks["beard"],
        mustache=marks["mustache"],
        emotions=emotions,
    )
    if mesh is None:
        return AttributeReading(attributes)
    return AttributeReading(attributes, mesh.landmarks(), mesh.pose())


def read_age(output: NDArray[np.float32]) -> AgeRange:
    """Return the central age range that contains the true age of four faces in five.

    The share cut off at both ends was fitted on faces that the network was not trained on (split conformal prediction).
    """
    low, high = age_bounds(output, calibration()["age"]["tail"])
    return AgeRange(round(low), round(high))


def age_bounds(output: NDArray[np.float32], tail: float) -> tuple[float, float]:
    """Return the ages below and above which a share ``tail`` of the distribution lies."""
    cumulated = np.concatenate([[0.0], np.cumsum(softmax(output))])
    edges = np.arange(len(cumulated)) - 0.5
    low, high = np.interp([tail, 1 - tail], cumulated, edges)
    return max(0.0, float(low)), max(0.0, float(high))


def read_gender(by_head: float, by_network: float) -> Gender:
    """Return the likelier gender with its calibrated probability, from log-odds of male.

    ``by_network`` is NaN for a face that the head decides.
    """
    is_decided = np.isnan(by_network)
    line = calibration()["gender_head" if is_decided else "gender"]
    probability = _probability(line, by_head if is_decided else by_network)
    value = GenderValue.MALE if probability >= 0.5 else GenderValue.FEMALE
    return Gender(value, 100 * max(probability, 1 - probability))


def read_emotions(output: NDArray[np.float32]) -> tuple[Emotion, ...]:
    """Return the seven emotions, highest confidence first. Confidences are calibrated probabilities."""
    numbers = calibration()["emotions"]
    shares = softmax(output)
    emotions = [
        Emotion(kind, 100 * _probability(numbers[kind.value], log_odds(float(share), EMOTION_CLIP)))
        for kind, share in zip(EMOTIONS, shares, strict=True)
    ]
    return tuple(sorted(emotions, key=lambda emotion: -emotion.confidence))


def read_boolean(name: str, measured: float) -> BooleanAttribute:
    """Return yes or no for one measured number, with its calibrated probability."""
    return _boolean_attribute(_probability(calibration()[name], measured))


def _boolean_attribute(probability: float) -> BooleanAttribute:
    return BooleanAttribute(probability >= 0.5, 100 * max(probability, 1 - probability))


def _probability(line: dict[str, float], measured: float) -> float:
    return float(1 / (1 + np.exp(-(line["slope"] * measured + line["shift"]))))


def softmax(log_odds: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(log_odds.astype(np.float64) - log_odds.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
