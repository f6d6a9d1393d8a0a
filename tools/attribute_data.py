"""What the shipped attribute networks say about the data sets: read by ``fit_attributes`` and by the benchmark.

FER2013 and UTKFace come as small crops and are laid upright as for training (``tools.prepare_crops``), but sampled as
the engine samples; LFW goes through the whole engine, from the photo. Of UTKFace, :func:`held_out` says which fifth no
training has seen; of LFW, :func:`even_person` which people calibration was fitted on.
"""

from __future__ import annotations

import csv
import hashlib
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.engines.local.align import align_faces, warp
from catalog.engines.local.attributes import (
    ATTRIBUTES,
    EMOTION,
    EMOTION_CROP,
    MARKS,
    NetworkOutputs,
    crop_faces,
    run_networks,
    trusted_mesh,
)
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.landmark_refinement import refine_landmarks
from tools.prepare_crops import alignment_of, find_frame, read_ages

LABELS = Path(__file__).parent.parent / "tests" / "benchmarks" / "lfw_labels.csv"
HELD_OUT_SEED = 20261122


def held_out(count: int) -> NDArray[np.bool_]:
    """Which rows of UTKFace's ``people.csv`` are kept from training: a fifth, by a fixed seed."""
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(HELD_OUT_SEED).permutation(count)[: count // 5]] = True
    return chosen


def even_person(photo: str) -> bool:
    """Whether calibration may be fitted on a photo of LFW: half of the people, by the digest of their name."""
    return hashlib.sha256(photo.split("/")[0].encode()).digest()[0] % 2 == 0


def join(parts: Iterable[NetworkOutputs]) -> NetworkOutputs:
    kept = list(parts)
    return NetworkOutputs(
        *(np.concatenate([getattr(part, name) for part in kept]) for name in ("male", "ages", "marks", "emotions"))
    )


@dataclass(frozen=True, slots=True, eq=False)
class SeenExpressions:
    emotions: NDArray[np.float32]
    labels: NDArray[np.int64]


def see_emotions(data: Path, every: int = 1) -> SeenExpressions:
    """FER2013's validation split, or every so many of it; labels in the order of ``EMOTIONS``."""
    fer = np.load(data / "emotions" / "fer2013.npz")
    answers = []
    for image in fer["validation_images"][::every]:
        pixels = np.repeat(image[:, :, None], 3, axis=2)
        answers.append(EMOTION.run(crop_faces(pixels, [find_frame(pixels)], *EMOTION_CROP))[0])
    return SeenExpressions(np.concatenate(answers), fer["validation_labels"][::every].astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class SeenAges:
    answers: NDArray[np.float32]
    ages: NDArray[np.int64]
    genders: NDArray[np.str_]
    ethnicities: NDArray[np.str_]
    likeness: NDArray[np.float32]
    """Cosine to the likest face in the training's part: many people of UTKFace are in it more than once."""


def see_ages(data: Path) -> SeenAges:
    """The held-out fifth of ``data/ages``."""
    people, images = read_ages(data)
    chosen = held_out(len(people))
    rows = [people[index] for index in np.flatnonzero(chosen)]
    embedded = embed_with_maps(np.stack([warp(image, alignment_of(image)) for image in images]), mirrored=False)
    return SeenAges(
        ATTRIBUTES.run(embedded.rows[chosen], embedded.grid[chosen])[0],
        np.array([int(row["age"]) for row in rows]),
        np.array([row["gender"] for row in rows]),
        np.array([row["ethnicity"] for row in rows]),
        (embedded.vectors[chosen] @ embedded.vectors[~chosen].T).max(axis=1),
    )


@dataclass(frozen=True, slots=True, eq=False)
class SeenPhotos:
    """One face of each photo, the one in its middle. Openings are NaN where there is no mesh."""

    photos: list[str]
    answers: NetworkOutputs
    eye_openings: NDArray[np.float64]
    mouth_openings: NDArray[np.float64]
    genders: NDArray[np.str_]
    labels: dict[str, dict[str, str]] = field(repr=False)

    def labels_of(self, mark: str) -> NDArray[np.str_]:
        """``1``, ``0``, ``?`` (cannot be told from the picture) or empty (not labeled), for each photo."""
        return np.array([self.labels.get(photo, {}).get(mark, "") for photo in self.photos])

    def measured(self, mark: str) -> NDArray[np.float64]:
        """The number that ``attributes.read_boolean`` is given for a mark."""
        if mark == "eyes_open":
            return self.eye_openings
        if mark == "mouth_open":
            return self.mouth_openings
        from_marks: NDArray[np.float64] = self.answers.marks[:, MARKS.index(mark)].astype(np.float64)
        return from_marks


@dataclass(frozen=True, slots=True, eq=False)
class SeenAll:
    emotions: SeenExpressions
    ages: SeenAges
    lfw: SeenPhotos


def see_all(data: Path, keep: Path | None, every: int) -> SeenAll:
    """Everything, or what an earlier call kept in ``keep`` (a pickle: only ever one's own)."""
    if keep is not None and keep.exists():
        seen: SeenAll = pickle.loads(keep.read_bytes())
        return seen
    seen = SeenAll(see_emotions(data, every), see_ages(data), see_lfw(data, every))
    if keep is not None:
        keep.write_bytes(pickle.dumps(seen))
    return seen


def read_labels() -> dict[str, dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return {row["photo"]: row for row in csv.DictReader(file)}


def see_lfw(data: Path, every: int = 1) -> SeenPhotos:
    """LFW's photos with a known gender (every so many of them) or with a label in ``lfw_labels.csv``."""
    labels = read_labels()
    with (data / "lfw" / "people.csv").open(encoding="utf-8", newline="") as file:
        people = [row for row in csv.DictReader(file) if row["gender"] or row["photo"] in labels]
    people = [row for place, row in enumerate(people) if place % every == 0 or row["photo"] in labels]
    answers, eyes, mouths, seen = [], [], [], []
    for row in people:
        with Image.open(data / "lfw" / "photos" / row["photo"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        face = middle_face(pixels)
        if face is None:
            continue
        (placed,), (located,) = refine_landmarks(pixels, [face])
        embedded = embed_with_maps(align_faces(pixels, [placed.landmarks]), mirrored=False)
        mesh = trusted_mesh(located)
        answers.append(run_networks(pixels, [placed], [mesh], embedded.rows, embedded.grid))
        eyes.append(mesh.eye_opening() if mesh else np.nan)
        mouths.append(mesh.mouth_opening() if mesh else np.nan)
        seen.append(row)
    return SeenPhotos(
        [row["photo"] for row in seen],
        join(answers),
        np.array(eyes),
        np.array(mouths),
        np.array([row["gender"] for row in seen]),
        labels,
    )


def middle_face(pixels: NDArray[np.uint8]) -> DetectedFace | None:
    """The face nearest to the middle of a photo."""
    middle = np.array(pixels.shape[1::-1]) / 2

    def off(face: DetectedFace) -> float:
        left, top, width, height = face.box
        return float(np.hypot(*(middle - [left + width / 2, top + height / 2])))

    return min(detect_faces(pixels), key=off, default=None)
