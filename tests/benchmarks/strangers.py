"""Strangers who pass for one person: how often, by age and by what UTKFace calls ethnicity.

    python -m tests.benchmarks.strangers

The bars, 80 and 99, are those that one in 1,000 and in 100,000 pairs of LFW's strangers pass. Measured on half of
``../shared/data/ages``, once with the network's own vectors and once without what many faces have in common, fitted on
the other half; for each way to fill what lies beyond its pictures (fit_common_component says why). UTKFace does not say
who is who: some pairs that are counted show one person, about one in 10,000 of adults, so that small shares are upper
bounds. Last, how many of that half the product's grouping puts into company.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.common_component_removal import basis_of, remove_components
from catalog.engines.local.neighbor_edges import neighbor_edges
from catalog.engines.local.similarity import PLAIN, Calibration
from catalog.identities.clustering.average_linkage import cluster_means
from catalog.identities.clustering.similarity_graph import Constraints, Edges, Linkage
from tests.benchmarks.identities.run import shipped_rules
from tools.fit_common_component import LabeledFaces, mean_looks, read_faces

DATA = Path(__file__).parents[3] / "shared" / "data"
PLAINEST = Calibration(cosine_80=0.3705, cosine_99=0.4898)
"""The bars of the network's own vectors, by ``tests.benchmarks.verification``."""
PLAINEST_LINKAGE = Linkage(0.43, 0.12)
"""The grouping fitted on the network's own vectors."""
AGES = ((0, 1), (2, 3), (4, 6), (7, 11), (12, 17), (18, 29), (30, 49), (50, 69), (70, 120))
ETHNICITIES = {"0": "white", "1": "black", "2": "asian", "3": "indian", "4": "other"}
_BELOW = 0.12
Floats = NDArray[np.float32]


def kinds(faces: LabeledFaces) -> dict[str, NDArray[np.bool_]]:
    ages = {f"{low} to {high} years": (faces.ages >= low) & (faces.ages <= high) for low, high in AGES}
    adults = {
        f"adults, {gender}, {name}": (faces.ages >= 18) & (faces.genders == gender) & (faces.ethnicities == label)
        for label, name in ETHNICITIES.items()
        for gender in ("female", "male")
    }
    return {kind: chosen for kind, chosen in (ages | adults).items() if chosen.sum() > 1}


def shares(vectors: Floats, bars: tuple[float, float]) -> list[str]:
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return [f"{100 * float((cosines >= bar).mean()):8.3f} %" for bar in bars]


def in_company(vectors: Floats, linkage: Linkage) -> NDArray[np.int64]:
    """How many faces are in the group of each face."""
    edges = Edges.of(neighbor_edges(vectors, per_face=50, floor=linkage.threshold - _BELOW))
    groups = cluster_means(vectors, np.ones(len(vectors)), edges, linkage, constraints=Constraints())
    return np.bincount(groups, minlength=len(groups))[groups]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not (DATA / "ages").is_dir():
        sys.exit(print("../shared/data/ages is not here: nothing was measured"))
    faces = read_faces(DATA)
    fitting = np.random.default_rng(0).random(len(faces.ages)) < 0.5
    basis = basis_of(list(mean_looks(faces.only(fitting)).values()))
    measured = faces.only(~fitting)
    ways: dict[str, tuple[Callable[[Floats], Floats], Calibration, Linkage]] = {
        "the network's own vectors": (lambda vectors: vectors, PLAINEST, PLAINEST_LINKAGE),
        "without common looks": (
            lambda vectors: remove_components(basis, vectors),
            PLAIN,
            replace(shipped_rules().means, merge_margin=0.0),
        ),
    }
    for way, (made, curve, linkage) in ways.items():
        for filling, plain in measured.vectors.items():
            vectors = made(plain)
            company = in_company(vectors, linkage)
            print(f"{way}, {filling}: strangers at 80, at 99; faces in groups of 2, and of 5, and more")
            for kind, chosen in kinds(measured).items():
                told = "".join(shares(vectors[chosen], (curve.cosine_80, curve.cosine_99)))
                grouped = "".join(f"{100 * float((company[chosen] >= size).mean()):7.1f} %" for size in (2, 5))
                print(f"  {kind:22} {chosen.sum():5} faces {told} {grouped}")
            print(f"  largest groups: {sorted(set(company.tolist()), reverse=True)[:3]}", flush=True)


if __name__ == "__main__":
    main()
