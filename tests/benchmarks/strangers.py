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
from catalog.engines.local.similarity import PLAIN, Calibration
from catalog.engines.neighbor_edges import neighbor_edges
from catalog.identities.clustering.average_linkage import cluster_means
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.similarity_graph import Edges, Linkage
from tests.benchmarks.identities.measurements import shipped_rules
from tools.fit_common_component import LabeledFaces, mean_vectors, read_faces, removed_share

DATA = Path(__file__).parents[3] / "shared" / "data"
PLAINEST = Calibration(cosine_80=0.3705, cosine_99=0.4898)
"""Thresholds for the network's own vectors, from ``tests.benchmarks.verification``."""
PLAINEST_LINKAGE = Linkage(0.43, 0.12)
"""Clustering thresholds fitted on the network's own vectors."""
AGES = ((0, 1), (2, 3), (4, 6), (7, 11), (12, 17), (18, 29), (30, 49), (50, 69), (70, 120))
ETHNICITIES = {"0": "white", "1": "black", "2": "asian", "3": "indian", "4": "other"}
SIMILARITIES = (80.0, 90.0, 95.0, 99.0, 99.5, 99.9)
_ONE_PERSON = 0.5
_LEAST_FACES = 60
"""Groups with fewer faces are not printed."""
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


def report_groups(measured: LabeledFaces, transform: Callable[[Floats], Floats], curve: Calibration) -> None:
    """Print the share of stranger pairs inside every group that reach a similarity, over all fillings; worst first.

    A pair above ``_ONE_PERSON`` in any filling is taken for one person: strangers of LFW do not reach it.
    """
    vectors = [transform(plain) for plain in measured.vectors.values()]
    thresholds = [curve.cosine(similarity) for similarity in SIMILARITIES]
    rows = []
    for kind, chosen in (groups(measured) | {"all": np.ones(len(measured.ages), bool)}).items():
        if chosen.sum() < _LEAST_FACES:
            continue
        upper = np.triu_indices(int(chosen.sum()), 1)
        cosines = np.stack([(rows_of[chosen] @ rows_of[chosen].T)[upper] for rows_of in vectors])
        cosines = cosines[:, cosines.max(axis=0) < _ONE_PERSON]
        rates = [float((cosines >= threshold).mean()) for threshold in thresholds]
        rows.append((rates, kind, int(chosen.sum()), cosines.shape[1]))
    print("Pairs inside a group that reach a similarity, 1 in ...: " + ", ".join(f"{s:g}" for s in SIMILARITIES))
    for rates, kind, faces, pairs in sorted(rows, reverse=True):
        shown = "".join(f"{1 / rate:9,.0f}" if rate else "     none" for rate in rates)
        print(f"  {kind:24} {faces:5} faces {pairs:9,} pairs {shown}")


def groups(faces: LabeledFaces) -> dict[str, NDArray[np.bool_]]:
    """Return apparent groups by gender, age and UTKFace's ethnicity label."""
    is_adult, is_old = faces.ages >= 18, faces.ages >= 70
    adults = {
        f"{name} {gender} of 18 to 69": is_adult & ~is_old & (faces.ethnicities == label) & (faces.genders == gender)
        for label, name in ETHNICITIES.items()
        for gender in ("female", "male")
    }
    old = {f"{gender} from 70": is_old & (faces.genders == gender) for gender in ("female", "male")}
    children = {f"{name}, under 18": ~is_adult & (faces.ethnicities == label) for label, name in ETHNICITIES.items()}
    return adults | old | children


def shares(vectors: Floats, thresholds: tuple[float, float]) -> list[str]:
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return [f"{100 * float((cosines >= threshold).mean()):8.3f} %" for threshold in thresholds]


def group_sizes(vectors: Floats, linkage: Linkage) -> NDArray[np.int64]:
    """Return the size of every face's group."""
    edges = Edges.of_arrays(*neighbor_edges(vectors, per_face=50, floor=linkage.threshold - _BELOW))
    groups = cluster_means(
        vectors, np.ones(len(vectors)), (edges.first, edges.second), linkage, constraints=Constraints()
    )
    return np.bincount(groups, minlength=len(groups))[groups]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not (DATA / "ages").is_dir():
        sys.exit(print("../shared/data/ages does not exist: nothing was measured"))
    faces = read_faces(DATA)
    fitting = np.random.default_rng(0).random(len(faces.ages)) < 0.5
    means = mean_vectors(faces.only(fitting))
    basis = basis_of(list(means.values()), [removed_share(kind) for kind in means])
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
        report_groups(measured, transform, curve)
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
