"""Many small networks in one program: is that quicker than one after another?

Two ways to train K ResNets of one architecture at once, each on batches of its own. `Stacked`:
weights stacked along a new dimension, `torch.func` maps the loss over it. `Grouped`: one network
of K times the channels, whose convolutions fall into K groups.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from rainlens import models
from rainlens.training import precision

CPU = torch.device("cpu")


class Stacked:
    """K networks by `vmap`; `step` trains each on its part of (K, N, 3, H, W)."""

    def __init__(self, count: int, **options: int) -> None:
        networks = [models.build("resnet", **options) for _ in range(count)]
        weights, _ = stack_module_state(networks)
        self.weights = {name: nn.Parameter(value) for name, value in weights.items()}
        self.skeleton = networks[0].to("meta")
        self.optimizer = torch.optim.Adam(self.weights.values(), fused=True)

    def step(self, rainy: Tensor, clean: Tensor) -> None:
        """One step of each network."""

        def loss(weights: dict[str, Tensor], rainy: Tensor, clean: Tensor) -> Tensor:
            with precision(CPU):
                return nn.functional.l1_loss(
                    functional_call(self.skeleton, weights, rainy).float(), clean
                )

        gradients = vmap(grad(loss))(self.weights, rainy, clean)
        for name, weight in self.weights.items():
            weight.grad = gradients[name]
        self.optimizer.step()


class Grouped:
    """K networks side by side in the channels of one."""

    def __init__(self, count: int, **options: int) -> None:
        one = models.build("resnet", **options)
        for name, layer in list(one.named_modules()):
            if isinstance(layer, nn.Conv2d):
                parent, _, last = name.rpartition(".")
                setattr(one.get_submodule(parent), last, _in_groups(layer, count))
        self.network = one.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(one.parameters(), fused=True)

    def step(self, rainy: Tensor, clean: Tensor) -> None:
        """One step of each network; batches (K, N, 3, H, W)."""
        rainy, clean = (_side_by_side(part) for part in (rainy, clean))
        with precision(CPU):
            # Each network's mean counts fully, as if it were alone.
            loss = nn.functional.l1_loss(self.network(rainy), clean) * (rainy.shape[1] // 3)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def _in_groups(layer: nn.Conv2d, count: int) -> nn.Conv2d:
    return nn.Conv2d(
        layer.in_channels * count,
        layer.out_channels * count,
        layer.kernel_size,
        padding=layer.padding,
        groups=count,
    )


def _side_by_side(batches: Tensor) -> Tensor:
    """(K, N, 3, H, W) -> (N, K * 3, H, W)."""
    count, size, _, height, width = batches.shape
    flat = batches.transpose(0, 1).reshape(size, 3 * count, height, width)
    return flat.contiguous(memory_format=torch.channels_last)


WAYS = {"stacked": Stacked, "grouped": Grouped}
