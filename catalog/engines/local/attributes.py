"""Face attributes: every member of Amazon's FaceDetail, and the landmarks.

A network or the face mesh measures each attribute, and :mod:`.attribute_values` turns the number into a confidence.
Where something covers a part of the face, what is read from this part has a low confidence. Where the mesh finds no
face, for example on a profile, landmarks follow from the detector's five points, and eyes and mouth have a low
confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import BooleanAttribute, EmotionType, EyeDirection, FaceAttributes, Pose
from catalog.engines.local.align import warp
from catalog.engines.local.attribute_values import (
    boolean,
    calibration,
    probability,
    read_age,
    read_boolean,
    read_emotions,
    read_gender,
    softmax,
)
from catalog.engines.local.detect import DetectedFace
from catalog.engines.local.embed import EmbeddedFaces
from catalog.engines.local.eyes import EyeReading, read_eyes
from catalog.engines.local.head_shape import place_landmarks
from catalog.engines.local.mesh import FaceMesh, upright_transform
from catalog.engines.local.networks import Network

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

COVERS = Network("covers.onnx", ("rows", "grid"), ("sunglasses", "mouth_covered", "face_covered"))
"""Heads on the embedding network's map means: log-odds of what covers the face (n, 1 each)."""

_CUT = 0.12
"""Share of the gender network's crop beyond the photo from which the head has a say, too."""

_UNTRUSTED = 0.4
"""Share to which eyes and mouth are believed where the mesh's probability of a face is 1 but not trusted."""

_DOUBTFUL_EMOTION = 0.6
"""Share of the likeliest emotion below which the mirror image is read, too: 36 % of FER2013's validation pictures."""

_DOUBTFUL_GENDER = 0.5
"""Distance of the gender network's log-odds from its line below which the mirror image is read, too: 5 % of the
network's faces in LFW, 11 % in UTKFace. Farther away the mirror image changed no answer there."""

_BATCH = 8
"""Faces per run: enough to share the cost of a call, few enough to bound memory."""


@dataclass(frozen=True, slots=True)
class AttributeReading:
    """The attributes of one face. ``landmarks`` are Amazon's 30 by name, x and y in pixels of the photo.

    If the mesh finds no face in the box, ``landmarks`` follow from the detector's five points, and ``pose`` is None.
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
    is_cut: NDArray[np.bool_]
    """The photo ends within the crop of the gender network."""
    ages: NDArray[np.float32]
    marks: NDArray[np.float32]
    covers: NDArray[np.float32]
    emotions: NDArray[np.float32]


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
            eyes = read_eyes(pixels, meshes[batch])
            readings += [
                _reading(face, mesh, eye_reading, outputs, row, _share_outside(pixels, face))
                for row, (face, mesh, eye_reading) in enumerate(zip(faces[batch], meshes[batch], eyes, strict=True))
            ]
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
    is_cut = np.zeros(len(faces), bool)
    is_open = np.abs(by_head) < (calibration()["gender_head"]["margin"] if gender_margin is None else gender_margin)
    if is_open.any():
        open_frames = [frame for frame, is_needed in zip(frames, is_open, strict=True) if is_needed]
        by_network[is_open] = male_log_odds(crop_faces(pixels, open_frames, *GENDER_CROP, is_extended=True))
        is_cut[is_open] = [is_crop_cut(pixels, frame) for frame in open_frames]
    covers = np.concatenate(COVERS.run(rows, grid), axis=1)
    return NetworkOutputs(by_head, by_network, is_cut, ages, np.concatenate(marks, axis=1), covers, emotions)


def emotion_log_odds(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return log-odds of the emotions, (n, 7). A doubtful face is averaged with its mirror image, which errs less."""
    (outputs,) = EMOTION.run(crops)
    is_doubtful = softmax(outputs).max(axis=1) < _DOUBTFUL_EMOTION
    if is_doubtful.any():
        mirrored = np.ascontiguousarray(crops[is_doubtful][:, :, ::-1])
        outputs[is_doubtful] = (outputs[is_doubtful] + EMOTION.run(mirrored)[0]) / 2
    return outputs


