"""Fine-tune every layer of a network whose batch normalization is folded into its convolutions.

Folded weights differ between channels by orders of magnitude, so one learning rate does not suit all channels: direct
fine-tuning made the network worse. Therefore a batch normalization is split off from every layer first, on some of the
training pictures and without a change of the output, and folded again at the end.

The optimizer is AdamW with a short rise and a long fall of the learning rate. The result is the running mean of the
weights over the last few hundred steps, which varies less than the weights of one step (Polyak and Juditsky 1992).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.mobilenet import Layer

WARM = 0.03
"""Share of the steps in which the rate rises."""


class NormalisedLayer(nn.Module):
    """A ``Layer`` with its own batch normalization. Equal to the layer on the first pictures."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.folded = copy.deepcopy(layer)
        self.kernel = nn.Parameter(layer.kernel.detach().clone())
        self.norm = nn.BatchNorm2d(len(layer.kernel), momentum=0.05)
        self.pending = True
        for parameter in self.folded.parameters():
            parameter.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if self.pending:
            self._split_off_norm(x)
        return functional.relu6(self.norm(self._convolve(x)))

    def _convolve(self, x: Tensor) -> Tensor:
        if any(self.folded.pads):
            x = functional.pad(x, self.folded.pads)
        return functional.conv2d(x, self.kernel, None, self.folded.stride, groups=self.folded.groups)

    @torch.no_grad()
    def _split_off_norm(self, x: Tensor) -> None:
        maps = self._convolve(x)
        mean, spread = maps.mean(dim=(0, 2, 3)), maps.std(dim=(0, 2, 3)).clamp(min=1e-3)
        self.kernel /= spread[:, None, None, None]
        self.norm.weight.copy_(spread)
        self.norm.bias.copy_(mean + self.folded.bias)
        self.norm.running_mean.copy_(mean / spread)
        self.pending = False

    @torch.no_grad()
    def fold(self) -> Layer:
        """Return the layer as one convolution, with the statistics of the training."""
        scale = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        layer = copy.deepcopy(self.folded)
        layer.kernel.copy_(self.kernel * scale[:, None, None, None])
        layer.bias.copy_(self.norm.bias - self.norm.running_mean * scale)
        return layer


class Mean:
    """Running mean of a module's weights and statistics over about 1 / (1 - ``keep``) steps."""

    def __init__(self, module: nn.Module, keep: float = 0.997) -> None:
        self.module, self.keep, self.steps = copy.deepcopy(module).eval(), keep, 0

    @torch.no_grad()
    def add(self, module: nn.Module) -> None:
        self.steps += 1
        keep = min(self.keep, self.steps / (self.steps + 10))
        for mean, value in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)


def rate_at(done: float) -> float:
    """Return the share of the full rate after a share ``done`` (0 to 1) of the steps: a rise, then half a cosine."""
    return done / WARM if done < WARM else 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM)))


def fine_tune(
    net: nn.Module,
    batches: Callable[[], Iterable[tuple[Tensor, Tensor]]],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    report: Callable[[int, float, nn.Module], None],
    *,
    epochs: int,
    steps: int,
    rate: float,
) -> nn.Module:
    """Train for ``epochs`` of ``steps`` batches and return the mean network. A batch is (pictures, targets).

    ``report`` is called after every epoch with its number, mean loss and mean network.
    """
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.05)
    mean, step = Mean(net), 0
    for epoch in range(1, epochs + 1):
        net.train()
        losses = 0.0
        for pictures, targets in batches():
            for group in optimizer.param_groups:
                group["lr"] = rate * rate_at(step / (epochs * steps))
            with torch.autocast("cpu", dtype=torch.bfloat16):
                answers = net(pictures.contiguous(memory_format=torch.channels_last))
            loss = loss_of(answers.float(), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            mean.add(net)
            losses += float(loss.detach())
            step += 1
        report(epoch, losses / steps, mean.module)
    return mean.module
