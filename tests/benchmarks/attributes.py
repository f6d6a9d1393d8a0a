"""How right the attributes are, and what they cost: ``python -m tests.benchmarks.attributes [--data ../shared/data]``.

Every figure is of the networks and the calibration as they ship. Nothing measured here was trained on; what calibration
was fitted on is told beside the figure: its people (LFW), its half (FER2013, UTKFace) or nothing.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.domain.faces import EmotionType
from catalog.engines.local.align import align_faces
from catalog.engines.local.attributes import (
    EMOTIONS,
    MARKS,
    AttributeReader,
    age_bounds,
    read_age,
    read_boolean,
    read_emotions,
    read_gender,
    softmax,
)
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.landmark_refinement import refine_landmarks
from tools.attribute_data import SeenAges, SeenExpressions, SeenPhotos, even_person, see_all
from tools.fit_attributes import fit_tail, fit_through

GENDERS = Path(__file__).with_name("lfw_genders.csv")
ETHNICITIES = {"0": "white", "1": "black", "2": "asian", "3": "indian", "4": "other"}


def emotions(seen: SeenExpressions) -> None:
    guessed = seen.emotions.argmax(axis=1)
    right = guessed == seen.labels
    print(f"Emotions, FER2013's validation split ({len(right)} faces): {100 * right.mean():.2f} % right")
    for place, kind in enumerate(EMOTIONS):
        of, said = seen.labels == place, guessed == place
        print(
            f"  {kind:<10} {of.sum():>4} faces, {100 * right[of].mean():.0f} % found, "
            f"{100 * right[said].mean():.0f} % of those said are"
        )
    felt = [read_emotions(answer) for answer in seen.emotions]
    confidences = np.array([[e.confidence for e in sorted(f, key=lambda e: EMOTIONS.index(e.type))] for f in felt])
    truth = np.arange(len(EMOTIONS)) == seen.labels[:, None]
    error = calibration_error(confidences.ravel() / 100, truth.ravel())
    print(f"  calibration error of the confidences: {error:.1f} points")


def calibration_error(odds: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Expected calibration error in percentage points, ten bins."""
    bins = np.minimum((odds * 10).astype(int), 9)
    gaps = [
        (bins == b).sum() * abs(odds[bins == b].mean() - truth[bins == b].mean())
        for b in range(10)
        if (bins == b).any()
    ]
    return float(100 * sum(gaps) / len(odds))


def ages(seen: SeenAges) -> None:
    means = softmax(seen.answers) @ np.arange(seen.answers.shape[1])
    errors = np.abs(means - seen.ages)
    adult = seen.ages >= 18
    print(
        f"Age, held-out fifth of data/ages ({len(errors)} faces): mean error of adults "
        f"{errors[adult].mean():.2f} years ({adult.sum()} faces), of all {errors.mean():.2f}"
    )
    for bar in (0.45, 0.6):
        apart = adult & (seen.likeness < bar)
        print(f"  adults, nobody of the training above cosine {bar}: {errors[apart].mean():.2f} ({apart.sum()})")
    for name in ("female", "male"):
        chosen = adult & (seen.genders == name)
        print(f"  adults, {name}: {errors[chosen].mean():.2f} ({chosen.sum()})")
    for code, name in ETHNICITIES.items():
        chosen = adult & (seen.ethnicities == code)
        print(f"  adults, {name}: {errors[chosen].mean():.2f} ({chosen.sum()})")
    ranges = [read_age(answer) for answer in seen.answers]
    report_ranges(
        "  range as shipped (its cut was fitted on these)", np.array([[r.low, r.high] for r in ranges]), seen.ages
    )
    # The honest figure: the cut fitted on one half, the ranges measured on the other, both ways.
    bounds = np.zeros((len(errors), 2))
    even = np.arange(len(errors)) % 2 == 0
    for half in (even, ~even):
        tail = fit_tail(seen.answers[~half], seen.ages[~half])
        bounds[half] = np.round([age_bounds(answer, tail) for answer in seen.answers[half]])
    report_ranges("  range, cut fitted on the other half", bounds, seen.ages)


def report_ranges(name: str, bounds: NDArray[np.float64], truth: NDArray[np.int64]) -> None:
    held = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
    width = bounds[:, 1] - bounds[:, 0]
    adult = truth >= 18
    print(
        f"{name}: holds {100 * held.mean():.1f} % of ages (adults {100 * held[adult].mean():.1f} %), "
        f"mean width {width.mean():.1f} years (adults {width[adult].mean():.1f})"
    )


