"""Train the age head on UTKFace and write its weights for ``tools.join_heads``.

    python -m tools.train_ages --crops CROPS --out FILE

The training set is four fifths of ``data/ages``, every face once unchanged and once disturbed. The last fifth (by a
fixed seed) is only measured. The target is a distribution: a bell around the label, wider for older people; the loss
adds the distance of the mean from the label. Needs PyTorch beside the project's own packages. About 4 minutes on one
core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tools.attribute_data import held_out
from tools.heads import GridHead, train_head
from tools.trunk import compute_maps

AGES = 100


def bells(ages: Tensor) -> Tensor:
    """Return the target distributions of ages, (n, 100)."""
    width = 1.0 + 0.06 * ages[:, None]
    distance = (torch.arange(AGES)[None] - ages[:, None]) / width
    return functional.softmax(-0.5 * distance**2, dim=1)


def train(arguments: argparse.Namespace) -> GridHead:
    torch.manual_seed(7)
    torch.set_num_threads(arguments.threads)
    data = np.load(arguments.crops)
    images = torch.tensor(data["images"]).permute(0, 3, 1, 2)
    transforms = torch.tensor(data["transforms"]).float()
    every_age = torch.tensor(data["ages"]).float().clamp(max=AGES - 1)
    is_held_out = torch.tensor(held_out(len(images)))
    ages, held_out_ages = every_age[~is_held_out], every_age[is_held_out]
    rng = torch.Generator().manual_seed(7)
    training = images[~is_held_out], transforms[~is_held_out]
    features = torch.cat([compute_maps(*training).grid, compute_maps(*training, rng=rng).grid])
    ages = torch.cat([ages, ages])
    held_out_features = compute_maps(images[is_held_out], transforms[is_held_out]).grid
    years = torch.arange(AGES).float()

    def loss_of(answers: Tensor, chosen: Tensor) -> Tensor:
        mean = functional.softmax(answers, dim=1) @ years
        off = functional.smooth_l1_loss(mean, ages[chosen], beta=2.0)
        return functional.cross_entropy(answers, bells(ages[chosen])) + 0.1 * off

    def report(head: GridHead) -> str:
        error = (functional.softmax(head(held_out_features), dim=1) @ years - held_out_ages).abs()
        return f"adults {error[held_out_ages >= 18].mean():.2f} years, all {error.mean():.2f}"

    head = GridHead(AGES)
    train_head(head, features, loss_of, report, epochs=arguments.epochs, rate=arguments.rate, batch=64)
    return head


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the age head on UTKFace.")
    parser.add_argument("--crops", type=Path, required=True, help="the ages.npz that tools.prepare_crops wrote")
    parser.add_argument("--out", type=Path, required=True, help="a .pt file")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.save(train(arguments).state_dict(), arguments.out)


if __name__ == "__main__":
    main()
