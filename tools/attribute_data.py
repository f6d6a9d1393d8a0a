"""Outputs of the shipped attribute networks on the data sets, for ``fit_attributes`` and for the benchmark.

FER2013 and UTKFace are small crops. They are aligned as for training (``tools.prepare_crops``) and sampled as the
engine samples. LFW's photos go through the whole engine. :func:`held_out` selects the fifth of UTKFace that no training
used; :func:`even_person` selects the people of LFW that calibration is fitted on.
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
    COVERS,
    EMOTION_CROP,
    MARKS,
    NetworkOutputs,
    crop_faces,
    emotion_log_odds,
    run_networks,
    trusted_mesh,
)
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.eyes import read_eyes
from catalog.engines.local.landmark_refinement import refine_landmarks
from tools.painted_covers import COVERED, PAINTERS, is_mouth_painted, paint
from tools.prepare_crops import alignment_of, find_frame, read_ages

LABELS = Path(__file__).parent.parent / "tests" / "benchmarks" / "lfw_labels.csv"
HELD_OUT_SEED = 20261122
PAINTED_PEOPLE = 130
_OUTPUTS = ("male_by_head", "male_by_network", "is_cut", "ages", "marks", "covers", "emotions")


def held_out(count: int) -> NDArray[np.bool_]:
    """Select the rows of UTKFace's ``people.csv`` that are kept from training: a fifth, by a fixed seed."""
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(HELD_OUT_SEED).permutation(count)[: count // 5]] = True
    return chosen


def even_person(photo: str) -> bool:
    """Return True if calibration may use a photo of LFW: half of the people, by the digest of the name."""
    return hashlib.sha256(photo.split("/")[0].encode()).digest()[0] % 2 == 0


def join(outputs: Iterable[NetworkOutputs]) -> NetworkOutputs:
    batches = list(outputs)
    return NetworkOutputs(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in _OUTPUTS))


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionOutputs:
    emotions: NDArray[np.float32]
    labels: NDArray[np.int64]


