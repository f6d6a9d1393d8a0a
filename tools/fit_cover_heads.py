"""Fit the heads for covered faces, ``weights/covers.onnx``.

    python -m tools.fit_cover_heads --data ../shared/data

Three lines through the embedding network's map means: sunglasses, covered mouth, covered face. Fitted on four fifths of
UTKFace (the fifth of ``held_out`` is not used), painted over by ``tools.painted_covers``: every third face of them as
it is and in three of the six kinds. Black or the extended border is beyond the picture, by chance. About 5 minutes on
one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from catalog.engines.local.align import similarity_transform, warp
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.landmark_refinement import five_points
from catalog.engines.local.mesh import FRAME
from tools.attribute_data import held_out
from tools.linear_heads import Floats, fit_logistic, write_heads
from tools.painted_covers import COVERED, PAINTERS, is_mouth_painted, paint
from tools.prepare_crops import find_mesh, read_ages

FILE = "covers.onnx"
PENALTY = 1000.0
"""Of the squared weights of features with unit spread. Not compared with others."""
_MARGIN = 56
_VARIANTS = 3
_SEED = 20261128


def read_features(data: Path) -> tuple[Floats, list[str], Floats]:
    """Return features, kind and depicted cover of the mouth (1 or 0) of the painted training faces."""
    people, images = read_ages(data)
    rng = np.random.default_rng(_SEED)
    features, kinds, mouths = [], [], []
    for index in np.flatnonzero(~held_out(len(people)))[::3].tolist():
        mesh = find_mesh(images[index], FRAME * images[index].shape[0])
        if mesh is None:
            continue
        covered_kinds = [kind for kind in PAINTERS if kind != "bare"]
        for kind in ("bare", *rng.choice(covered_kinds, _VARIANTS, replace=False).tolist()):
            painted = paint(images[index], mesh.points, kind, rng)
            located = find_mesh(painted, mesh.frame_points()) or mesh
            mode = "edge" if rng.random() < 0.5 else "constant"
            wider = np.pad(painted, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode=mode)
            embedded = embed_with_maps(
                warp(wider, similarity_transform(five_points(located) + _MARGIN))[None], mirrored=False
            )
            features.append(np.concatenate([embedded.rows[0], embedded.grid[0]]).astype(np.float16))
            kinds.append(kind)
            mouths.append(is_mouth_painted(images[index], painted, mesh.points))
    return np.stack(features).astype(np.float32), kinds, np.array(mouths, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the heads for covered faces on painted faces of UTKFace.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains ages/")
    parser.add_argument("--keep", type=Path, help="read the features from this file, or write them there")
    arguments = parser.parse_args()
    if arguments.keep is not None and arguments.keep.exists():
        kept = np.load(arguments.keep)
        features, kinds, mouths = kept["features"].astype(np.float32), kept["kinds"].tolist(), kept["mouths"]
    else:
        features, kinds, mouths = read_features(arguments.data)
        if arguments.keep is not None:
            np.savez(arguments.keep, features=features.astype(np.float16), kinds=kinds, mouths=mouths)
    truths = {
        "sunglasses": np.array([kind == "sunglasses" for kind in kinds]),
        "mouth_covered": mouths > 0,
        "face_covered": np.array([kind in COVERED for kind in kinds]),
    }
    # A blurred face without a change is "bare": its mouth is free.
    truths["mouth_covered"] &= truths["face_covered"]
    write_heads(
        FILE, {name: fit_logistic(features, truth.astype(np.float32), PENALTY) for name, truth in truths.items()}
    )
    print(f"{FILE}: fitted on {len(kinds)} painted faces, " + str({n: int(t.sum()) for n, t in truths.items()}))


if __name__ == "__main__":
    main()
