"""The network that is never trained: SFace as it ships, run over a whole data set once.

Heads are trained on what its maps show (``catalog.engines.local.embed.EmbeddedFaces``), which the engine computes for
the embedding anyway. That is what makes training them possible in minutes on one core.
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
class Seen:
    """``rows`` (n, 512, 14) and ``grid`` (n, 4096) of some faces."""

    rows: Tensor
    grid: Tensor


def see(images: Tensor, transforms: Tensor, *, rng: torch.Generator | None = None) -> Seen:
    """What the maps show of pictures (n, 3, rows, columns) of faces.

    ``transforms`` (n, 2, 3) take fractions of an aligned face to pixels of its picture. With ``rng`` the pictures are
    shaken and disturbed a little, half of them mirrored.
    """
    rows, grid = [], []
    for chosen in torch.arange(len(images)).split(32):
        some = transforms[chosen]
        if rng is not None:
            some = shake(some, rng, turn=0.06, zoom=0.05, shift=0.02)
        crops = sample(images[chosen].float(), some, SIDE, mode="zeros")
        if rng is not None:
            crops = disturb(crops, BLACK, rng, blur=(SIDE // 3, SIDE * 3 // 4))
        pixels = crops.permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
        embedded = embed_with_maps(np.ascontiguousarray(pixels), mirrored=False)
        rows.append(torch.from_numpy(embedded.rows).view(-1, 512, 14))
        grid.append(torch.from_numpy(embedded.grid))
    return Seen(torch.cat(rows), torch.cat(grid))
