"""Align the faces of FER2013 and UTKFace once, for ``tools.train_emotions`` and ``tools.train_ages``.

    python -m tools.prepare_crops --data ../shared/data --out FOLDER

Writes ``emotions.npz`` and ``ages.npz``: the pictures, and per picture the transform from fractions of its upright crop
(FER2013) or of its aligned face (UTKFace) to its pixels. Faces are located as in the engine: detector, then face mesh.
If the mesh finds no face, the detector's points are used; if the detector finds no face, the mean positions of the data
set are used.
About 10 minutes on one core.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.engines.local.align import SIDE, TEMPLATE, similarity_transform
from catalog.engines.local.landmark_refinement import five_points
from catalog.engines.local.mesh import FRAME, FaceMesh, locate_meshes_at, upright_transform
from catalog.engines.local.yunet import run_yunet

Pixels = NDArray[np.uint8]
USUAL_IN_FER = np.array([[15.2, 18.6], [32.0, 18.3], [17.1, 35.0], [30.4, 34.8]])
SURE = 0.5


def detect_frame(pixels: Pixels) -> NDArray[np.float64] | None:
    """Return eyes and corners of the mouth of the face that fills a small picture, detected at twice the size."""
    rows, columns = pixels.shape[:2]
    image = Image.fromarray(pixels).resize((2 * columns, 2 * rows), Image.Resampling.BICUBIC)
    margin = rows // 2
    padded = np.pad(np.asarray(image), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    candidates = run_yunet(padded, SURE)
    if not len(candidates) or candidates[0, 14] < 0.8:
        return None
    return (candidates[0, 4:14].reshape(5, 2)[[0, 1, 3, 4]].astype(np.float64) - margin) / 2


def find_mesh(pixels: Pixels, start: NDArray[np.float64]) -> FaceMesh | None:
    """Return the mesh of the face with eyes and corners of the mouth near ``start``, or None if there is no face."""
    first = locate_meshes_at(pixels, [start], zoom=1.1)[0]
    second = locate_meshes_at(pixels, [first.frame_points()], zoom=1.1)[0]
    best = max(second, first, key=lambda mesh: mesh.presence)
    return best if best.presence >= SURE else None


def find_frame(pixels: Pixels) -> NDArray[np.float64]:
    """Return eyes and corners of the mouth, (4, 2), in a picture of FER2013, as the engine locates them."""
    start = detect_frame(pixels)
    mesh = find_mesh(pixels, USUAL_IN_FER if start is None else start)
    if mesh is not None:
        return mesh.frame_points()
    return USUAL_IN_FER if start is None else start


def alignment_of(pixels: Pixels) -> NDArray[np.float64]:
    """Return the transform (2, 3) from a picture of UTKFace, which is an upright crop, to its aligned face."""
    mesh = find_mesh(pixels, FRAME * pixels.shape[0])
    if mesh is not None:
        return similarity_transform(five_points(mesh))
    return similarity_transform(FRAME * pixels.shape[0], TEMPLATE[[0, 1, 3, 4]])


def back(to_crop: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Return the transform (2, 3) from fractions of a crop of ``side`` pixels to pixels of the picture."""
    fractions = np.diag([1 / side, 1 / side, 1]) @ np.vstack([to_crop, [0, 0, 1]])
    return np.linalg.inv(fractions)[:2].astype(np.float32)


def prepare_emotions(data: Path, out: Path) -> None:
    fer = np.load(data / "emotions" / "fer2013.npz")
    prepared = {}
    for split in ("train", "validation"):
        images = fer[f"{split}_images"]
        colored = (np.repeat(image[:, :, None], 3, axis=2) for image in images)
        prepared[f"{split}_images"] = images
        prepared[f"{split}_labels"] = fer[f"{split}_labels"]
        frames = (find_frame(pixels) for pixels in colored)
        prepared[f"{split}_transforms"] = [back(upright_transform(frame, 1, 1.0), 1) for frame in frames]
    np.savez(out / "emotions.npz", **prepared)


def read_ages(data: Path) -> tuple[list[dict[str, str]], NDArray[np.uint8]]:
    """Return the rows of ``people.csv`` and the 112x112 crops in the same order."""
    with (data / "ages" / "people.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    with tarfile.open(data / "ages" / "utkface_dev.tar") as archive:
        pictures = {
            Path(member.name).name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isfile()
        }
    images = [np.asarray(Image.open(io.BytesIO(pictures[row["photo"]])).convert("RGB")) for row in people]
    return people, np.stack(images)


def prepare_ages(data: Path, out: Path) -> None:
    people, images = read_ages(data)
    np.savez(
        out / "ages.npz",
        photos=[row["photo"] for row in people],
        images=images,
        transforms=[back(alignment_of(pixels), SIDE) for pixels in images],
        ages=[int(row["age"]) for row in people],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Align the faces of FER2013 and UTKFace.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    prepare_ages(arguments.data, arguments.out)
    prepare_emotions(arguments.data, arguments.out)


if __name__ == "__main__":
    main()
