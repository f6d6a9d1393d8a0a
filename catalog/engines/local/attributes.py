"""What a face shows: age range, gender, emotions, smile, glasses, beard, mustache, eyes, mouth, landmarks, pose.

Each is measured by a network or on the face mesh, and calibrated on data (``weights/MODELS.md`` says which, and how
well). What is not measured stays None: sunglasses and occlusion; and there is no CONFUSED among the emotions.
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
from catalog.engines.local.align import warp
from catalog.engines.local.detect import DetectedFace
from catalog.engines.local.embed import EmbeddedFaces
from catalog.engines.local.mesh import FaceMesh, upright_transform
from catalog.engines.local.networks import WEIGHTS, Network, read_checked

MARKS = ("eyeglasses", "beard", "mustache")
ATTRIBUTES = Network("attributes.onnx", ("rows", "grid"), ("age", *MARKS))
"""What the embedding network's maps show (:class:`EmbeddedFaces`): log-odds of each age from 0 to 99 (n, 100), of
glasses, of a beard and of a mustache (n, 1 each)."""

EMOTION = Network("emotions.onnx", ("pixels",), ("emotions",))
"""Upright faces, uint8 RGB (n, 96, 96, 3): log-odds of each of :data:`EMOTIONS` (n, 7). Color is not looked at."""
EMOTION_CROP = (96, 1.0)
"""Side in pixels, and zoom."""

GENDER = Network("gender.onnx", ("pixels",), ("gender",))
"""Upright faces, uint8 RGB (n, 192, 192, 3): log-odds of male (n, 1)."""
GENDER_CROP = (192, 1.5)
"""Larger and wider, for hair and chin: with less of them more is mistaken."""

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
"""Faces at once: enough to share the cost of a call, few enough to keep memory low."""


@dataclass(frozen=True, slots=True)
class AttributeReading:
    """What was read off one face. ``landmarks`` are Amazon's 30, by name, x and y in pixels of the photo.

    ``landmarks`` is empty and ``pose`` None where the mesh found no face in the detection's box.
    """

    attributes: FaceAttributes
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)
    pose: Pose | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the networks said about some faces, before calibration; one row a face."""

    male: NDArray[np.float32]
    ages: NDArray[np.float32]
    marks: NDArray[np.float32]
    emotions: NDArray[np.float32]


@cache
def calibration() -> dict[str, Any]:
    """The numbers that turn answers of the networks into percentages and ranges; ``tools.fit_attributes`` fits them."""
    numbers: dict[str, Any] = json.loads(read_checked("attributes.json", WEIGHTS))
    return numbers


class AttributeReader:
    """Reads the attributes of faces that were detected. May be used from several threads at once."""

    def read(
        self,
        pixels: NDArray[np.uint8],
        faces: Sequence[DetectedFace],
        meshes: Sequence[FaceMesh],
        embedded: EmbeddedFaces,
    ) -> list[AttributeReading]:
        """One reading for each face, in order. ``pixels`` is the upright photo, RGB, (rows, columns, 3).

        ``meshes`` and ``embedded`` are those of the faces.
        """
        readings: list[AttributeReading] = []
        for start in range(0, len(faces), _BATCH):
            batch = slice(start, start + _BATCH)
            trusted = [trust(mesh) for mesh in meshes[batch]]
            answers = look(pixels, faces[batch], trusted, embedded.rows[batch], embedded.grid[batch])
            readings += [_reading(mesh, answers, row) for row, mesh in enumerate(trusted)]
        return readings


def trust(mesh: FaceMesh) -> FaceMesh | None:
    """The mesh, or None where its network sees no face."""
    return mesh if mesh.presence >= calibration()["mesh"]["presence"] else None


def look(
    pixels: NDArray[np.uint8],
    faces: Sequence[DetectedFace],
    meshes: Sequence[FaceMesh | None],
    rows: NDArray[np.float32],
    grid: NDArray[np.float32],
) -> Answers:
    """The networks' answers for some faces; ``rows`` and ``grid`` as in :class:`EmbeddedFaces`."""
    frames = [
        face.landmarks[[0, 1, 3, 4]] if mesh is None else mesh.frame_points()
        for mesh, face in zip(meshes, faces, strict=True)
    ]
    ages, *marks = ATTRIBUTES.run(rows, grid)
    (emotions,) = EMOTION.run(cut(pixels, frames, *EMOTION_CROP))
    male = male_odds(cut(pixels, frames, *GENDER_CROP))
    return Answers(male, ages, np.concatenate(marks, axis=1), emotions)