def photos(lfw: SeenPhotos) -> None:
    other = ~np.array([even_person(photo) for photo in lfw.photos])
    report_gender(lfw)
    for mark in (*MARKS, "mouth_open"):
        report_mark(lfw, mark, other, "people that calibration was not fitted on")
    report_mark(lfw, "eyes_open", np.ones_like(other), "its threshold was fitted on these")
    smiles = lfw.labels_of("smile")
    known = np.isin(smiles, ["0", "1"])
    said = np.array([smiling(answer) for answer in lfw.answers.emotions[known]])
    report_yes_no("smile", said, smiles[known] == "1", "nothing was fitted on these")


def smiling(answer: NDArray[np.float32]) -> bool:
    return any(e.type is EmotionType.HAPPY and e.confidence >= 50 for e in read_emotions(answer))


def report_gender(lfw: SeenPhotos) -> None:
    """As shipped, and with the threshold fitted on one half of the people and measured on the other, both ways."""
    other = np.array([even_person(photo) for photo in lfw.photos])
    for labels, genders in (("as labeled", lfw.genders), ("12 public persons' labels put right", corrected(lfw))):
        known = genders != ""
        said = np.array([read_gender(float(answer)).value.value.lower() for answer in lfw.answers.male])
        right = said == genders
        women, men = (right[genders == name].mean() for name in ("female", "male"))
        print(
            f"Gender, LFW, {labels}, its threshold was fitted on these ({known.sum()} photos): "
            f"{100 * right[known].mean():.2f} % right (women {100 * women:.1f} %, men {100 * men:.1f} %)"
        )
        held = []
        for half in (other, ~other):
            fitted, rest = known & half, known & ~half
            line = fit_through(lfw.answers.male[fitted].astype(np.float64), genders[fitted] == "male")
            male = line["slope"] * lfw.answers.male[rest] + line["shift"] >= 0
            held.append(male == (genders[rest] == "male"))
        print(f"  threshold fitted on the other half of the people: {100 * np.concatenate(held).mean():.2f} % right")


def corrected(lfw: SeenPhotos) -> NDArray[np.str_]:
    """The genders with those put right that ``lfw_genders.csv`` lists: the labels were guessed from first names."""
    with GENDERS.open(encoding="utf-8", newline="") as file:
        known = {row["person"]: row["gender"] for row in csv.DictReader(file)}
    pairs = zip(lfw.photos, lfw.genders, strict=True)
    return np.array([known.get(photo.split("/")[0], gender) if gender else "" for photo, gender in pairs])


def report_mark(lfw: SeenPhotos, mark: str, chosen: NDArray[np.bool_], whom: str) -> None:
    truth, measured = lfw.labels_of(mark), lfw.measured(mark)
    known = chosen & np.isin(truth, ["0", "1"]) & ~np.isnan(measured)
    said = np.array([read_boolean(mark, float(value)).value for value in measured[known]])
    report_yes_no(mark, said, truth[known] == "1", whom)


def report_yes_no(mark: str, said: NDArray[np.bool_], truth: NDArray[np.bool_], whom: str) -> None:
    print(
        f"{mark}, LFW, {whom}: {100 * (said == truth).mean():.1f} % right; of {truth.sum()} with it "
        f"{100 * said[truth].mean():.0f} % found, "
        f"of {(~truth).sum()} without it {100 * said[~truth].mean():.0f} % said to have it"
    )


def family(data: Path) -> None:
    with Image.open(data / "seed" / "pic1.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    faces = detect_faces(pixels)
    placed, meshes = refine_landmarks(pixels, faces)
    aligned = align_faces(pixels, [face.landmarks for face in placed])
    embedded = embed_with_maps(aligned, mirrored=False)
    readings = AttributeReader().read(pixels, placed, meshes, embedded)
    first = [reading.attributes.emotions[0] for reading in readings]
    print(f"Seed pic1, {len(faces)} faces: " + ", ".join(f"{e.type} {e.confidence:.0f}" for e in first))
    started, rounds = time.process_time(), 5
    for _ in range(rounds):
        AttributeReader().read(pixels, placed, meshes, embedded)
    spent = (time.process_time() - started) / rounds / max(1, len(faces))
    print(f"Cost of all attributes, beyond the mesh and the embedding: {1000 * spent:.1f} ms of one core a face")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the attributes of the local engine.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--every", type=int, default=1, help="take every so many of FER2013 and of LFW's photos")
    parser.add_argument("--keep", type=Path, help="a file in which the networks' answers are kept")
    arguments = parser.parse_args()
    family(arguments.data)
    seen = see_all(arguments.data, arguments.keep, arguments.every)
    emotions(seen.emotions)
    ages(seen.ages)
    photos(seen.lfw)


if __name__ == "__main__":
    main()
