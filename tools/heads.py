"""Train small heads on the embedding network's map means (``tools.trunk``): two linear layers, and single lines."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 4096
HIDDEN = 192


class GridHead(nn.Module):
    """From features, scaled to unit spread, to log-odds."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.first, self.last = nn.Linear(FEATURES, HIDDEN), nn.Linear(HIDDEN, answers)

    def forward(self, features: Tensor) -> Tensor:
        x = (features - self.mean) / self.spread
        if self.training:
            x = functional.dropout(x + 0.15 * torch.randn_like(x), 0.4)
        return self.last(functional.dropout(functional.relu(self.first(x)), 0.5, self.training))

    def chain(self) -> list[nn.Linear]:
        """Return the head's two layers with the scaling folded into the first."""
        first = nn.Linear(FEATURES, HIDDEN)
        with torch.no_grad():
            first.weight.copy_(self.first.weight / self.spread)
            first.bias.copy_(self.first.bias - first.weight @ self.mean)
        return [first, self.last]


def train_head(
    head: GridHead,
    features: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    report: Callable[[GridHead], str],
    *,
    epochs: int,
    rate: float,
    batch: int,
) -> None:
    """Train a head with AdamW and a learning rate that falls to 0. ``loss_of(outputs, rows)`` is minimized."""
    head.mean.copy_(features.mean(dim=0))
    head.spread.copy_(features.std(dim=0) + 0.01)
    optimizer = torch.optim.AdamW([*head.first.parameters(), *head.last.parameters()], weight_decay=0.2)
    steps, step = epochs * (len(features) // batch), 0
    for epoch in range(epochs):
        head.train()
        for chosen in torch.randperm(len(features))[: len(features) // batch * batch].view(-1, batch):
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - step / steps)
            loss = loss_of(head(features[chosen]), chosen)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
        head.eval()
        with torch.inference_mode():
            print(f"epoch {epoch + 1}: loss {float(loss.detach()):.3f}, {report(head)}", flush=True)


def fit_line(features: Tensor, truth: Tensor, penalty: float = 0.05) -> nn.Linear:
    """Logistic regression with a quadratic penalty on the weights of scaled features. Returns a layer of log-odds."""
    mean, spread = features.mean(dim=0), features.std(dim=0) + 1e-4
    scaled = (features - mean) / spread
    weight = torch.zeros(features.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(scaled @ weight + bias, truth)
        loss = loss + penalty * (weight**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    layer = nn.Linear(features.shape[1], 1)
    with torch.no_grad():
        layer.weight.copy_((weight / spread)[None])
        layer.bias.copy_(bias - (weight / spread * mean).sum())
    return layer
