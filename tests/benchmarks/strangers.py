"""False matches of different people by age and by UTKFace's ethnicity label.

    python -m tests.benchmarks.strangers

Similarity 80 and 99 are the thresholds that one in 1,000 and one in 100,000 pairs of different people of LFW pass.
Measured on half of ``../shared/data/ages``: with the network's own vectors, and without common components, which are
fitted on the other half; per filling beyond the pictures (see ``tools.fit_common_component``). UTKFace does not
identify people: about one in 10,000 of the counted pairs of adults shows one person, so small shares are upper bounds.
The last columns are the shares of faces that the product's clustering puts into groups.
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
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.similarity_graph import Edges, Linkage
from tests.benchmarks.identities.measurements import shipped_rules
from tools.fit_common_component import LabeledFaces, mean_vectors, read_faces

DATA = Path(__file__).parents[3] / "shared" / "data"
PLAINEST = Calibration(cosine_80=0.3705, cosine_99=0.4898)
"""Thresholds for the network's own vectors, from ``tests.benchmarks.verification``."""
PLAINEST_LINKAGE = Linkage(0.43, 0.12)
"""Clustering thresholds fitted on the network's own vectors."""
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


def shares(vectors: Floats, thresholds: tuple[float, float]) -> list[str]:
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return [f"{100 * float((cosines >= threshold).mean()):8.3f} %" for threshold in thresholds]


def group_sizes(vectors: Floats, linkage: Linkage) -> NDArray[np.int64]:
    """Return the size of every face's group."""
    edges = Edges.of(neighbor_edges(vectors, per_face=50, floor=linkage.threshold - _BELOW))
    groups = cluster_means(vectors, np.ones(len(vectors)), edges, linkage, constraints=Constraints())
    return np.bincount(groups, minlength=len(groups))[groups]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not (DATA / "ages").is_dir():
        sys.exit(print("../shared/data/ages does not exist: nothing was measured"))
    faces = read_faces(DATA)
    fitting = np.random.default_rng(0).random(len(faces.ages)) < 0.5
    basis = basis_of(list(mean_vectors(faces.only(fitting)).values()))
    measured = faces.only(~fitting)
    ways: dict[str, tuple[Callable[[Floats], Floats], Calibration, Linkage]] = {
        "the network's own vectors": (lambda vectors: vectors, PLAINEST, PLAINEST_LINKAGE),
        "without common components": (
            lambda vectors: remove_components(basis, vectors),
            PLAIN,
            replace(shipped_rules().mean_linkage, merge_margin=0.0),
        ),
    }
    for way, (transform, curve, linkage) in ways.items():
        for filling, plain in measured.vectors.items():
            vectors = transform(plain)
            sizes = group_sizes(vectors, linkage)
            print(f"{way}, {filling}: false matches at 80, at 99; faces in groups of 2 or more, of 5 or more")
            for kind, chosen in kinds(measured).items():
                rates = "".join(shares(vectors[chosen], (curve.cosine_80, curve.cosine_99)))
                grouped = "".join(f"{100 * float((sizes[chosen] >= size).mean()):7.1f} %" for size in (2, 5))
                print(f"  {kind:22} {chosen.sum():5} faces {rates} {grouped}")
            print(f"  largest groups: {sorted(set(sizes.tolist()), reverse=True)[:3]}", flush=True)


if __name__ == "__main__":
    main()