def male_log_odds(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return log-odds of male, (n,). A doubtful face is averaged with its mirror image, which errs less."""
    outputs = GENDER.run(crops)[0][:, 0]
    line = calibration()["gender"]
    is_doubtful = np.abs(outputs + line["shift"] / line["slope"]) < _DOUBTFUL_GENDER
    if is_doubtful.any():
        mirrored = np.ascontiguousarray(crops[is_doubtful][:, :, ::-1])
        outputs[is_doubtful] = (outputs[is_doubtful] + GENDER.run(mirrored)[0][:, 0]) / 2
    return outputs


def crop_faces(
    pixels: NDArray[np.uint8],
    frames: Sequence[NDArray[np.floating]],
    side: int,
    zoom: float,
    *,
    is_extended: bool = False,
) -> NDArray[np.uint8]:
    """Return upright crops, (n, side, side, 3). Beyond the photo they are black, or its border goes on."""
    transforms = (upright_transform(frame, side, zoom) for frame in frames)
    return np.stack([warp(pixels, transform, side, is_extended=is_extended) for transform in transforms])


def is_crop_cut(pixels: NDArray[np.uint8], frame: NDArray[np.floating]) -> bool:
    """Return True if more than ``_CUT`` of the gender network's crop lies beyond the photo."""
    side, zoom = GENDER_CROP
    back = np.linalg.inv(np.vstack([upright_transform(frame, side, zoom), [0, 0, 1]]))[:2]
    steps = (np.arange(8) + 0.5) * side / 8
    x, y = back[:, :2] @ np.stack(np.meshgrid(steps, steps)).reshape(2, -1) + back[:, 2:]
    is_inside = (x >= 0) & (y >= 0) & (x <= pixels.shape[1]) & (y <= pixels.shape[0])
    return bool(1 - is_inside.mean() > _CUT)


def _share_outside(pixels: NDArray[np.uint8], face: DetectedFace) -> float:
    """Return the share of the face's box that lies outside the photo, 0 to 1."""
    left, top, width, height = face.box
    inside_width = min(left + width, pixels.shape[1]) - max(left, 0)
    inside_height = min(top + height, pixels.shape[0]) - max(top, 0)
    return float(1 - max(inside_width, 0) * max(inside_height, 0) / max(width * height, 1e-9))


def _reading(
    face: DetectedFace,
    mesh: FaceMesh,
    eyes: EyeReading,
    outputs: NetworkOutputs,
    row: int,
    outside: float,
) -> AttributeReading:
    emotions = read_emotions(outputs.emotions[row])
    happy = next(emotion.confidence for emotion in emotions if emotion.type is EmotionType.HAPPY)
    covers = {
        name: probability(name, float(value)) for name, value in zip(COVERS.outputs, outputs.covers[row], strict=True)
    }
    is_trusted = trusted_mesh(mesh) is not None
    doubt = 0.0 if is_trusted else 1 - _UNTRUSTED * mesh.presence
    hidden_eyes = max(doubt, covers["sunglasses"])
    hidden_mouth = max(doubt, covers["mouth_covered"])
    eyes_open = read_boolean("eyes_open", eyes.is_open, hidden_eyes)
    marks = {
        name: read_boolean(name, float(outputs.marks[row, index]), _hidden_mark(name, covers))
        for index, name in enumerate(MARKS)
    }
    attributes = FaceAttributes(
        age_range=read_age(outputs.ages[row]),
        gender=read_gender(
            float(outputs.male_by_head[row]), float(outputs.male_by_network[row]), bool(outputs.is_cut[row])
        ),
        smile=boolean(happy / 100, covers["mouth_covered"]),
        eyeglasses=marks["eyeglasses"],
        sunglasses=boolean(covers["sunglasses"]),
        beard=marks["beard"],
        mustache=marks["mustache"],
        eyes_open=eyes_open,
        mouth_open=read_boolean("mouth_open", mesh.mouth_opening(), hidden_mouth),
        face_occluded=boolean(max(covers["face_covered"], probability("outside", outside))),
        eye_direction=_direction(eyes, eyes_open, hidden_eyes),
        emotions=emotions,
    )
    if not is_trusted:
        return AttributeReading(attributes, place_landmarks(face.landmarks))
    return AttributeReading(attributes, mesh.landmarks(), mesh.pose())


def _hidden_mark(name: str, covers: dict[str, float]) -> float:
    """Return the share to which covers hide the mark: sunglasses tell nothing of glasses, a mask hides a beard."""
    return covers["sunglasses"] if name == "eyeglasses" else covers["mouth_covered"]


def _direction(eyes: EyeReading, eyes_open: BooleanAttribute, hidden: float) -> EyeDirection:
    open_share = eyes_open.confidence / 100 if eyes_open.value else 1 - eyes_open.confidence / 100
    return EyeDirection(eyes.yaw, eyes.pitch, 100 * eyes.agreement * open_share * (1 - hidden))
