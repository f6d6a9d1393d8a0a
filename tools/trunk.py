"""Run SFace, as it ships and without training, over a whole data set once.

Heads are trained on its map means (``catalog.engines.local.embed.EmbeddedFaces``), which the engine computes for the
embedding in any case. So the training of a head takes minutes on one core.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from catalog.engines.local.align import SIDE
from catalog.engines.local.embed import embed_with_maps
from tools.training_crops import disturb, sample, shake

BLACK = torch.zeros(3, 1, 1)
MIRROR = torch.tensor([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """``rows`` (n, 512, 14) and ``grid`` (n, 4096) of faces."""

    rows: Tensor
    grid: Tensor


def compute_maps(images: Tensor, transforms: Tensor, *, rng: torch.Generator | None = None) -> Maps:
    """Compute the map means of pictures (n, 3, rows, columns) of faces.

    ``transforms`` (n, 2, 3) map fractions of an aligned face to pixels of its picture. With ``rng`` the pictures are
    shaken and disturbed a little, half of them mirrored.
    """
    rows, grid = [], []
    for chosen in torch.arange(len(images)).split(32):
        batch = transforms[chosen]
        if rng is not None:
            batch = shake(batch, rng, turn=0.06, zoom=0.05, shift=0.02)
        crops = sample(images[chosen].float(), batch, SIDE, mode="zeros")
        if rng is not None:
            crops = disturb(crops, BLACK, rng, blur=(SIDE // 3, SIDE * 3 // 4))
        pixels = crops.permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
        embedded = embed_with_maps(np.ascontiguousarray(pixels), mirrored=False)
        rows.append(torch.from_numpy(embedded.rows).view(-1, 512, 14))
        grid.append(torch.from_numpy(embedded.grid))
    return Maps(torch.cat(rows), torch.cat(grid))