def run_emotions(data: Path, every: int = 1) -> ExpressionOutputs:
    """Run FER2013's validation split, or every ``every``-th picture; labels in the order of ``EMOTIONS``."""
    fer = np.load(data / "emotions" / "fer2013.npz")
    outputs = []
    for image in fer["validation_images"][::every]:
        pixels = np.repeat(image[:, :, None], 3, axis=2)
        outputs.append(emotion_log_odds(crop_faces(pixels, [find_frame(pixels)], *EMOTION_CROP)))
    return ExpressionOutputs(np.concatenate(outputs), fer["validation_labels"][::every].astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class AgeOutputs:
    """Every face twice, with both fillings beyond the picture."""

    outputs: NDArray[np.float32]
    ages: NDArray[np.int64]
    genders: NDArray[np.str_]
    ethnicities: NDArray[np.str_]
    nearest_cosines: NDArray[np.float32]
    """Cosine to the nearest face of the training part: many people of UTKFace are in it more than once."""


def run_ages(data: Path) -> AgeOutputs:
    """Run the held-out fifth of ``data/ages``, with black and then with the extended border beyond the pictures."""
    people, images = read_ages(data)
    chosen = held_out(len(people))
    rows = [people[index] for index in np.flatnonzero(chosen)]
    transforms = [alignment_of(image) for image in images]
    outputs, nearest = [], []
    for is_extended in (False, True):
        aligned = [warp(image, turn, is_extended=is_extended) for image, turn in zip(images, transforms, strict=True)]
        embedded = embed_with_maps(np.stack(aligned), mirrored=False)
        outputs.append(ATTRIBUTES.run(embedded.rows[chosen], embedded.grid[chosen])[0])
        nearest.append((embedded.vectors[chosen] @ embedded.vectors[~chosen].T).max(axis=1))
    return AgeOutputs(
        np.concatenate(outputs),
        np.array([int(row["age"]) for row in rows] * 2),
        np.array([row["gender"] for row in rows] * 2),
        np.array([row["ethnicity"] for row in rows] * 2),
        np.concatenate(nearest),
    )


@dataclass(frozen=True, slots=True, eq=False)
class PhotoOutputs:
    """One face per photo, the face nearest to the middle. Eyes and mouths are NaN for a face without a mesh."""

    photos: list[str]
    outputs: NetworkOutputs
    eyes_open: NDArray[np.float64]
    """Log-odds of open eyes."""
    mouth_openings: NDArray[np.float64]
    genders: NDArray[np.str_]
    labels: dict[str, dict[str, str]] = field(repr=False)

    def labels_of(self, mark: str) -> NDArray[np.str_]:
        """Return ``1``, ``0``, ``?`` (the picture does not show it) or empty (not labeled) for every photo."""
        return np.array([self.labels.get(photo, {}).get(mark, "") for photo in self.photos])

    def measured(self, mark: str) -> NDArray[np.float64]:
        """Return the argument of ``attributes.read_boolean`` for a mark."""
        if mark == "eyes_open":
            return self.eyes_open
        if mark == "mouth_open":
            return self.mouth_openings
        from_marks: NDArray[np.float64] = self.outputs.marks[:, MARKS.index(mark)].astype(np.float64)
        return from_marks


@dataclass(frozen=True, slots=True, eq=False)
class DataSetOutputs:
    emotions: ExpressionOutputs
    ages: AgeOutputs
    lfw: PhotoOutputs
    covers: CoverOutputs


def run_all(data: Path, keep: Path | None, every: int) -> DataSetOutputs:
    """Run all data sets, or read the pickle that an earlier call wrote to ``keep``. Read only your own pickles."""
    if keep is not None and keep.exists():
        outputs: DataSetOutputs = pickle.loads(keep.read_bytes())
        return outputs
    outputs = DataSetOutputs(
        run_emotions(data, every), run_ages(data), run_lfw(data, every), run_covers(data, PAINTED_PEOPLE // every)
    )
    if keep is not None:
        keep.write_bytes(pickle.dumps(outputs))
    return outputs


@dataclass(frozen=True, slots=True, eq=False)
class CoverOutputs:
    """Painted photos of LFW: one person in every kind of ``PAINTERS``."""

    photos: list[str]
    kinds: NDArray[np.str_]
    mouth_covered: NDArray[np.bool_]
    covers: NDArray[np.float32]
    """Log-odds of ``COVERS``, (n, 3)."""

    def truth(self, cover: str) -> NDArray[np.bool_]:
        if cover == "mouth_covered":
            return self.mouth_covered
        return self.kinds == "sunglasses" if cover == "sunglasses" else np.isin(self.kinds, COVERED)


def run_covers(data: Path, people: int) -> CoverOutputs:
    """Paint the first photo of ``people`` people of LFW in every kind, and run the engine on the painted photos."""
    with (data / "lfw" / "people.csv").open(encoding="utf-8", newline="") as file:
        first = list({row["person"]: row["photo"] for row in csv.DictReader(file)}.values())
    rng = np.random.default_rng(HELD_OUT_SEED)
    photos, kinds, mouths, covers = [], [], [], []
    for index in rng.permutation(len(first))[:people].tolist():
        with Image.open(data / "lfw" / "photos" / first[index]) as image:
            pixels = np.asarray(image.convert("RGB"))
        face = middle_face(pixels)
        if face is None:
            continue
        _, (mesh,) = refine_landmarks(pixels, [face])
        for kind in PAINTERS:
            painted = paint(pixels, mesh.points, kind, rng)
            # If the detector loses a painted face, the face of the bare photo is used.
            (refined,), _ = refine_landmarks(painted, [middle_face(painted) or face])
            embedded = embed_with_maps(align_faces(painted, [refined.landmarks]), mirrored=False)
            covers.append(np.concatenate(COVERS.run(embedded.rows, embedded.grid), axis=1)[0])
            photos.append(first[index])
            kinds.append(kind)
            mouths.append(kind in COVERED and is_mouth_painted(pixels, painted, mesh.points))
    return CoverOutputs(photos, np.array(kinds), np.array(mouths), np.stack(covers))


def read_labels() -> dict[str, dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return {row["photo"]: row for row in csv.DictReader(file)}


def run_lfw(data: Path, every: int = 1) -> PhotoOutputs:
    """Run LFW's photos with a known gender (every ``every``-th) or with a label in ``lfw_labels.csv``."""
    labels = read_labels()
    with (data / "lfw" / "people.csv").open(encoding="utf-8", newline="") as file:
        people = [row for row in csv.DictReader(file) if row["gender"] or row["photo"] in labels]
    people = [row for index, row in enumerate(people) if index % every == 0 or row["photo"] in labels]
    outputs, eyes, mouths, rows = [], [], [], []
    for row in people:
        with Image.open(data / "lfw" / "photos" / row["photo"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        face = middle_face(pixels)
        if face is None:
            continue
        (refined,), (located,) = refine_landmarks(pixels, [face])
        embedded = embed_with_maps(align_faces(pixels, [refined.landmarks]), mirrored=False)
        mesh = trusted_mesh(located)
        outputs.append(run_networks(pixels, [refined], [mesh], embedded.rows, embedded.grid, gender_margin=np.inf))
        eyes.append(read_eyes(pixels, [mesh])[0].is_open if mesh else np.nan)
        mouths.append(mesh.mouth_opening() if mesh else np.nan)
        rows.append(row)
    return PhotoOutputs(
        [row["photo"] for row in rows],
        join(outputs),
        np.array(eyes),
        np.array(mouths),
        np.array([row["gender"] for row in rows]),
        labels,
    )


def middle_face(pixels: NDArray[np.uint8]) -> DetectedFace | None:
    """Return the face nearest to the middle of a photo, or None if there is no face."""
    middle = np.array(pixels.shape[1::-1]) / 2

    def distance(face: DetectedFace) -> float:
        left, top, width, height = face.box
        return float(np.hypot(*(middle - [left + width / 2, top + height / 2])))

    return min(detect_faces(pixels), key=distance, default=None)
