"""The papers' plain network: SRResNet without its upsampling (Ledig et al. 2017).

A convolution in, residual blocks, a convolution whose result is added to the first features, a
convolution out. No batch normalisation (it ties the pictures of a batch together, and later
restoration networks dropped it), and, unless asked for, no shortcut from the input picture to the
output: the network has to draw the background itself.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResNet(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    blocks: residual blocks of two 3x3 convolutions; channels: their width. 16 and 64, the
    default, have 1.2 million parameters. Each output pixel sees 4 * blocks + 7 input pixels
    across. shortcut: whether the input picture is added to the result, as in public code of the
    papers' authors; the network then starts close to a copy.
    """

    def __init__(self, blocks: int = 16, channels: int = 64, shortcut: bool = False) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.body = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)
        if shortcut:
            shrink(self.tail)

    def forward(self, rainy: Tensor) -> Tensor:
        features = F.relu(self.head(rainy))  # (N, C, H, W)
        features = features + self.body(self.blocks(features))
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(rainy.device.type, enabled=False):
            drawn = self.tail(features.float())  # (N, 3, H, W)
            return drawn + rainy if self.shortcut else drawn


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), both 3x3, the size unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        # Each block starts as a small correction, so that deep stacks train at a high rate.
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x)))


def shrink(layer: nn.Conv2d, factor: float = 0.1) -> None:
    """Scales weights and bias, so that what the layer adds to a shortcut starts near zero."""
    with torch.no_grad():
        layer.weight.mul_(factor)
        if layer.bias is not None:
            layer.bias.mul_(factor)
