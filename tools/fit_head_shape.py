"""Fit the mean positions of Amazon's 30 landmarks on a head, ``weights/head_shape.json``.

    python -m tools.fit_head_shape --data ../shared/data

The mean over face meshes of UTKFace (every 12th picture) that are turned by less than 15 degrees. Every mesh is turned
back by its own pose and scaled so that the eyes are one unit apart. The origin is between the eyes; x goes right, y
down, z toward the viewer. Half a minute on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.mesh import CENTERS, FRAME, FaceMesh
from tools.manifest import WEIGHTS, write_manifest
from tools.prepare_crops import find_mesh, read_ages

FILE = "head_shape.json"
_EVERY = 12
_MAX_TURN = 15.0


def turned_back(mesh: FaceMesh) -> NDArray[np.float64]:
    """Return the 30 landmarks of a mesh, (30, 3), upright and frontal, in units of the distance of the eyes."""
    points = mesh.points.copy()
    across = points[[263, 454]].mean(axis=0) - points[[33, 234]].mean(axis=0)
    down = points[152] - points[10]
    across /= np.linalg.norm(across)
    down -= across * (across @ down)
    down /= np.linalg.norm(down)
    axes = np.stack([across, down, -np.cross(across, down)])
    landmarks = np.stack([points[list(indices)].mean(axis=0) for indices in CENTERS.values()]) @ axes.T
    names = list(CENTERS)
    left, right = landmarks[names.index("eyeLeft")], landmarks[names.index("eyeRight")]
    return np.asarray((landmarks - (left + right) / 2) / np.linalg.norm(right - left))


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the mean positions of the landmarks on a head.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains ages/")
    _, images = read_ages(parser.parse_args().data)
    shapes = []
    for image in images[::_EVERY]:
        mesh = find_mesh(image, FRAME * image.shape[0])
        if mesh is not None and abs(mesh.pose().yaw) < _MAX_TURN and abs(mesh.pose().pitch) < _MAX_TURN:
            shapes.append(turned_back(mesh))
    mean = np.mean(shapes, axis=0)
    # A head is symmetric: every landmark is the mean of itself and of its mirrored partner.
    partner = [int(np.abs(mean * [-1, 1, 1] - point).sum(axis=1).argmin()) for point in mean]
    mean = (mean + mean[partner] * [-1, 1, 1]) / 2
    table = {name: [round(float(v), 4) for v in point] for name, point in zip(CENTERS, mean, strict=True)}
    (WEIGHTS / FILE).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    write_manifest(FILE)
    print(f"{FILE}: mean of {len(shapes)} heads")


if __name__ == "__main__":
    main()
