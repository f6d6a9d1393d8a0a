"""Puts the trained heads on their trunk and writes ``weights/attributes.onnx``.

    python -m tools.join_heads --models MODELS --crops CROPS --ages FILE --emotions FILE

Glasses, beard and mustache are lines through the mean of some rows of the
trunk's map, fitted here to labels of 660 crops of UTKFace (``tools/utkface_labels.csv``, labeled by eye for this
project; ``?`` where the picture does not tell). Needs PyTorch beside the project's own packages.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

from tools import mobilenet
from tools.build_attribute_weights import WEIGHTS, write_manifest
from tools.heads import GridHead, fit_line
from tools.train_ages import AGES
from tools.trunk import CROP, LEVELS, Trunk

LABELS = Path(__file__).with_name("utkface_labels.csv")
MARKS = {"eyeglasses": (0.18, 0.45), "beard": (0.5, 1.0), "mustache": (0.5, 1.0)}
"""Each mark, and the rows of the upright crop in which it is looked for."""


def fit_marks(models: Path, crops: Path) -> list[mobilenet.Head]:
    """A head for each mark; each labeled crop is seen twice, straight and mirrored."""
    data = np.load(crops)
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    places = {str(photo): index for index, photo in enumerate(data["photos"])}
    chosen = torch.tensor([places[row["photo"]] for row in labels])
    images = torch.tensor(data["images"]).permute(0, 3, 1, 2)[chosen]
    transforms = torch.tensor(data["transforms"]).float()[chosen]
    mirrored = transforms @ torch.tensor([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    trunk = Trunk(models, CROP)
    maps = (
        torch.cat([trunk.see(images, transforms, mode="zeros"), trunk.see(images, mirrored, mode="border")]).float()
        / LEVELS
    )
    heads = []
    for mark, rows in MARKS.items():
        first, last = mobilenet.region(rows, CROP[0] // 16)
        features = maps[:, :, first:last].mean(dim=(2, 3))
        known = torch.tensor([row[mark] != "?" for row in labels] * 2)
        truth = torch.tensor([row[mark] == "1" for row in labels] * 2).float()
        heads.append(mobilenet.Head(mark, [fit_line(features[known], truth[known])], rows=rows))
    return heads


def main() -> None:
    parser = argparse.ArgumentParser(description="Put the trained heads on the shared trunk.")
    parser.add_argument("--models", type=Path, required=True, help="the unpacked npm package's models folder")
    parser.add_argument("--crops", type=Path, required=True, help="the ages.npz that tools.prepare_crops wrote")
    parser.add_argument("--ages", type=Path, required=True, help="what tools.train_ages wrote")
    parser.add_argument("--emotions", type=Path, required=True, help="what tools.train_emotions wrote")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body, _ = mobilenet.load(arguments.models, grey=False)
    ages, emotions = GridHead(AGES), GridHead(7)
    ages.load_state_dict(torch.load(arguments.ages))
    emotions.load_state_dict(torch.load(arguments.emotions))
    heads = [ages.head("age"), emotions.head("emotions"), *fit_marks(arguments.models, arguments.crops)]
    mobilenet.export(body, heads, CROP[0], WEIGHTS / "attributes.onnx")
    write_manifest("attributes.onnx")


if __name__ == "__main__":
    main()