def male_odds(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Log-odds of male, (n,), mean over each crop and its mirror image: fewer mistakes than by one look."""
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    looks = [GENDER.run(each)[0][:, 0] for each in (crops, mirrored)]
    return np.asarray(np.mean(looks, axis=0), np.float32)


def cut(pixels: NDArray[np.uint8], frames: Sequence[NDArray[np.floating]], side: int, zoom: float) -> NDArray[np.uint8]:
    """Upright crops, (n, side, side, 3)."""
    return np.stack([warp(pixels, upright_transform(frame, side, zoom), side) for frame in frames])


def _reading(mesh: FaceMesh | None, answers: Answers, row: int) -> AttributeReading:
    felt = read_emotions(answers.emotions[row])
    happy = next(emotion.confidence for emotion in felt if emotion.type is EmotionType.HAPPY)
    marks = {name: judge(name, float(answers.marks[row, place])) for place, name in enumerate(MARKS)}
    attributes = FaceAttributes(
        age_range=read_age(answers.ages[row]),
        gender=read_gender(float(answers.male[row])),
        smile=_judgement(happy / 100),
        eyes_open=judge("eyes_open", mesh.eye_opening()) if mesh else None,
        mouth_open=judge("mouth_open", mesh.mouth_opening()) if mesh else None,
        emotions=felt,
        **marks,
    )
    if mesh is None:
        return AttributeReading(attributes)
    return AttributeReading(attributes, mesh.landmarks(), mesh.pose())


def read_age(answer: NDArray[np.float32]) -> AgeRange:
    """The middle of the age distribution that holds four true ages in five.

    What is cut off at each end was fitted on faces that the network was not trained on (split conformal prediction).
    """
    low, high = age_bounds(answer, calibration()["age"]["tail"])
    return AgeRange(round(low), round(high))


def age_bounds(answer: NDArray[np.float32], tail: float) -> tuple[float, float]:
    """The ages below and above which ``tail`` of the distribution lies."""
    cumulated = np.concatenate([[0.0], np.cumsum(softmax(answer))])
    edges = np.arange(len(cumulated)) - 0.5
    low, high = np.interp([tail, 1 - tail], cumulated, edges)
    return max(0.0, float(low)), max(0.0, float(high))


def read_gender(answer: float) -> Gender:
    """The likelier gender, with the calibrated odds for it."""
    odds = _odds(calibration()["gender"], answer)
    value = GenderValue.MALE if odds >= 0.5 else GenderValue.FEMALE
    return Gender(value, 100 * max(odds, 1 - odds))


def read_emotions(answer: NDArray[np.float32]) -> tuple[Emotion, ...]:
    """The seven emotions, each with its own calibrated odds of being the one seen, highest first."""
    numbers = calibration()["emotions"]
    odds = softmax(answer)
    emotions = [
        Emotion(kind, 100 * _odds(numbers[kind.value], logit(float(share))))
        for kind, share in zip(EMOTIONS, odds, strict=True)
    ]
    return tuple(sorted(emotions, key=lambda emotion: -emotion.confidence))


def judge(name: str, measured: float) -> BooleanAttribute:
    """Yes or no from one measured number, with its calibrated odds."""
    return _judgement(_odds(calibration()[name], measured))


def _judgement(odds: float) -> BooleanAttribute:
    return BooleanAttribute(odds >= 0.5, 100 * max(odds, 1 - odds))


def _odds(line: dict[str, float], measured: float) -> float:
    return float(1 / (1 + np.exp(-(line["slope"] * measured + line["shift"]))))


def softmax(answer: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(answer.astype(np.float64) - answer.max(axis=-1, keepdims=True))
    odds: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return odds


def logit(odds: float) -> float:
    clipped = min(max(odds, 1e-6), 1 - 1e-6)
    return float(np.log(clipped / (1 - clipped)))
