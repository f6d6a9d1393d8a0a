"""Makes everything that attributes are read with, from the data sets to the calibrated networks, in one go.

    python -m tools.train_attributes --data ../shared/data --work FOLDER [--epochs 12]

Runs, each as a program of its own, the steps that ``weights/MODELS.md`` names; the embedding network is put into
integers on the way, because attributes are read off its maps, and what many faces have in common is then fitted anew.
Needs npm, and PyTorch beside the project's own packages.
With one epoch of the emotion network it took half an hour on two busy cores; each further one takes about four minutes
there, less where nothing else runs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.build_attribute_weights import fetch


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the attribute networks from the data sets.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder for what lies between the steps")
    parser.add_argument("--epochs", type=int, default=12, help="of the emotion network; 1 shows that all steps fit")
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    models = work / "package" / "models"
    if not models.exists():
        fetch(work)
    steps: dict[str, list[str | Path]] = {
        "build_attribute_weights": ["--models", models],
        "prepare_crops": ["--data", arguments.data, "--out", work],
        "quantize": ["--crops", work / "ages.npz"],
        "fit_looks": ["--data", arguments.data],
        "train_ages": ["--crops", work / "ages.npz", "--out", work / "ages.pt"],
        "train_emotions": ["--models", models, "--crops", work / "emotions.npz", "--out", work / "emotions.pt"],
        "join_heads": ["--models", models, "--crops", work / "ages.npz"],
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
