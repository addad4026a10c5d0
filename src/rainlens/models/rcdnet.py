"""RCDNet (Wang et al. 2020): rain as a sum of streak shapes, each laid down by a map of its own.

rainy = background + sum over 32 maps M of (M convolved with its rain kernel). A fixed number of
stages of an iterative solver is unfolded; each improves the maps, then the background, with one
small residual network in place of what the solver knows about maps and about backgrounds.
Parameter names and shapes are the official ones, some of which take no part; written from the
paper and from such facts, without the authors' code.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAPS = 32  # rain maps, one a kernel
DUAL = 32  # channels that travel with the background's three
KERNEL = 9  # side of a rain kernel in pixels
LEVELS = 255  # the network thinks in grey levels: its thresholds are 0.5 and 1 of them
STEP = 10  # step sizes and rain kernels are stored times 10


class Solution(NamedTuple):
    """What RCDNet finds on its way, (N, 3, H, W) each, in [0, 1].

    first: the background before any rain was estimated. backgrounds: after each stage, and last
    of all the result. rain_layers: one a stage.
    """

    first: Tensor
    backgrounds: list[Tensor]
    rain_layers: list[Tensor]


class RCDNet(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    stages: 17 as published, with 3,166,355 parameters; 5 is our light variant, to be called
    "RCDNet, light" wherever it is shown. Takes pictures of any size.

    It has BatchNorm, unlike the other networks here: in training mode a picture is normalised
    by the statistics of its batch, in eval mode by running ones, and the outputs differ visibly.
    Evaluate in eval mode.

    Raises ValueError if stages is below 3: of the stored kernels all stages use the second.
    """

    # Official entries that never reach the output. Of `conv`, only index 1 does.
    UNUSED = ("eta1", "mnet.*")

    def __init__(self, stages: int = 17) -> None:
        super().__init__()
        if stages < 3:
            raise ValueError(f"stages is {stages}; RCDNet needs at least 3.")
        kernels = rain_kernels().expand(3, -1, -1, -1)
        self.eta1, self.eta2 = _parameter(torch.ones(1)), _parameter(torch.full((1,), 5.0))
        self.eta11 = _parameter(torch.ones(stages - 1, 1))
        self.eta12 = _parameter(torch.full((stages - 1, 1), 5.0))
        self.weight0 = _parameter(kernels)
        self.conv = _parameter(kernels.expand(stages - 1, -1, -1, -1, -1))
        self.w_z_f = _parameter(torch.full((DUAL, 3, 3, 3), 1 / 9))
        self.tau = _parameter(torch.ones(1))
        self.xnet, self.fxnet = BackgroundNet(), BackgroundNet()
        self.x_stage = nn.ModuleList(BackgroundNet() for _ in range(stages))
        self.mnet = MapNet()
        self.m_stage = nn.ModuleList(MapNet() for _ in range(stages))

    def to(
        self, *args: Any, memory_format: torch.memory_format | None = None, **kwargs: Any
    ) -> RCDNet:
        """As of every module, but that a layout in memory is for the layers alone.

        torch has no channels-last layout for `conv`, which the official names make a parameter
        with five dimensions, and would refuse the whole network.
        """
        super().to(*args, **kwargs)
        for child in self.children():
            child.to(memory_format=memory_format or torch.preserve_format)
        return self

    def forward(self, rainy: Tensor) -> Tensor:
        return self.all_outputs(rainy).backgrounds[-1]

    def all_outputs(self, rainy: Tensor) -> Solution:
        """The backgrounds and rain layers of all stages for rainy pictures (N, 3, H, W)."""
        rainy = rainy.float() * LEVELS
        first, dual = _split(self.xnet(torch.cat((rainy, self._dual(rainy)), 1)))
        maps = self._transposed(F.relu(rainy - first - self.tau), self.weight0)  # (N, 32, H, W)
        backgrounds: list[Tensor] = []
        layers: list[Tensor] = []
        background = first
        for stage, step in enumerate((self.eta2, *self.eta12)):
            if stage:
                maps = self._descend(stage, maps, layers[-1] - (rainy - background))
            maps = self.m_stage[stage](maps)
            layers.append(self._rain(maps))
            moved = background - step / STEP * (background - (rainy - layers[-1]))
            background, dual = _split(self.x_stage[stage](torch.cat((moved, dual), 1)))
            backgrounds.append(background)
        backgrounds.append(_split(self.fxnet(torch.cat((background, dual), 1)))[0])
        return Solution(first / LEVELS, _to_unit(backgrounds), _to_unit(layers))

    def objective(self, rainy: Tensor, clean: Tensor) -> Tensor:
        """The published training loss, a scalar in squared grey levels, for (N, 3, H, W) in [0, 1].

        Mean squared errors of the last background (weight 1) and the last rain layer (0.9), and,
        at weight 0.1, of the first background and of the background and the rain layer of every
        stage (Wang et al. 2020). The sums over stages are those of the authors' code since
        September 2022; before, they had no gradient, so that the weights of 2020 were trained
        without them.
        """
        found, rain = self.all_outputs(rainy), rainy - clean
        *stages, last = [F.mse_loss(picture, clean) for picture in found.backgrounds]
        layers = [F.mse_loss(layer, rain) for layer in found.rain_layers]
        on_the_way = F.mse_loss(found.first, clean) + sum(stages) + sum(layers)
        return LEVELS**2 * (last + 0.9 * layers[-1] + 0.1 * on_the_way)

    def _dual(self, rainy: Tensor) -> Tensor:
        with torch.autocast(rainy.device.type, enabled=False):
            return F.conv2d(rainy, self.w_z_f, padding=1)  # (N, 32, H, W)

    def _descend(self, stage: int, maps: Tensor, error: Tensor) -> Tensor:
        """One gradient step over the maps; error is the rain they make less the rain there is."""
        return maps - self.eta11[stage - 1] / STEP * self._transposed(error, self.conv[1])

    def _rain(self, maps: Tensor) -> Tensor:
        """The rain layer that the maps lay down: (N, 32, H, W) -> (N, 3, H, W)."""
        # In float32: bfloat16 holds 8 bits, and rain that is subtracted needs all grey levels.
        with torch.autocast(maps.device.type, enabled=False):
            return F.conv2d(maps, self.conv[1] / STEP, padding=KERNEL // 2)

    def _transposed(self, layer: Tensor, kernels: Tensor) -> Tensor:
        """The adjoint of `_rain`: (N, 3, H, W) -> (N, 32, H, W)."""
        with torch.autocast(layer.device.type, enabled=False):
            return F.conv_transpose2d(layer, kernels / STEP, padding=KERNEL // 2)


class BackgroundNet(nn.Module):
    """Four residual blocks on a background and its dual channels, (N, 35, H, W), in grey levels.

    It stands for the proximal operator of the background: what makes a picture look clean.
    """

    resx1: nn.Module
    resx2: nn.Module
    resx3: nn.Module
    resx4: nn.Module

    def __init__(self) -> None:
        super().__init__()
        for index in range(1, 5):
            self.add_module(f"resx{index}", _residual(3 + DUAL))

    def forward(self, x: Tensor) -> Tensor:
        for block in (self.resx1, self.resx2, self.resx3, self.resx4):
            x = F.relu(x + block(x))  # the sum in float32, under autocast too
        return x


class MapNet(nn.Module):
    """Four residual blocks and a soft threshold on rain maps, (N, 32, H, W): few drops, no more.

    It stands for the proximal operator of the maps: what makes them sparse.
    """

    resm1: nn.Module
    resm2: nn.Module
    resm3: nn.Module
    resm4: nn.Module

    def __init__(self) -> None:
        super().__init__()
        for index in range(1, 5):
            self.add_module(f"resm{index}", _residual(MAPS))
        self.tau = _parameter(torch.full((1, MAPS, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        for block in (self.resm1, self.resm2, self.resm3, self.resm4):
            x = F.relu(x + block(x))
        return F.relu(x - self.tau)


def rain_kernels() -> Tensor:
    """The 32 streaks that RCDNet starts from, (32, 9, 9), each with sum 1: upright, ever longer.

    A streak is a Gaussian bell, stretched along y. The first 12 have a width of a quarter pixel
    and are stretched 2.75 to 5.5 times, the others are three pixels wide and stretched 5.25 to 10
    times. Numbers of the authors' initial kernels.
    """
    thin = [_streak(long=2.5 + i / 4, inner=0.1, std=0.25) for i in range(1, 13)]
    wide = [_streak(long=2 + i / 4, inner=0.2, std=0.5) for i in range(13, MAPS + 1)]
    return torch.stack(thin + wide).float()


def _streak(long: float, inner: float, std: float) -> Tensor:
    half = KERNEL // 2
    offset = torch.arange(-half, half + 1, dtype=torch.float64).abs()
    offset = (offset - round(half * inner)).clamp(min=0)  # a flat core
    exponent = (offset[:, None] / long) ** 2 + offset[None] ** 2  # y down, x across
    bell = torch.exp(-exponent / (2 * std**2))
    bell[bell < torch.finfo(bell.dtype).eps * bell.max()] = 0
    return bell / bell.sum()


def _residual(channels: int) -> nn.Sequential:
    def conv() -> nn.Conv2d:
        return nn.Conv2d(channels, channels, 3, padding=1)

    norms = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
    return nn.Sequential(conv(), norms[0], nn.ReLU(), conv(), norms[1])


def _parameter(values: Tensor) -> nn.Parameter:
    # Memory of its own: the optimiser refuses views that repeat one number.
    return nn.Parameter(values.clone(memory_format=torch.contiguous_format))


def _to_unit(pictures: list[Tensor]) -> list[Tensor]:
    return [picture / LEVELS for picture in pictures]


def _split(x: Tensor) -> tuple[Tensor, Tensor]:
    """Background and dual channels: (N, 35, H, W) -> (N, 3, H, W), (N, 32, H, W)."""
    return x[:, :3], x[:, 3:]
