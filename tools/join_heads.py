"""Write the trained networks: ``weights/attributes.onnx``, and ``weights/emotions.onnx`` in integers.

    python -m tools.join_heads --models MODELS --crops CROPS --ages FILE --emotions FILE

Glasses, beard and mustache are lines through the mean of some rows of the embedding network's map, fitted here to
labels of 660 crops of UTKFace (``tools/utkface_labels.csv``, labeled by eye for this project; ``?`` where the picture
does not tell). Needs PyTorch beside the project's own packages.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch

from tools import mobilenet
from tools.heads import GridHead, fit_line
from tools.manifest import WEIGHTS, write_manifest
from tools.quantize import quantize_clipped
from tools.train_ages import AGES
from tools.train_emotions import SIDE, EmotionNet
from tools.trunk import MIRROR, compute_maps

LABELS = Path(__file__).with_name("utkface_labels.csv")
MARKS = {"eyeglasses": (4, 8), "beard": (8, 14), "mustache": (8, 14)}
"""Per mark the range of the map's rows that the head reads (start, end)."""


def fit_marks(crops: Path) -> list[mobilenet.RowsHead]:
    """Fit a head per mark on the labeled faces and their mirror images."""
    data = np.load(crops)
    with LABELS.open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    places = {str(photo): index for index, photo in enumerate(data["photos"])}
    chosen = torch.tensor([places[row["photo"]] for row in labels])
    images = torch.tensor(data["images"]).permute(0, 3, 1, 2)[chosen]
    transforms = torch.tensor(data["transforms"]).float()[chosen]
    maps = torch.cat([compute_maps(images, transforms).rows, compute_maps(images, transforms @ MIRROR).rows])
    heads = []
    for mark, rows in MARKS.items():
        features = maps[:, :, slice(*rows)].mean(dim=2)
        is_labeled = torch.tensor([row[mark] != "?" for row in labels] * 2)
        truth = torch.tensor([row[mark] == "1" for row in labels] * 2).float()
        heads.append(mobilenet.RowsHead(mark, fit_line(features[is_labeled], truth[is_labeled]), rows))
    return heads


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the trained heads and the trained network.")
    parser.add_argument("--models", type=Path, required=True, help="the unpacked npm package's models folder")
    parser.add_argument("--crops", type=Path, required=True, help="the ages.npz that tools.prepare_crops wrote")
    parser.add_argument("--ages", type=Path, required=True, help="the output of tools.train_ages")
    parser.add_argument("--emotions", type=Path, required=True, help="the output of tools.train_emotions")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ages, emotions = GridHead(AGES), EmotionNet(arguments.models)
    ages.load_state_dict(torch.load(arguments.ages))
    emotions.load_state_dict(torch.load(arguments.emotions))
    mobilenet.export_heads(ages.chain(), fit_marks(arguments.crops), WEIGHTS / "attributes.onnx")
    layers = [layer.fold() for layer in emotions.layers]
    with tempfile.TemporaryDirectory() as folder:
        mobilenet.export_grey(layers, emotions.last, "emotions", SIDE, Path(folder) / "emotions.onnx")
        network = quantize_clipped(onnx.load(Path(folder) / "emotions.onnx"))
    (WEIGHTS / "emotions.onnx").write_bytes(network.SerializeToString(deterministic=True))
    write_manifest("attributes.onnx", "emotions.onnx")


if __name__ == "__main__":
    main()
