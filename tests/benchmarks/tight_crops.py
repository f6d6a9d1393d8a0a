"""Emotions of tight crops as users meet them: through detection, refusals counted as wrong.

    python -m tests.benchmarks.tight_crops [--every 10] [--enlargement 4]

The photos are FER2013's validation split (../shared/data/emotions): faces of 48 pixels that fill the picture, enlarged.
They go through the pipeline of `catalog analyze`. Nothing of this split was used in training; the lines of the
confidences and the limit for the mirror image were fitted on it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.attribute_values import EMOTIONS
from catalog.engines.local.face_pipeline import FacePipeline

DATA = Path(__file__).parents[3] / "shared" / "data" / "emotions" / "fer2013.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10, help="use every n-th photo")
    parser.add_argument("--enlargement", type=int, default=4)
    arguments = parser.parse_args()
    if not DATA.is_file():
        sys.exit(print("../shared/data/emotions does not exist: nothing was measured"))
    with np.load(DATA) as file:
        images, labels = file["validation_images"], file["validation_labels"]
        names = [str(name) for name in file["labels"]]
    pipeline = FacePipeline()
    counts: Counter[str] = Counter()
    by_label: Counter[tuple[str, str]] = Counter()
    for image, label in zip(images[:: arguments.every], labels[:: arguments.every], strict=True):
        side = 48 * arguments.enlargement
        gray = Image.fromarray(image.reshape(48, 48)).resize((side, side), Image.Resampling.BICUBIC)
        pixels = np.ascontiguousarray(np.asarray(gray.convert("RGB")))
        faces = pipeline.find_faces(OpenedPhoto(pixels, side, side, "PNG"), with_attributes=True)
        first = faces[0].face.attributes.emotions[0].type if faces else None
        outcome = "refused" if first is None else "right" if first == EMOTIONS[int(label)] else "wrong"
        counts[outcome] += 1
        by_label[names[int(label)], outcome] += 1
    total = counts.total()
    answered = total - counts["refused"]
    print(
        f"{total} photos enlarged {arguments.enlargement} times: {100 * counts['right'] / total:.1f} % right, "
        f"{100 * counts['refused'] / total:.1f} % without a face; "
        f"{100 * counts['right'] / max(answered, 1):.1f} % right of those with one"
    )
    for name in names:
        row = {outcome: by_label[name, outcome] for outcome in ("right", "wrong", "refused")}
        print(f"  {name:<10} " + ", ".join(f"{outcome} {count}" for outcome, count in row.items()))


if __name__ == "__main__":
    main()
