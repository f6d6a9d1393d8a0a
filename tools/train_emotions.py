"""Train the emotion network on FER2013 and write its weights for ``tools.join_heads``.

    python -m tools.train_emotions --models MODELS --crops CROPS --out FILE

Every layer of the MobileNet is trained on gray crops of the train split. The crops are turned, shifted, stretched,
mirrored, blurred and partly covered at random. The validation split is only measured: the written weights are those of
the last step. Needs PyTorch beside the project's own packages. About 50 minutes on two busy cores, 2 GB.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tools import mobilenet
from tools.fine_tuning import NormalisedLayer, fine_tune
from tools.training_crops import disturb, sample, shake

SIDE = 96
BATCH = 64
GREY = float(np.mean(mobilenet.MEAN))


class EmotionNet(nn.Module):
    """From gray planes (n, 1, side, side), mean subtracted, to the log-odds of the seven emotions (n, 7)."""

    def __init__(self, models: Path) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(NormalisedLayer(layer) for layer in mobilenet.load_layers(models)))
        self.last = nn.Linear(1024, 7)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.dropout(self.layers(x).mean(dim=(2, 3)), 0.4, self.training))


def crop(images: Tensor, transforms: Tensor) -> Tensor:
    return sample(images.float(), transforms, SIDE, mode="zeros").contiguous(memory_format=torch.channels_last)


def train(arguments: argparse.Namespace) -> nn.Module:
    torch.manual_seed(7)
    torch.set_num_threads(arguments.threads)
    rng = torch.Generator().manual_seed(7)
    data = np.load(arguments.crops)
    images = {split: torch.tensor(data[f"{split}_images"])[:, None] for split in ("train", "validation")}
    transforms = {split: torch.tensor(data[f"{split}_transforms"]).float() for split in images}
    labels = {split: torch.tensor(data[f"{split}_labels"]).long() for split in images}
    steps = len(images["train"]) // BATCH
    started = time.monotonic()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(images["train"]), generator=rng)
        for rows in order[: steps * BATCH].view(-1, BATCH):
            where = shake(transforms["train"][rows], rng, turn=0.17, zoom=0.12, shift=0.05)
            crops = crop(images["train"][rows], where)
            crops = disturb(crops, torch.tensor(GREY).view(1, 1, 1), rng, blur=(SIDE // 3, SIDE * 3 // 4))
            yield crops - GREY, labels["train"][rows]

    def loss_of(answers: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(answers, targets, label_smoothing=0.1)

    def report(epoch: int, loss: float, mean: nn.Module) -> None:
        right = 0
        with torch.inference_mode():
            for rows in torch.arange(len(images["validation"])).split(128):
                answers = mean(crop(images["validation"][rows], transforms["validation"][rows]) - GREY)
                right += int((answers.argmax(dim=1) == labels["validation"][rows]).sum())
        share = 100 * right / len(images["validation"])
        minutes = (time.monotonic() - started) / 60
        print(f"epoch {epoch}: loss {loss:.3f}, validation {share:.2f} %, {minutes:.1f} minutes", flush=True)
        torch.save(mean.state_dict(), arguments.out)

    net = EmotionNet(arguments.models).to(memory_format=torch.channels_last)
    with torch.no_grad():
        net(crop(images["train"][:512], transforms["train"][:512]) - GREY)
    return fine_tune(net, batches, loss_of, report, epochs=arguments.epochs, steps=steps, rate=arguments.rate)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the emotion network on FER2013.")
    parser.add_argument("--models", type=Path, required=True, help="the unpacked npm package's models folder")
    parser.add_argument("--crops", type=Path, required=True, help="the emotions.npz that tools.prepare_crops wrote")
    parser.add_argument("--out", type=Path, required=True, help="a .pt file, written after each epoch")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=2)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
