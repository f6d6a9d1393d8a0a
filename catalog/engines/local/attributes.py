"""What a face shows: age range, gender, emotions, smile, eyes, mouth, landmarks, pose.

Each figure is measured by a network or on the face mesh, and calibrated on data (``weights/MODELS.md`` says which).
What is not measured stays None: open eyes, open mouth, glasses, sunglasses, beard, mustache, occlusion; and there is no
CONFUSED among the emotions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.align import warp
from catalog.engines.local.detect import DetectedFace
from catalog.engines.local.mesh import FaceMesh, locate_meshes, upright_transform
from catalog.engines.local.models import WEIGHTS, Network, read_checked
from catalog.vocabulary import (
    AgeRange,
    Emotion,
    EmotionType,
    FaceAttributes,
    Gender,
    GenderValue,
    Judgement,
    Pose,
)

AGE_GENDER = Network("age_gender.onnx", "pixels", ("gender", "age"))
"""Upright faces, uint8 RGB (n, 224, 224, 3): odds of male (n, 1), and of each age from 0 to 99 (n, 100)."""
AGE_GENDER_CROP = (224, 1.2)
"""Side in pixels and zoom of the crop."""

EMOTION_NET = Network("emotions.onnx", "pixels", ("emotions",))
"""Upright faces, uint8 RGB (n, 64, 64, 3): odds of each of the :data:`EMOTIONS` (n, 7)."""
EMOTION_CROP = (64, 1.15)

EMOTIONS = (
    EmotionType.ANGRY,
    EmotionType.DISGUSTED,
    EmotionType.FEAR,
    EmotionType.HAPPY,
    EmotionType.SAD,
    EmotionType.SURPRISED,
    EmotionType.CALM,
)
"""In the order of FER2013's labels, which is the order of the network's answers; its neutral is Amazon's CALM."""

_BATCH = 8
"""Faces at once: enough to keep the processor's caches warm, few enough to keep memory low."""


@dataclass(frozen=True, slots=True)
class AttributeReading:
    """What was read off one face. ``landmarks`` are Amazon's 30, by name, x and y in pixels of the photo.

    ``landmarks`` is empty and ``pose`` None where the mesh found no face in the detection's box.
    """

    attributes: FaceAttributes
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)
    pose: Pose | None = None


@cache
def calibration() -> dict[str, Any]:
    """The numbers that turn answers of the networks into percentages and ranges; fitted by ``tools/``."""
    numbers: dict[str, Any] = json.loads(read_checked("attributes.json", WEIGHTS))
    return numbers


class AttributeReader:
    """Reads the attributes of faces that were detected. May be used from several threads at once."""

    def read(
        self,
        pixels: NDArray[np.uint8],
        faces: Sequence[DetectedFace],
        meshes: Sequence[FaceMesh] | None = None,
    ) -> list[AttributeReading]:
        """One reading for each face, in order. ``pixels`` is the upright photo, RGB, (rows, columns, 3).

        ``meshes`` are those of the faces, where the caller has located them already.
        """
        readings: list[AttributeReading] = []
        for start in range(0, len(faces), _BATCH):
            batch = slice(start, start + _BATCH)
            located = locate_meshes(pixels, faces[batch]) if meshes is None else meshes[batch]
            readings += self._read_batch(pixels, faces[batch], located)
        return readings

    def _read_batch(
        self, pixels: NDArray[np.uint8], faces: Sequence[DetectedFace], meshes: Sequence[FaceMesh]
    ) -> list[AttributeReading]:
        numbers = calibration()
        trusted = [mesh.presence >= numbers["mesh"]["presence"] for mesh in meshes]
        points = [
            mesh.frame_points() if fits else face.landmarks[[0, 1, 3, 4]]
            for mesh, fits, face in zip(meshes, trusted, faces, strict=True)
        ]
        genders, ages = AGE_GENDER.run(_cut(pixels, points, *AGE_GENDER_CROP))
        (emotions,) = EMOTION_NET.run(_cut(pixels, points, *EMOTION_CROP))
        return [
            _reading(mesh if fits else None, float(gender[0]), age, emotion)
            for mesh, fits, gender, age, emotion in zip(meshes, trusted, genders, ages, emotions, strict=True)
        ]


def _cut(
    pixels: NDArray[np.uint8], points: Sequence[NDArray[np.floating]], side: int, zoom: float
) -> NDArray[np.uint8]:
    return np.stack([warp(pixels, upright_transform(four, side, zoom), side) for four in points])


def _reading(
    mesh: FaceMesh | None, male: float, ages: NDArray[np.float32], emotions: NDArray[np.float32]
) -> AttributeReading:
    felt = read_emotions(emotions)
    happy = next(emotion.confidence for emotion in felt if emotion.type is EmotionType.HAPPY)
    attributes = FaceAttributes(
        age_range=read_age(ages),
        gender=read_gender(male),
        smile=_judge(happy / 100),
        emotions=felt,
    )
    if mesh is None:
        return AttributeReading(attributes)
    return AttributeReading(attributes, mesh.landmarks(), mesh.pose())


def read_age(odds: NDArray[np.float32]) -> AgeRange:
    """The range around the mean of the age distribution that holds four true ages in five."""
    numbers = calibration()["age"]
    mean = float(odds @ np.arange(len(odds)) / odds.sum())
    low = np.interp(mean, numbers["mean"], numbers["low"])
    high = np.interp(mean, numbers["mean"], numbers["high"])
    return AgeRange(max(0, round(float(low))), round(float(high)))


def read_gender(male: float) -> Gender:
    """The likelier gender, with the calibrated odds for it."""
    numbers = calibration()["gender"]
    odds = _sigmoid(numbers["slope"] * _logit(male) + numbers["shift"])
    value = GenderValue.MALE if odds >= 0.5 else GenderValue.FEMALE
    return Gender(value, 100 * max(odds, 1 - odds))


def read_emotions(odds: NDArray[np.float32]) -> tuple[Emotion, ...]:
    """The seven emotions, each with its own calibrated odds of being the one seen, highest first."""
    numbers = calibration()["emotions"]
    emotions = [
        Emotion(kind, 100 * _sigmoid(numbers["slope"][i] * _logit(float(odds[i])) + numbers["shift"][i]))
        for i, kind in enumerate(EMOTIONS)
    ]
    return tuple(sorted(emotions, key=lambda emotion: -emotion.confidence))


def _judge(odds: float) -> Judgement:
    return Judgement(odds >= 0.5, 100 * max(odds, 1 - odds))


def _logit(odds: float) -> float:
    clipped = min(max(odds, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
