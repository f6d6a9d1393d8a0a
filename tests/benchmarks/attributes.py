"""Measure accuracy and cost of the attributes: ``python -m tests.benchmarks.attributes [--data ../shared/data]``.

Every figure is of the shipped networks and calibration. No measured photo was used in training. The output names the
data on which the calibration was fitted: people (LFW), a half (FER2013, UTKFace) or nothing.
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
from catalog.engines.local.attribute_values import (
    EMOTIONS,
    age_bounds,
    age_tail,
    calibration,
    read_age,
    read_boolean,
    read_emotions,
    read_gender,
    softmax,
)
from catalog.engines.local.attributes import COVERS, MARKS, AttributeReader
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.landmark_refinement import refine_landmarks
from tools.attribute_data import AgeOutputs, CoverOutputs, ExpressionOutputs, PhotoOutputs, even_person, run_all
from tools.fit_attributes import fit_tails
from tools.painted_covers import PAINTERS

GENDERS = Path(__file__).with_name("lfw_genders.csv")
ETHNICITIES = {"0": "white", "1": "black", "2": "asian", "3": "indian", "4": "other"}


def emotions(run: ExpressionOutputs) -> None:
    guessed = run.emotions.argmax(axis=1)
    right = guessed == run.labels
    print(f"Emotions, FER2013's validation split ({len(right)} faces): {100 * right.mean():.2f} % right")
    for index, kind in enumerate(EMOTIONS):
        is_kind, is_guess = run.labels == index, guessed == index
        print(
            f"  {kind:<10} {is_kind.sum():>4} faces, recall {100 * right[is_kind].mean():.0f} %, "
            f"precision {100 * right[is_guess].mean():.0f} %"
        )
    readings = [{emotion.type: emotion.confidence for emotion in read_emotions(output)} for output in run.emotions]
    confidences = np.array([[reading[kind] for kind in EMOTIONS] for reading in readings])
    truth = np.arange(len(EMOTIONS)) == run.labels[:, None]
    error = calibration_error(confidences.ravel() / 100, truth.ravel())
    print(f"  calibration error of the confidences: {error:.1f} points")


def calibration_error(odds: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the expected calibration error in percentage points, ten bins."""
    bins = np.minimum((odds * 10).astype(int), 9)
    gaps = [
        (bins == b).sum() * abs(odds[bins == b].mean() - truth[bins == b].mean())
        for b in range(10)
        if (bins == b).any()
    ]
    return float(100 * sum(gaps) / len(odds))


def ages(run: AgeOutputs) -> None:
    means = softmax(run.outputs) @ np.arange(run.outputs.shape[1])
    errors = np.abs(means - run.ages)
    adult = run.ages >= 18
    print(
        f"Age, held-out fifth of data/ages ({len(errors) // 2} faces, each with two fillings): mean error of adults "
        f"{errors[adult].mean():.2f} years ({adult.sum()} faces), of all {errors.mean():.2f}"
    )
    for cosine in (0.45, 0.6):
        is_new = adult & (run.nearest_cosines < cosine)
        print(f"  adults, no training face above cosine {cosine}: {errors[is_new].mean():.2f} ({is_new.sum()})")
    for name in ("female", "male"):
        chosen = adult & (run.genders == name)
        print(f"  adults, {name}: {errors[chosen].mean():.2f} ({chosen.sum()})")
    for code, name in ETHNICITIES.items():
        chosen = adult & (run.ethnicities == code)
        print(f"  adults, {name}: {errors[chosen].mean():.2f} ({chosen.sum()})")
    ranges = [read_age(output) for output in run.outputs]
    report_ranges(
        "  range as shipped (its cut was fitted on these)", np.array([[r.low, r.high] for r in ranges]), run.ages
    )
    for low, high in ((0, 11), (12, 17), (18, 25), (26, 35), (36, 45), (46, 55), (56, 65), (66, 120)):
        chosen = (run.ages >= low) & (run.ages <= high)
        print(f"  {low} to {high} years: too old by {(means - run.ages)[chosen].mean():+.2f} years ({chosen.sum()})")
    # The cut is fitted on one half and measured on the other half, both ways.
    bounds = np.zeros((len(errors), 2))
    even = np.arange(len(errors)) % 2 == 0
    for half in (even, ~even):
        tails = fit_tails(run.outputs[~half], run.ages[~half])
        bounds[half] = np.round(
            [age_bounds(output, age_tail(output, tails["means"], tails["tails"])) for output in run.outputs[half]]
        )
    report_ranges("  range, cuts fitted on the other half", bounds, run.ages)
    is_inside = (bounds[:, 0] <= run.ages) & (run.ages <= bounds[:, 1])
    for code, name in ETHNICITIES.items():
        chosen = adult & (run.ethnicities == code)
        print(f"    of adults, {name}: {100 * is_inside[chosen].mean():.1f} % ({chosen.sum()})")


def report_ranges(name: str, bounds: NDArray[np.float64], truth: NDArray[np.int64]) -> None:
    is_inside = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
    width = bounds[:, 1] - bounds[:, 0]
    adult = truth >= 18
    print(
        f"{name}: holds {100 * is_inside.mean():.1f} % of ages (adults {100 * is_inside[adult].mean():.1f} %), "
        f"mean width {width.mean():.1f} years (adults {width[adult].mean():.1f})"
    )


