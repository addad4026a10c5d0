"""PReNet and PRN (Ren et al. 2019): a small network that cleans a picture in several rounds.

In each round the same weights see the rainy picture and the last result. PReNet hands features
from round to round through a convolutional LSTM, PRN does not. Parameter names and shapes are
those of the published weights; written from the paper, without the authors' code.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import metrics

CHANNELS = 32
BLOCKS = 5


class PRN(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    rounds: how often the picture is cleaned, 6 as published; the weights are shared, so that
    fewer rounds are lighter, not smaller: 95,107 parameters. Takes pictures of any size.

    Raises ValueError if rounds is below 1.
    """

    def __init__(self, rounds: int = 6) -> None:
        super().__init__()
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; the picture must be cleaned at least once.")
        self.rounds = rounds
        self.conv0 = nn.Sequential(_conv(6, CHANNELS), nn.ReLU())
        for index in range(1, BLOCKS + 1):
            layers = _conv(CHANNELS, CHANNELS), nn.ReLU(), _conv(CHANNELS, CHANNELS), nn.ReLU()
            self.add_module(f"res_conv{index}", nn.Sequential(*layers))
        self.conv = nn.Sequential(_conv(CHANNELS, 3))

    def forward(self, rainy: Tensor) -> Tensor:
        return self.all_outputs(rainy)[-1]

    def all_outputs(self, rainy: Tensor) -> list[Tensor]:
        """The picture after each round, (N, 3, H, W) in [0, 1] each; the last is the result."""
        outputs = [rainy]
        for _ in range(self.rounds):
            features = self.conv0(torch.cat((rainy, outputs[-1]), 1))  # (N, 32, H, W)
            outputs.append(self._picture(features, rainy))
        return outputs[1:]

    def objective(self, rainy: Tensor, clean: Tensor) -> Tensor:
        """The published training loss, a scalar: minus the SSIM of the last round's picture.

        Pictures are (N, 3, H, W) in [0, 1], of at least 11x11 pixels (Ren et al. 2019). The SSIM
        is the one by which this book judges, in float64: next to six rounds of convolutions that
        costs little.
        """
        return -metrics.ssim_rgb(self(rainy), clean).mean()

    def _picture(self, features: Tensor, rainy: Tensor) -> Tensor:
        """Five residual blocks and a convolution that finds what to add to the rainy picture."""
        for index in range(1, BLOCKS + 1):
            block = self.get_submodule(f"res_conv{index}")
            features = F.relu(block(features) + features)
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(rainy.device.type, enabled=False):
            return self.conv(features.float()) + rainy.float()


class PReNet(PRN):
    """PRN with a convolutional LSTM after its first layer, which remembers over the rounds.

    rounds: 6 as published; 168,963 parameters whatever their number.
    """

    conv_i: nn.Module
    conv_f: nn.Module
    conv_g: nn.Module
    conv_o: nn.Module

    def __init__(self, rounds: int = 6) -> None:
        super().__init__(rounds)
        for gate in "ifgo":
            activation = nn.Tanh() if gate == "g" else nn.Sigmoid()
            layers = nn.Sequential(_conv(2 * CHANNELS, CHANNELS), activation)
            self.add_module(f"conv_{gate}", layers)

    def all_outputs(self, rainy: Tensor) -> list[Tensor]:
        """The picture after each round, (N, 3, H, W) in [0, 1] each; the last is the result."""
        outputs = [rainy]
        hidden = cell = rainy.new_zeros(len(rainy), CHANNELS, *rainy.shape[-2:])
        for _ in range(self.rounds):
            features = self.conv0(torch.cat((rainy, outputs[-1]), 1))  # (N, 32, H, W)
            both = torch.cat((features, hidden), 1)  # (N, 64, H, W)
            cell = self.conv_f(both) * cell + self.conv_i(both) * self.conv_g(both)
            hidden = self.conv_o(both) * torch.tanh(cell)
            outputs.append(self._picture(hidden, rainy))
        return outputs[1:]


def _conv(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)
