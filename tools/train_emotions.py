"""Trains the emotion head on FER2013: writes its weights for ``tools.join_heads``.

    python -m tools.train_emotions --models MODELS --crops CROPS --out FILE

Trained on FER2013's train split, laid upright by the face mesh and disturbed once; the validation split is looked at
only. On these frozen maps, fine-tuning the network's last four layers gave less (58.7 %). Needs PyTorch beside the
project's own packages. About 5 minutes on one core, 2 GB of memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tools.heads import GridHead, features_of, teach
from tools.trunk import CROP, Trunk


def train(arguments: argparse.Namespace) -> GridHead:
    torch.manual_seed(7)
    torch.set_num_threads(arguments.threads)
    data = np.load(arguments.crops)
    trunk = Trunk(arguments.models, CROP)
    rng = torch.Generator().manual_seed(7)
    seen, labels = {}, {}
    for split in ("train", "validation"):
        images = torch.tensor(data[f"{split}_images"])[:, None]
        transforms = torch.tensor(data[f"{split}_transforms"]).float()
        maps = trunk.see(images, transforms, mode="zeros", rng=rng if split == "train" else None)
        seen[split], labels[split] = features_of(maps), torch.tensor(data[f"{split}_labels"]).long()

    def loss_of(answers: Tensor, chosen: Tensor) -> Tensor:
        return functional.cross_entropy(answers, labels["train"][chosen], label_smoothing=0.05)

    def report(head: GridHead) -> str:
        right = (head(seen["validation"].float()).argmax(dim=1) == labels["validation"]).float().mean()
        return f"validation {100 * right:.2f} %"

    head = GridHead(7)
    teach(head, seen["train"], loss_of, report, epochs=arguments.epochs, rate=arguments.rate, batch=128)
    return head


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the emotion head on FER2013.")
    parser.add_argument("--models", type=Path, required=True, help="the unpacked npm package's models folder")
    parser.add_argument("--crops", type=Path, required=True, help="the emotions.npz that tools.prepare_crops wrote")
    parser.add_argument("--out", type=Path, required=True, help="a .pt file")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.save(train(arguments).state_dict(), arguments.out)


if __name__ == "__main__":
    main()