def photos(lfw: PhotoOutputs) -> None:
    measured_people = ~np.array([even_person(photo) for photo in lfw.photos])
    report_gender(lfw)
    for mark in (*MARKS, "mouth_open", "eyes_open"):
        report_mark(lfw, mark, measured_people, "calibration was fitted on other people")
    smiles = lfw.labels_of("smile")
    is_labeled = np.isin(smiles, ["0", "1"])
    guesses = np.array([is_smiling(output) for output in lfw.outputs.emotions[is_labeled]])
    report_yes_no("smile", guesses, smiles[is_labeled] == "1", "nothing was fitted on these")


def is_smiling(output: NDArray[np.float32]) -> bool:
    return any(e.type is EmotionType.HAPPY and e.confidence >= 50 for e in read_emotions(output))


def report_gender(lfw: PhotoOutputs) -> None:
    """Print the accuracy as shipped, on the even people (the margin was chosen on them) and on the odd people."""
    is_even = np.array([even_person(photo) for photo in lfw.photos])
    margin = calibration()["gender_head"]["margin"]
    is_open = np.abs(lfw.outputs.male_by_head) < margin
    by_network = np.where(is_open, lfw.outputs.male_by_network, np.nan)
    guesses = np.array(
        [
            read_gender(float(head), float(network), bool(is_cut)).value.value.lower()
            for head, network, is_cut in zip(lfw.outputs.male_by_head, by_network, lfw.outputs.is_cut, strict=True)
        ]
    )
    for labels, genders in (("as labeled", lfw.genders), ("12 public persons' labels corrected", corrected(lfw))):
        for half, chosen in (("even people", is_even), ("odd people", ~is_even)):
            is_labeled = (genders != "") & chosen
            right = guesses == genders
            women, men = (right[is_labeled & (genders == name)].mean() for name in ("female", "male"))
            print(
                f"Gender, LFW, {labels}, {half} ({is_labeled.sum()} photos): "
                f"{100 * right[is_labeled].mean():.2f} % right "
                f"(women {100 * women:.1f} %, men {100 * men:.1f} %), decided by the head "
                f"{100 * (~is_open)[is_labeled].mean():.0f} %"
            )


def corrected(lfw: PhotoOutputs) -> NDArray[np.str_]:
    """Return the genders with the corrections of ``lfw_genders.csv``: the labels are guesses from first names."""
    with GENDERS.open(encoding="utf-8", newline="") as file:
        corrections = {row["person"]: row["gender"] for row in csv.DictReader(file)}
    pairs = zip(lfw.photos, lfw.genders, strict=True)
    return np.array([corrections.get(photo.split("/")[0], gender) if gender else "" for photo, gender in pairs])


def report_mark(lfw: PhotoOutputs, mark: str, chosen: NDArray[np.bool_], fitted_on: str) -> None:
    truth, measured = lfw.labels_of(mark), lfw.measured(mark)
    is_labeled = chosen & np.isin(truth, ["0", "1"]) & ~np.isnan(measured)
    guesses = np.array([read_boolean(mark, float(value)).value for value in measured[is_labeled]])
    report_yes_no(mark, guesses, truth[is_labeled] == "1", fitted_on)


def report_yes_no(mark: str, guesses: NDArray[np.bool_], truth: NDArray[np.bool_], fitted_on: str) -> None:
    print(
        f"{mark}, LFW, {fitted_on}: {100 * (guesses == truth).mean():.1f} % right; of {truth.sum()} with it "
        f"{100 * guesses[truth].mean():.0f} % found, "
        f"of {(~truth).sum()} without it {100 * guesses[~truth].mean():.0f} % false"
    )


def covers(run: CoverOutputs) -> None:
    """Print painted covers, on people whose photos the calibration was not fitted on."""
    chosen = np.array([not even_person(photo) for photo in run.photos])
    for index, cover in enumerate(COVERS.outputs):
        values = [read_boolean(cover, float(value)) for value in run.covers[chosen, index]]
        guesses, truth = np.array([value.value for value in values]), run.truth(cover)[chosen]
        report_yes_no(cover, guesses, truth, "painted, calibration was fitted on other people")
        odds = np.array([(v.confidence if v.value else 100 - v.confidence) / 100 for v in values])
        print(f"  calibration error {calibration_error(odds, truth):.1f} points; found by kind: ", end="")
        kinds = run.kinds[chosen]
        print(", ".join(f"{kind} {100 * guesses[kinds == kind].mean():.0f} %" for kind in PAINTERS))


def family(data: Path) -> None:
    with Image.open(data / "seed" / "pic1.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    faces = detect_faces(pixels)
    refined, meshes = refine_landmarks(pixels, faces)
    aligned = align_faces(pixels, [face.landmarks for face in refined])
    embedded = embed_with_maps(aligned, mirrored=False)
    readings = AttributeReader().read(pixels, refined, meshes, embedded)
    first = [reading.attributes.emotions[0] for reading in readings]
    print(f"Seed pic1, {len(faces)} faces: " + ", ".join(f"{e.type} {e.confidence:.0f}" for e in first))
    started, rounds = time.process_time(), 5
    for _ in range(rounds):
        AttributeReader().read(pixels, refined, meshes, embedded)
    seconds = (time.process_time() - started) / rounds / max(1, len(faces))
    print(f"Cost of all attributes, beyond the mesh and the embedding: {1000 * seconds:.1f} ms of one core a face")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the attributes of the local engine.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--every", type=int, default=1, help="use every n-th of FER2013's and LFW's photos")
    parser.add_argument("--keep", type=Path, help="file for the networks' outputs, read if it exists")
    arguments = parser.parse_args()
    family(arguments.data)
    outputs = run_all(arguments.data, arguments.keep, arguments.every)
    emotions(outputs.emotions)
    ages(outputs.ages)
    photos(outputs.lfw)
    covers(outputs.covers)


if __name__ == "__main__":
    main()
