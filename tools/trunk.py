"""The part of the network that is never trained, run by onnxruntime over a whole data set once.

Heads are trained on what it gives: the map behind layer ``REGIONAL``, (512, 8, 8) for a crop of 128 pixels, kept as
uint8 because it lies between 0 and 6. That is what makes training possible in minutes on one core.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from tools import mobilenet
from tools.training_crops import disturb, sample, shake, zoomed

CROP = (128, 1.0)
"""Side in pixels, and zoom; the same as in ``catalog/engines/local/attributes.py``."""
LEVELS = 255 / 6
MEAN = torch.tensor(mobilenet.MEAN).view(1, 3, 1, 1)


class Trunk:
    """Turns pictures into maps."""

    def __init__(self, models: Path, crop: tuple[int, float]) -> None:
        self.side, self.zoom = crop
        body, _ = mobilenet.load(models, grey=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = mobilenet.export_trunk(body, self.side).SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def see(self, images: Tensor, transforms: Tensor, *, mode: str, rng: torch.Generator | None = None) -> Tensor:
        """Maps (n, 512, side / 16, side / 16), uint8, of pictures (n, 3 or 1, rows, columns).

        With ``rng`` the pictures are shaken and disturbed.
        """
        maps = torch.empty(len(images), 512, self.side // 16, self.side // 16, dtype=torch.uint8)
        for chosen in torch.arange(len(images)).split(32):
            some = transforms[chosen]
            if rng is not None:
                some = shake(some, rng, turn=0.12, zoom=0.08, shift=0.03)
            crops = sample(images[chosen].float(), zoomed(some, self.zoom), self.side, mode=mode)
            if rng is not None:
                crops = disturb(crops, MEAN[0, : crops.shape[1]], rng, blur=(self.side // 3, self.side * 3 // 4))
            pixels = crops.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
            answer: NDArray[np.float32] = self.session.run(["map"], {"pixels": np.ascontiguousarray(pixels)})[0]
            maps[chosen] = torch.from_numpy(np.rint(answer * LEVELS).astype(np.uint8))
        return maps


def as_floats(maps: Tensor) -> Tensor:
    return (maps.float() / LEVELS).contiguous(memory_format=torch.channels_last)
