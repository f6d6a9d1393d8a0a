"""Fit the common components that are removed before faces are compared, ``weights/common_looks.json``.

    python -m tools.fit_common_component --data ../shared/data
A component is the mean of the shipped network's vectors over a group of UTKFace's people. A group is listed if its
different people match much more often than LFW's adults (``python -m tests.benchmarks.strangers`` prints how often);
adults are listed because all faces have some of their mean. A mean is over hundreds of faces, so no single vector is
stored.

UTKFace's pictures end at chin and brow, but the network's crop is larger. The filling changes the vectors: black, the
border extended, or the picture mirrored. Photos show other pixels there, so the components are means over all three
fillings. About three minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.align import warp
from catalog.engines.local.embed import embed_faces
from tools.manifest import WEIGHTS, write_manifest
from tools.prepare_crops import alignment_of, read_ages

FILE = "common_looks.json"
FILLINGS: dict[str, Literal["constant", "edge", "reflect"]] = {
    "black": "constant",
    "border": "edge",
    "mirror": "reflect",
}
"""Filling beyond a picture, and numpy's name for it."""
_MARGIN = 56
_ASIAN, _INDIAN = "2", "3"
_OLD = 70
_REMOVED_SHARES = {"women labeled Asian, 18 to 69": 0.7, "women from 70 years": 0.3}
"""The means that are removed in part. Removed as a whole, they would cost more true matches of LFW (MODELS.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFaces:
    """UTKFace's faces: unit vectors (n, 128) per filling of ``FILLINGS``, and the labels of the data set."""

    vectors: dict[str, NDArray[np.float32]]
    ages: NDArray[np.int64]
    genders: NDArray[np.str_]
    ethnicities: NDArray[np.str_]

    def only(self, chosen: NDArray[np.bool_]) -> LabeledFaces:
        vectors = {filling: rows[chosen] for filling, rows in self.vectors.items()}
        return LabeledFaces(vectors, self.ages[chosen], self.genders[chosen], self.ethnicities[chosen])


def read_faces(data: Path) -> LabeledFaces:
    people, images = read_ages(data)
    turns = [alignment_of(image) for image in images]
    return LabeledFaces(
        {filling: _embedded(images, turns, filling) for filling in FILLINGS},
        np.array([int(row["age"]) for row in people]),
        np.array([row["gender"] for row in people]),
        np.array([row["ethnicity"] for row in people]),
    )


def _embedded(
    images: Iterable[NDArray[np.uint8]], turns: Sequence[NDArray[np.float64]], filling: str
) -> NDArray[np.float32]:
    aligned = []
    for image, turn in zip(images, turns, strict=True):
        wider = np.pad(image, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode=FILLINGS[filling])
        moved = turn.copy()
        moved[:, 2] -= turn[:, :2] @ (_MARGIN, _MARGIN)
        aligned.append(warp(wider, moved))
    return embed_faces(np.stack(aligned), mirrored=False)


def removed_share(kind: str) -> float:
    """Return the share of a mean that is removed, 0 to 1."""
    return _REMOVED_SHARES.get(kind, 1.0)


def mean_vectors(faces: LabeledFaces) -> dict[str, list[float]]:
    """Return the mean vector of every group. The shorter a mean, the less its faces share.

    The means that are removed in part are last.
    """
    is_woman = faces.genders == "female"
    kinds = {
        "children up to 3 years": faces.ages <= 3,
        "children of 4 to 11 years": (faces.ages >= 4) & (faces.ages <= 11),
        "adults": faces.ages >= 18,
        "adults labeled Indian": (faces.ages >= 18) & (faces.ethnicities == _INDIAN),
        "women labeled Asian, 18 to 69": (faces.ages >= 18)
        & (faces.ages < _OLD)
        & is_woman
        & (faces.ethnicities == _ASIAN),
        "women from 70 years": (faces.ages >= _OLD) & is_woman,
    }
    every = np.mean(list(faces.vectors.values()), axis=0)
    return {kind: [round(float(v), 6) for v in every[chosen].mean(axis=0)] for kind, chosen in kinds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the common components of face vectors.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ages/")
    means = mean_vectors(read_faces(parser.parse_args().data))
    components = {kind: {"share": removed_share(kind), "mean": mean} for kind, mean in means.items()}
    lines = (f"  {json.dumps(kind)}: {json.dumps(component)}" for kind, component in components.items())
    (WEIGHTS / FILE).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    write_manifest(FILE)
    for kind, mean in means.items():
        print(f"{kind}: mean cosine of two faces about {np.square(mean).sum():.3f}")


if __name__ == "__main__":
    main()
