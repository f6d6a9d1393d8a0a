"""Verification on LFW: true matches accepted, and false matches of different people.

    python -m tests.benchmarks.verification [--keep vectors.npz]

Measured on ../shared/data/lfw (5,073 photos of 1,640 people): true matches accepted at one false match in 1,000, 10,000
and 100,000 over all 12.9 million pairs; the rates of the shipped curve at similarity 80 and 99; a curve fitted on one
half of the people and measured on the other half; and the accuracy on ``pairs.csv`` at similarity 80.
"""

from __future__ import annotations

import argparse
import csv
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.engines.local.align import align_faces
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_faces
from catalog.engines.local.landmark_refinement import refine_landmarks
from catalog.engines.local.similarity import MIRRORED, PLAIN

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw"
Floats = NDArray[np.float32]


def embed_photo(photo: str) -> NDArray[np.float32]:
    """Return plain and mirrored vector of the face nearest to the middle, (2, 128); NaN if there is no face."""
    with Image.open(LFW / "photos" / photo) as image:
        pixels = np.asarray(image.convert("RGB"))
    faces = detect_faces(pixels)
    if not faces:
        return np.full((2, 128), np.nan, np.float32)
    middle = np.array([pixels.shape[1], pixels.shape[0]]) / 2
    distances = [np.abs(np.array(f.box[:2]) + np.array(f.box[2:]) / 2 - middle).sum() for f in faces]
    refined, _ = refine_landmarks(pixels, [faces[int(np.argmin(distances))]])
    aligned = align_faces(pixels, [refined[0].landmarks])
    return np.concatenate([embed_faces(aligned, mirrored=mirrored) for mirrored in (False, True)])


def all_pairs(vectors: Floats, people: NDArray[np.int64]) -> tuple[Floats, Floats, int]:
    """Return the cosines of all pairs of one person, the cosines above 0.2 of all other pairs, and their number."""
    genuine, strangers, count = [], [], 0
    for start in range(0, len(vectors), 512):
        cosines = vectors[start : start + 512] @ vectors[start:].T
        later = np.triu(np.ones(cosines.shape, bool), 1)
        is_same = people[start : start + 512, None] == people[None, start:]
        genuine.append(cosines[is_same & later])
        different = cosines[~is_same & later]
        count += len(different)
        strangers.append(different[different > 0.2])
    return np.concatenate(genuine), np.sort(np.concatenate(strangers))[::-1], count


def report(title: str, vectors: Floats, people: NDArray[np.int64]) -> tuple[float, float]:
    genuine, strangers, count = all_pairs(vectors, people)
    print(f"{title}: {len(genuine):,} pairs of one person, {count:,} of different people")
    thresholds = []
    for one_in in (1_000, 10_000, 100_000):
        threshold = float(strangers[count // one_in])
        accepted = 100 * (genuine >= threshold).mean()
        print(f"  accepted at one false match in {one_in:>7,}: {accepted:.3f} %  (cosine {threshold:.4f})")
        thresholds.append(threshold)
    return thresholds[0], thresholds[2]


def measure_curve(title: str, low: float, high: float, vectors: Floats, people: NDArray[np.int64]) -> None:
    genuine, strangers, count = all_pairs(vectors, people)
    for name, threshold in (("80", low), ("99", high)):
        rate = float((strangers >= threshold).sum()) / count
        accepted = 100 * (genuine >= threshold).mean()
        print(f"  {title}, similarity {name}: one false match in {1 / max(rate, 1e-9):,.0f}, accepts {accepted:.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="read vectors from this file, or write them there")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with (LFW / "people.csv").open() as file:
        rows = list(csv.DictReader(file))
    if arguments.keep and arguments.keep.exists():
        vectors = np.load(arguments.keep)["vectors"]
    else:
        started = time.perf_counter()
        with ProcessPoolExecutor(arguments.workers) as pool:
            vectors = np.stack(list(pool.map(embed_photo, [row["photo"] for row in rows], chunksize=50)))
        print(f"{len(rows)} photos embedded both ways in {time.perf_counter() - started:.0f} s")
        if arguments.keep:
            np.savez(arguments.keep, vectors=vectors)
    has_face = ~np.isnan(vectors[:, 0, 0])
    print(f"photos without a face: {(~has_face).sum()}")
    people = np.unique([row["person"] for row in rows], return_inverse=True)[1]
    half = np.random.default_rng(0).permutation(people.max() + 1) < (people.max() + 1) // 2
    for column, (title, curve) in enumerate((("one view", PLAIN), ("mirrored average", MIRRORED))):
        plain, persons = vectors[has_face, column], people[has_face]
        report(f"{title}, the network's own vectors", plain, persons)
        vectors = remove_common_components(plain)
        report(title, vectors, persons)
        measure_curve("shipped curve", curve.cosine_80, curve.cosine_99, vectors, persons)
        fitting = half[persons]
        low, high = report("  fitted on half of the people", vectors[fitting], persons[fitting])
        measure_curve("the fitted curve on the other half", low, high, vectors[~fitting], persons[~fitting])
        photos = [row["photo"] for row, is_present in zip(rows, has_face, strict=True) if is_present]
        report_pairs(dict(zip(photos, vectors, strict=True)), curve.cosine_80)


def report_pairs(vectors: dict[str, Floats], threshold: float) -> None:
    with (LFW / "pairs.csv").open() as file:
        pairs = list(csv.DictReader(file))
    is_same = np.array([pair["same_person"] == "1" for pair in pairs])
    cosines = np.array([float(vectors[pair["photo_a"]] @ vectors[pair["photo_b"]]) for pair in pairs])
    is_match = cosines >= threshold
    print(
        f"  pairs.csv at 80: {100 * (is_match == is_same).mean():.2f} % right; "
        f"{(~is_match & is_same).sum()} of {is_same.sum()} missed, "
        f"{(is_match & ~is_same).sum()} of {(~is_same).sum()} false"
    )


if __name__ == "__main__":
    main()
