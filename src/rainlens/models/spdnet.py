"""SPDNet (Yi et al. 2021): three stages that are shown the residue channel of the last result.

The residue channel is the largest minus the smallest of a pixel's three colour values. Grey rain
adds the same to all three, so that, where nothing is clipped, the residue is that of the clean
picture, whatever the rain. Each stage works at full, half and quarter size, between Haar wavelet
transforms. Parameter names and shapes are the official ones, some of which take no part; written
from the paper and from such facts, without the authors' code.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens.models.unet import mirror_to_multiple

CHANNELS = 32
LEVELS = 255  # the network thinks in grey levels
MULTIPLE = 4  # of the sides: two wavelet transforms halve them twice
LEAST = 5  # pixels a side: mirrored to 8, a quarter of which can still be padded


class SPDNet(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    n_resblocks: residual blocks in each of its 30 groups. 3 as published, with 3,318,741
    parameters; 1 is our light variant, with 2,086,101, to be called "SPDNet, light" wherever it
    is shown. H and W may be any from 5 on: the picture is mirrored up to a multiple of 4 and
    cropped again. There is no shortcut from the input to the output.

    Raises ValueError if n_resblocks is below 1, or a picture is too small.
    """

    # Official entries that never reach the output.
    UNUSED = ("*.ins.*", "sub?.branch?_?_[du].*", "sub?.down?.*", "sub?.fuse??.conv.*")

    res_extra1: nn.Module
    res_extra2: nn.Module
    res_extra3: nn.Module
    sub1: nn.Module
    sub2: nn.Module
    sub3: nn.Module
    output1: nn.Module
    output2: nn.Module
    output3: nn.Module

    def __init__(self, n_resblocks: int = 3) -> None:
        super().__init__()
        if n_resblocks < 1:
            raise ValueError(f"n_resblocks is {n_resblocks}; a group needs at least 1.")
        c = CHANNELS
        self.conv_init1, self.conv_init2 = PaddedConv(3, c // 2), PaddedConv(c // 2, c)
        self.ag1, self.ag2_en = PaddedConv(2 * c, c), PaddedConv(2 * c, c)
        self.ag2, self.ag_en = PaddedConv(3 * c, c), PaddedConv(3 * c, c)
        for stage in (1, 2, 3):
            self.add_module(f"res_extra{stage}", ResidueFeatures(n_resblocks))
            self.add_module(f"sub{stage}", Stage(n_resblocks))
            self.add_module(f"output{stage}", _conv(c, 3))

    def forward(self, rainy: Tensor) -> Tensor:
        return self.all_outputs(rainy)[-1]

    def all_outputs(self, rainy: Tensor) -> list[Tensor]:
        """The pictures of the three stages, (N, 3, H, W) in [0, 1] each; the last is the result."""
        height, width = rainy.shape[-2:]
        if min(height, width) < LEAST:
            raise ValueError(
                f"The picture has {width}x{height} pixels; SPDNet needs at least {LEAST}x{LEAST}."
            )
        grey_levels = mirror_to_multiple(rainy.float(), MULTIPLE) * LEVELS
        return [out[..., :height, :width] / LEVELS for out in self._stages(grey_levels)]

    def objective(self, rainy: Tensor, clean: Tensor) -> Tensor:
        """The published training loss, a scalar in squared grey levels, for (N, 3, H, W) in [0, 1].

        The sum of the mean squared errors of the three stages' pictures (Yi et al. 2021).
        """
        first, *others = (F.mse_loss(out, clean) for out in self.all_outputs(rainy))
        return LEVELS**2 * sum(others, first)

    def _stages(self, rainy: Tensor) -> list[Tensor]:
        x = self.conv_init2(self.conv_init1(rainy))  # (N, 32, H, W)
        first = self.sub1(x, self.res_extra1(residue(rainy)))
        picture1 = _in_float32(self.output1, first)
        second = self.sub2(self.ag1(torch.cat((first, x), 1)), self.res_extra2(residue(picture1)))
        picture2 = _in_float32(self.output2, self.ag2_en(torch.cat((second, first), 1)))
        both = self.ag2(torch.cat((second, first, x), 1))
        third = self.sub3(both, self.res_extra3(residue(picture2)))
        picture3 = _in_float32(self.output3, self.ag_en(torch.cat((third, second, first), 1)))
        return [picture1, picture2, picture3]


class Stage(nn.Module):
    """Features and residue features in, features out, (N, 32, H, W) each."""

    def __init__(self, n_resblocks: int) -> None:
        super().__init__()
        c = CHANNELS
        self.prior = Prior()
        self.fuse_res = PaddedConv(2 * c, c)
        self.DWT, self.IDWT = Wavelet(), InverseWavelet()
        self.DWT_2, self.DWT_3 = PaddedConv(4 * c, c), PaddedConv(4 * c, c)
        self.IDWT_2, self.IDWT_3 = PaddedConv(c, 4 * c), PaddedConv(c, 4 * c)
        for size in (1, 2, 3):  # full, half, quarter
            for turn in (1, 2, 3):
                self.add_module(f"branch{size}_{turn}", Group(n_resblocks))
        self.fuse12, self.fuse23 = Fuse(), Fuse()
        self._add_unused()

    def _add_unused(self) -> None:
        """What official weights hold for an exchange between sizes that does not take place."""
        self.down2, self.down3 = PaddedConv(CHANNELS, CHANNELS), PaddedConv(CHANNELS, CHANNELS)
        for turn in (1, 2):
            for size in (1, 2):
                self.add_module(f"branch{size}_{turn}_d", PaddedConv(CHANNELS, CHANNELS))
            for size in (2, 3):
                self.add_module(f"branch{size}_{turn}_u", Upsample())

    def forward(self, x: Tensor, prior: Tensor) -> Tensor:
        full = self.fuse_res(torch.cat(self.prior(x, prior), 1))
        half = self.DWT_2(self.DWT(full))  # (N, 32, H/2, W/2)
        quarter = self.DWT_3(self.DWT(half))  # (N, 32, H/4, W/4)
        full, half, quarter = self._branch(1, full), self._branch(2, half), self._branch(3, quarter)
        half = self.fuse23(self.IDWT(self.IDWT_3(quarter)), half)
        return self.fuse12(self.IDWT(self.IDWT_2(half)), full)

    def _branch(self, size: int, x: Tensor) -> Tensor:
        for turn in (1, 2, 3):
            x = self.get_submodule(f"branch{size}_{turn}")(x)
        return x


class Prior(nn.Module):
    """Lets features and residue features mark where the other matters, and weighs both anew."""

    def __init__(self) -> None:
        super().__init__()
        self.query_conv, self.key_conv = _conv(CHANNELS, CHANNELS), _conv(CHANNELS, CHANNELS)
        self.gamma1, self.gamma2 = _conv(2 * CHANNELS, 2), _conv(2 * CHANNELS, 2)

    def forward(self, x: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
        attention = torch.sigmoid(self.query_conv(x) * self.key_conv(prior))  # (N, 32, H, W)
        return _weigh(self.gamma1, x, attention), _weigh(self.gamma2, prior, attention)


class ResidueFeatures(nn.Module):
    """Residue channel, three times over, to features: (N, 3, H, W) -> (N, 32, H, W)."""

    def __init__(self, n_resblocks: int) -> None:
        super().__init__()
        self.conv_init1 = PaddedConv(3, CHANNELS // 2)
        self.conv_init2 = PaddedConv(CHANNELS // 2, CHANNELS)
        self.extra = Group(n_resblocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.extra(self.conv_init2(self.conv_init1(x)))


class Group(nn.Module):
    """Residual blocks and a convolution, with a shortcut around all: relu(x + conv(blocks(x)))."""

    def __init__(self, n_resblocks: int) -> None:
        super().__init__()
        blocks = [Block() for _ in range(n_resblocks)]
        self.module_body = nn.Sequential(*blocks, _conv(CHANNELS, CHANNELS))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.module_body(x))


class Block(nn.Module):
    """Two convolutions, each with a ReLU, a weight for each channel, and a shortcut around all."""

    def __init__(self) -> None:
        super().__init__()
        convolutions = _conv(CHANNELS, CHANNELS), _conv(CHANNELS, CHANNELS)
        self.module_body = nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1], nn.ReLU())
        self.se = ChannelAttention()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.se(self.module_body(x))


class ChannelAttention(nn.Module):
    """Multiplies each channel by a number in (0, 1) that is computed from all channels' means."""

    def __init__(self) -> None:
        super().__init__()
        linear = [nn.Linear(CHANNELS, CHANNELS, bias=False) for _ in range(2)]
        self.fc = nn.Sequential(linear[0], nn.ReLU(), linear[1], nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class PaddedConv(nn.Module):
    """Mirrored border, 3x3 convolution, ReLU; `ins` is in official weights and is not applied."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect")
        self.ins = nn.InstanceNorm2d(after, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


class Fuse(nn.Module):
    """Adds features from below to those of a size, and refines: (N, 32, H, W) twice -> once."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.rb = Upsample(), Block()
        self.conv = PaddedConv(CHANNELS, CHANNELS)  # in official weights, not applied

    def forward(self, below: Tensor, x: Tensor) -> Tensor:
        return F.relu(self.rb(self.up(below, x.shape[-2:]) + x))


class Upsample(nn.Module):
    """Mirrored border, transposed 3x3 convolution of stride 2, ReLU, the nearest pixels of that."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d = nn.ConvTranspose2d(CHANNELS, CHANNELS, 3, stride=2)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        enlarged = F.relu(self.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect")))
        return F.interpolate(enlarged, size, mode="nearest")


class Wavelet(nn.Module):
    """One Haar transform: (N, C, H, W) -> (N, 4 C, H/2, W/2), all LH, then all HL, HH and LL.

    LH is low along the width and high along the height. H and W must be even.
    """

    h0_row: Tensor
    h1_row: Tensor
    h0_col: Tensor
    h1_col: Tensor

    def __init__(self) -> None:
        super().__init__()
        _register_filters(self, "h")

    def forward(self, x: Tensor) -> Tensor:
        low, high = _analyse(x, -1, self.h0_row, self.h1_row)
        ll, lh = _analyse(low, -2, self.h0_col, self.h1_col)
        hl, hh = _analyse(high, -2, self.h0_col, self.h1_col)
        return torch.cat((lh, hl, hh, ll), 1)


class InverseWavelet(nn.Module):
    """The Haar transform back: (N, 4 C, H, W) -> (N, C, 2 H, 2 W).

    The four bands of a channel lie side by side, LL, LH, HL, HH: another order than `Wavelet`
    gives, as in the official network, which has a convolution between the two.
    """

    g0_row: Tensor
    g1_row: Tensor
    g0_col: Tensor
    g1_col: Tensor

    def __init__(self) -> None:
        super().__init__()
        _register_filters(self, "g")

    def forward(self, bands: Tensor) -> Tensor:
        ll, lh, hl, hh = bands.unflatten(1, (-1, 4)).unbind(2)
        low = _synthesise(ll, lh, -2, self.g0_col, self.g1_col)
        high = _synthesise(hl, hh, -2, self.g0_col, self.g1_col)
        return _synthesise(low, high, -1, self.g0_row, self.g1_row)


def residue(picture: Tensor) -> Tensor:
    """Largest minus smallest of R, G and B, three times over: (N, 3, H, W) -> (N, 3, H, W)."""
    return (picture.amax(1, keepdim=True) - picture.amin(1, keepdim=True)).expand(-1, 3, -1, -1)


def _register_filters(module: nn.Module, letter: str) -> None:
    """Haar's filters as buffers of the official names: 0 low, 1 high, along columns and rows."""
    for index, sign in enumerate((1, -1)):
        for name, shape in (("col", (1, 1, 2, 1)), ("row", (1, 1, 1, 2))):
            taps = torch.tensor([1.0, sign]).div(math.sqrt(2)).view(shape)
            module.register_buffer(f"{letter}{index}_{name}", taps)


def _analyse(x: Tensor, dim: int, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Low and high half of the pairs of neighbours along a dimension."""
    first, second = x.unflatten(dim, (-1, 2)).unbind(dim)
    halves = (first * taps.flatten()[0] + second * taps.flatten()[1] for taps in (low, high))
    return next(halves), next(halves)


def _synthesise(low: Tensor, high: Tensor, dim: int, g0: Tensor, g1: Tensor) -> Tensor:
    """The pairs of neighbours along a dimension, interleaved, from their halves."""
    pair = [low * g0.flatten()[i] + high * g1.flatten()[i] for i in (0, 1)]
    return torch.stack(pair, dim).flatten(dim - 1, dim)


def _weigh(gamma: nn.Conv2d, x: Tensor, attention: Tensor) -> Tensor:
    marked = x * attention
    plain, other = gamma(torch.cat((x, marked), 1)).split(1, 1)  # (N, 1, H, W) each
    return x * plain + marked * other


def _in_float32(layer: nn.Module, features: Tensor) -> Tensor:
    # The picture leaves in float32: bfloat16 has steps of one grey level near white.
    with torch.autocast(features.device.type, enabled=False):
        return layer(features.float())


def _conv(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)
