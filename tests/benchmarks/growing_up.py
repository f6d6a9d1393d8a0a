"""Similarity across the years: strangers of different ages, and one person at several ages.

    python -m tests.benchmarks.growing_up [--keep vectors.npz]

Strangers are pairs of UTKFace (../shared/data/ages), true ages, local engine. Half of the faces gives the odds per year
between the ages (``years_apart.py``), the other half shows the rates. Pairs above a cosine of 0.5 are taken for one
person. One person at several ages: ../shared/data/synthetic_people, apparent ages. Last, the order of questions: all
pairs of both sets that would be asked about, as if everyone were born in one year, so that births never conflict.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.domain.log_odds import similarity_odds
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.face_pipeline import FacePipeline
from catalog.engines.local.similarity import PLAIN
from catalog.identities.clustering.years_apart import odds_of_years
from tests.benchmarks.identities.measurements import shipped_rules
from tools.fit_common_component import read_faces

DATA = Path(__file__).parents[3] / "shared" / "data"
ONE_PERSON = 0.5
GAPS = ((0, 3), (3, 6), (6, 10), (10, 20), (20, 30), (30, 40), (40, 60))
MARGIN = 0.15
"""Questions reach this far below the linkage threshold, in cosine."""
FIRST = (10, 20, 40)
"""Lengths of the beginning of the order for which the share of yes is printed."""
Floats = NDArray[np.float32]
Values = NDArray[np.float64]


def read_synthetic() -> tuple[Floats, Values, NDArray[np.str_]]:
    """Vectors without common components, middles of the age ranges, and people of data/synthetic_people."""
    pipeline = FacePipeline()
    vectors, ages, people = [], [], []
    with (DATA / "synthetic_people" / "people.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        with Image.open(DATA / "synthetic_people" / "photos" / row["photo"]) as image:
            image.draft("RGB", (800, 800))
            pixels = np.ascontiguousarray(np.asarray(image.convert("RGB")))
        photo = OpenedPhoto(pixels, pixels.shape[1], pixels.shape[0], "JPEG")
        face = pipeline.find_faces(photo, with_attributes=True)[0]
        age = face.face.attributes.age_range
        assert age is not None
        vectors.append(pipeline.probes([face])[0])
        ages.append((age.low + age.high) / 2)
        people.append(row["person"])
    return np.stack(vectors), np.array(ages), np.array(people)


def pairs_of(vectors: Floats, ages: Values) -> tuple[Values, Values, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Cosine, and years between the ages, of every pair; and the indexes of both faces."""
    upper = np.triu_indices(len(ages), 1)
    return (vectors @ vectors.T)[upper].astype(np.float64), np.abs(ages[upper[0]] - ages[upper[1]]), upper


def report_strangers(vectors: Floats, ages: Values, fitting: NDArray[np.bool_]) -> None:
    for title, half in (("fitted on", fitting), ("measured on", ~fitting)):
        cosines, years, _ = pairs_of(vectors[half], ages[half])
        is_stranger = cosines < ONE_PERSON
        cosines, years = cosines[is_stranger], years[is_stranger]
        middles, odds = [], []
        for low, high in GAPS[1:-1]:
            chosen = (years >= low) & (years < high)
            middles.append(years[chosen].mean())
            odds.append(similarity_odds(float(PLAIN.similarity(np.quantile(cosines[chosen], 0.999)))))
        slope = np.polyfit(middles, odds, 1)[0]
        print(f"Strangers, {title} {half.sum()} faces: {slope:+.4f} log-odds per year at one pair in 1,000")
        for low, high in GAPS:
            chosen = (years >= low) & (years < high)
            similarity = PLAIN.similarity(cosines[chosen])
            shifted = np.array([odds_of_years(y) for y in years[chosen]]) + np.log(similarity / (100 - similarity))
            plain = (similarity >= 80).mean()
            print(
                f"  {low:>2} to {high} years apart: one in {1 / max(plain, 1e-9):7,.0f} reaches 80; with the years "
                f"counted one in {1 / max((shifted >= similarity_odds(80)).mean(), 1e-9):7,.0f}"
            )


def report_one_person(vectors: Floats, ages: Values, people: NDArray[np.str_]) -> None:
    cosines, years, (first, second) = pairs_of(vectors, ages)
    same = people[first] == people[second]
    print(f"One person at several ages, {len(set(people.tolist()))} synthetic people")
    for low, high in GAPS:
        chosen = same & (years >= low) & (years < high)
        if chosen.any():
            print(f"  {low:>2} to {high} years apart: mean cosine {cosines[chosen].mean():.3f} ({chosen.sum()} pairs)")


def report_order(vectors: Floats, ages: Values, people: NDArray[np.str_]) -> None:
    """Print the share of yes at the beginning of the questions, ordered with and without the years."""
    linkage = shipped_rules().mean_linkage
    cosines, years, (first, second) = pairs_of(vectors, ages)
    single = linkage.threshold + linkage.pair_penalty
    is_asked = (cosines >= linkage.threshold - MARGIN) & (cosines < single)
    cosines, years = cosines[is_asked], years[is_asked]
    is_yes = people[first[is_asked]] == people[second[is_asked]]
    plain = np.array([similarity_odds(float(PLAIN.similarity(c))) for c in cosines])
    counted = plain + np.array([odds_of_years(y) for y in years])
    print(f"Questions: {len(cosines):,}, of which {is_yes.sum()} are known to be one person")
    for title, worth in (("by similarity", plain), ("with the years", counted)):
        order = np.argsort(-worth, kind="stable")
        shares = ", ".join(f"{is_yes[order[:n]].sum()} of the first {n}" for n in FIRST)
        ranks = np.flatnonzero(is_yes[order]) + 1
        middle = f"{np.median(ranks):.0f}" if len(ranks) else "none"
        print(f"  {title}: {shares}; the middle one is number {middle}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="file for the vectors, read if it exists")
    keep: Path | None = parser.parse_args().keep
    if not (DATA / "ages").is_dir():
        sys.exit(print("../shared/data/ages does not exist: nothing was measured"))
    if keep is not None and keep.exists():
        with np.load(keep) as file:
            strangers, ages, synthetic, synthetic_ages, people = (file[f"arr_{n}"] for n in range(5))
    else:
        faces = read_faces(DATA)
        strangers = remove_common_components(faces.vectors["edge"])
        ages = faces.ages.astype(np.float64)
        synthetic, synthetic_ages, people = read_synthetic()
        if keep is not None:
            np.savez(keep, strangers, ages, synthetic, synthetic_ages, people)
    report_strangers(strangers, ages, np.random.default_rng(0).random(len(ages)) < 0.5)
    report_one_person(synthetic, synthetic_ages, people)
    unknown = np.array([f"utkface {n}" for n in range(len(ages))])
    report_order(
        np.concatenate([strangers, synthetic]),
        np.concatenate([ages, synthetic_ages]),
        np.concatenate([unknown, people]),
    )


if __name__ == "__main__":
    main()
