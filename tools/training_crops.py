"""Upright training crops with random disturbance, for ``tools.train_emotions`` and ``tools.train_ages``.

Crops are sampled from the data set's small pictures in one bilinear step, with one matrix for the alignment and the
random turn, scale, shift, stretch and mirroring.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LAST_ROW = torch.tensor([[[0.0, 0.0, 1.0]]])


def sample(images: Tensor, transforms: Tensor, side: int, *, mode: str = "zeros") -> Tensor:
    """Crops (n, channels, side, side) of images (n, channels, h, w).

    ``transforms`` (n, 2, 3) map fractions of a crop to pixels of its image. ``mode``: ``zeros`` fills with black beyond
    the image, as the engine does; ``border`` extends the border.
    """
    n, channels, rows, columns = images.shape
    to_crop = torch.tensor([[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]])
    to_fractions = torch.tensor([[2 / columns, 0, -1], [0, 2 / rows, -1], [0, 0, 1]])
    whole = torch.cat([transforms, LAST_ROW.expand(n, 1, 3)], dim=1)
    theta = (to_fractions @ whole @ to_crop)[:, :2]
    grid = functional.affine_grid(theta, [n, channels, side, side], align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=mode, align_corners=False)


def shake(
    transforms: Tensor, rng: torch.Generator, *, turn: float = 0.22, zoom: float = 0.16, shift: float = 0.07
) -> Tensor:
    """Add random turns (radians), zooms (log), shifts (fractions of the side) and mirroring to ``transforms``."""
    n = len(transforms)

    def uniform(limit: float) -> Tensor:
        return (torch.rand(n, generator=rng) * 2 - 1) * limit

    angle, scale, stretch = uniform(turn), torch.exp(uniform(zoom)), torch.exp(uniform(0.06))
    mirror = torch.where(torch.rand(n, generator=rng) < 0.5, -1.0, 1.0)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    move = torch.zeros(n, 3, 3)
    move[:, 0, 0], move[:, 0, 1] = cos * mirror * stretch, -sin / stretch
    move[:, 1, 0], move[:, 1, 1] = sin * mirror * stretch, cos / stretch
    move[:, 2, 2] = 1
    for row in (0, 1):
        move[:, row, 2] = (1 - move[:, row, 0] - move[:, row, 1]) / 2 + uniform(shift)
    return (torch.cat([transforms, LAST_ROW.expand(n, 1, 3)], dim=1) @ move)[:, :2]


def disturb(crops: Tensor, fill: Tensor, rng: torch.Generator, *, blur: tuple[int, int]) -> Tensor:
    """Apply random contrast, brightness, tint, blur (via a side within ``blur``) and covered patches."""
    n, channels, side, _ = crops.shape

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng) * (high - low) + low

    contrast = uniform(0.7, 1.3, n, 1, 1, 1) * uniform(0.93, 1.07, n, channels, 1, 1)
    crops = ((crops - 128) * contrast + 128 + uniform(-30, 30, n, 1, 1, 1)).clamp(0, 255)
    if float(uniform(0, 1, 1)) < 0.2:
        small = int(torch.randint(*blur, (1,), generator=rng))
        crops = functional.interpolate(crops, size=small, mode="bilinear", antialias=True)
        crops = functional.interpolate(crops, size=side, mode="bilinear")
    for crop in crops:
        if float(uniform(0, 1, 1)) < 0.25:
            high, wide = (int(v) for v in torch.randint(side // 8, side // 3, (2,), generator=rng))
            top, left = (int(v) for v in torch.randint(0, side - side // 8, (2,), generator=rng))
            crop[:, top : top + high, left : left + wide] = fill
    return crops
