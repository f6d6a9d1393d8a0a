"""Fit the calibration of the attribute networks, ``weights/attributes.json``.

    python -m tools.fit_attributes --data ../shared/data

This tool trains no network. It fits:
- emotions: a line through the log-odds per emotion, on FER2013's validation split;
- age range: the share of the distribution to cut off, by region of the scale, on the fifth of UTKFace that no
  training used;
- gender network: a line on all of LFW's labels;
- gender head: a slope on the people of LFW whose name has an even digest;
- glasses, beard, mustache open mouth and open eyes: a line on the people of LFW whose name has an even digest;
- sunglasses, covered mouth and covered face: a line on the same people, painted over by ``tools.painted_covers``.
``tests/benchmarks/attributes.py`` measures on the other people. About 5 minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.domain.log_odds import log_odds
from catalog.engines.local.attribute_values import EMOTION_CLIP, EMOTIONS, age_bounds, mean_age, softmax
from catalog.engines.local.attributes import COVERS, MARKS
from tools.attribute_data import DataSetOutputs, PhotoOutputs, even_person, run_all
from tools.manifest import WEIGHTS, write_manifest

PRESENCE = 0.5
GENDER_MARGIN = 3.5
"""Log-odds from which the gender head decides, chosen on LFW's even people: as many right as by the network alone."""
OUTSIDE = {"slope": 30.0, "shift": -4.5}
"""Share of a face's box outside the photo, from which the face counts as covered: 0.15. Chosen, not fitted."""
REGIONS = (0, 12, 20, 30, 45, 60, 120)
"""Borders of the regions of the mean age, in years, each with a tail of its own."""
COVERAGE = 0.85
"""Share of ages inside the range: above four in five, because people of UTKFace are in both of its parts, and so that
the least covered group comes near four in five."""


def fit_line(measured: NDArray[np.float64], truth: NDArray[np.bool_], ridge: float = 1e-3) -> dict[str, float]:
    """Return slope and shift of the log-odds of ``truth`` (Platt 1999), by Newton's method."""
    mean, spread = float(measured.mean()), float(measured.std()) + 1e-9
    inputs = np.stack([(measured - mean) / spread, np.ones(len(measured))], axis=1)
    # Platt's targets prevent an infinite slope on a perfectly separable sample.
    yes, no = int(truth.sum()), int((~truth).sum())
    targets = np.where(truth, (yes + 1) / (yes + 2), 1 / (no + 2))
    weights = np.zeros(2)
    for _ in range(50):
        odds = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (odds - targets) + ridge * weights
        curvature = (inputs * (odds * (1 - odds))[:, None]).T @ inputs + ridge * np.eye(2)
        weights = weights - np.linalg.solve(curvature, gradient)
    slope = float(weights[0]) / spread
    return {"slope": round(slope, 5), "shift": round(float(weights[1]) - slope * mean, 5)}


def fit_through(measured: NDArray[np.float64], truth: NDArray[np.bool_], rare: float = 1.0) -> dict[str, float]:
    """As :func:`fit_line`, but with even odds at the threshold with the fewest errors.

    A missed False counts ``rare`` times. A line fitted to log-odds depends on the extreme values; the threshold matters
    more.
    """
    edges = np.sort(measured)
    wrong = np.array([(measured[truth] < edge).sum() + rare * (measured[~truth] >= edge).sum() for edge in edges])
    edge = float(edges[wrong <= wrong.min() + 2].mean())
    slope = fit_line(measured, truth)["slope"]
    return {"slope": slope, "shift": round(-slope * edge, 5)}


def fit_tails(answers: NDArray[np.float32], ages: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return per region of the mean age its middle, and the largest tail with ``COVERAGE`` of the ages inside."""
    means = np.array([mean_age(answer) for answer in answers])
    tails = []
    for start, end in pairwise(REGIONS):
        chosen = (means >= start) & (means < end)
        tails.append(fit_tail(answers[chosen], ages[chosen]))
    return {
        "means": [(start + min(end, 85)) / 2 for start, end in pairwise(REGIONS)],
        "tails": tails,
    }


def fit_tail(answers: NDArray[np.float32], ages: NDArray[np.int64]) -> float:
    """Return the largest tail with ``COVERAGE`` of the ages inside the range of whole years."""
    low, high = 0.0, 0.4
    for _ in range(20):
        middle = (low + high) / 2
        bounds = np.round([age_bounds(answer, middle) for answer in answers])
        is_inside = (bounds[:, 0] <= ages) & (ages <= bounds[:, 1])
        low, high = (middle, high) if is_inside.mean() >= COVERAGE else (low, middle)
    return round(low, 4)


def fit(outputs: DataSetOutputs) -> dict[str, object]:
    numbers: dict[str, object] = {"mesh": {"presence": PRESENCE}}
    odds = softmax(outputs.emotions.emotions)
    numbers["emotions"] = {
        kind.value: fit_line(
            np.array([log_odds(v, EMOTION_CLIP) for v in odds[:, index]]), outputs.emotions.labels == index
        )
        for index, kind in enumerate(EMOTIONS)
    }
    numbers["age"] = fit_tails(outputs.ages.outputs, outputs.ages.ages)
    lfw = outputs.lfw
    fitting = np.array([even_person(photo) for photo in lfw.photos])
    is_labeled = lfw.genders != ""
    is_male = lfw.genders == "male"
    by_network = lfw.outputs.male_by_network.astype(np.float64)
    numbers["gender"] = fit_through(by_network[is_labeled], is_male[is_labeled])
    chosen = is_labeled & fitting
    slope = fit_line(lfw.outputs.male_by_head[chosen].astype(np.float64), is_male[chosen])["slope"]
    numbers["gender_head"] = {"slope": slope, "shift": 0.0, "margin": GENDER_MARGIN}
    for mark in (*MARKS, "mouth_open"):
        numbers[mark] = fit_mark(lfw, mark, fitting)
    # Closed eyes are rare.
    numbers["eyes_open"] = fit_mark(lfw, "eyes_open", fitting, partial(fit_through, rare=4.0))
    covers = outputs.covers
    even = np.array([even_person(photo) for photo in covers.photos])
    for index, cover in enumerate(COVERS.outputs):
        # Photos show bare faces far more often than the painted set does.
        how = partial(fit_through, rare=5.0) if cover == "face_covered" else fit_line
        numbers[cover] = how(covers.covers[even, index].astype(np.float64), covers.truth(cover)[even])
    numbers["outside"] = OUTSIDE
    return numbers


def fit_mark(
    lfw: PhotoOutputs, mark: str, chosen: NDArray[np.bool_], how: Callable[..., dict[str, float]] = fit_line
) -> dict[str, float]:
    truth, measured = lfw.labels_of(mark), lfw.measured(mark)
    is_labeled = chosen & np.isin(truth, ["0", "1"]) & ~np.isnan(measured)
    return how(measured[is_labeled], truth[is_labeled] == "1")


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the calibration of the attribute networks.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every so many of FER2013 and of LFW's photos")
    parser.add_argument("--keep", type=Path, help="a file to keep the networks' answers in, for the benchmark")
    arguments = parser.parse_args()
    numbers = fit(run_all(arguments.data, arguments.keep, arguments.every))
    (WEIGHTS / "attributes.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    write_manifest("attributes.json")
    print(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
