"""Encoder and decoder of the VQGAN (Esser, Rombach, Ommer 2021).

Parameter names and shapes are those of the official code, so that its checkpoints, and those of
latent diffusion's first stages, load with `strict=True`. Two things that one would not guess from
the names: halving pads at the right and the bottom only, and the decoder's list `up` is stored in
the order of the encoder's `down`, full size first, but runs from its end to its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6  # of the normalisation; PyTorch's own default is ten times that


@dataclass(frozen=True)
class Shape:
    """What decides the parameters of an encoder and a decoder.

    width: channels at full size ("ch"); multipliers: width of each level over it ("ch_mult"), and
    with each further level the picture is halved; blocks: residual blocks a level, one more in the
    decoder; latent: channels between the two ("z_channels"). attention: sizes of the feature maps
    that get attention, of a picture of `resolution`; the middle has it always. groups: of the
    normalisation. With as many groups as channels it erases each channel's mean and contrast.
    """

    width: int
    multipliers: tuple[int, ...]
    blocks: int
    latent: int
    attention: tuple[int, ...] = ()
    resolution: int = 256
    groups: int = 32

    @property
    def factor(self) -> int:
        """f: pixels a side of one latent, 2^(levels - 1)."""
        return 2 ** (len(self.multipliers) - 1)

    def levels(self) -> Iterator[tuple[int, bool]]:
        """(channels, whether blocks are followed by attention) of each level, full size first."""
        for level, multiplier in enumerate(self.multipliers):
            yield self.width * multiplier, self.resolution // 2**level in self.attention


class Encoder(nn.Module):
    """Picture (N, 3, H, W) in [-1, 1] -> latent (N, latent, H/f, W/f); H, W multiples of f."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, shape.width, 3, padding=1)
        self.down = nn.ModuleList()
        channels = shape.width
        for level, (after, attends) in enumerate(shape.levels()):
            stage = Stage(channels, after, shape.blocks, attends, shape.groups)
            if level < len(shape.multipliers) - 1:
                stage.downsample = Downsample(after)
            self.down.append(stage)
            channels = after
        self.mid = Middle(channels, shape.groups)
        self.norm_out = nn.GroupNorm(shape.groups, channels, EPSILON)
        self.conv_out = nn.Conv2d(channels, shape.latent, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.conv_in(picture)  # (N, C, H, W)
        for stage in self.down:
            x = stage(x)  # (N, C', H/2, W/2), but for the last
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    """Latent (N, latent, h, w) -> picture (N, 3, f h, f w), nominally in [-1, 1], not clamped."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        levels = list(shape.levels())
        channels = levels[-1][0]
        self.conv_in = nn.Conv2d(shape.latent, channels, 3, padding=1)
        self.mid = Middle(channels, shape.groups)
        stages: list[Stage] = []
        for level, (after, attends) in reversed(list(enumerate(levels))):
            stage = Stage(channels, after, shape.blocks + 1, attends, shape.groups)
            if level > 0:
                stage.upsample = Upsample(after)
            stages.insert(0, stage)
            channels = after
        self.up = nn.ModuleList(stages)  # in the order of `down`: up[0] has full size
        self.norm_out = nn.GroupNorm(shape.groups, channels, EPSILON)
        self.conv_out = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.mid(self.conv_in(latent))  # (N, C, h, w)
        for stage in reversed(self.up):
            x = stage(x)  # (N, C', 2h, 2w), but for the last
        x = F.silu(self.norm_out(x))
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(latent.device.type, enabled=False):
            return self.conv_out(x.float())


class Stage(nn.Module):
    """Residual blocks of one size, each followed by attention where `attends`, then a change of
    size where one was set. The width changes in the first block."""

    def __init__(self, before: int, after: int, blocks: int, attends: bool, groups: int) -> None:
        super().__init__()
        widths = [before, *[after] * (blocks - 1)]
        self.block = nn.ModuleList(ResnetBlock(width, after, groups) for width in widths)
        self.attn = nn.ModuleList(AttnBlock(after, groups) for _ in widths if attends)
        self.downsample: nn.Module | None = None
        self.upsample: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if len(self.attn):
                x = self.attn[index](x)
        resize = self.downsample or self.upsample
        return x if resize is None else resize(x)


class Middle(nn.Module):
    """Block, attention, block at the smallest size."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels, groups)
        self.attn_1 = AttnBlock(channels, groups)
        self.block_2 = ResnetBlock(channels, channels, groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class ResnetBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))); x goes through a 1x1 where the width changes."""

    def __init__(self, before: int, after: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, before, EPSILON)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, after, EPSILON)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        if before != after:
            self.nin_shortcut = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(F.silu(self.norm1(x)))
        inner = self.conv2(F.silu(self.norm2(inner)))
        return inner + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttnBlock(nn.Module):
    """x + self-attention of one head over all positions, scores scaled by C^-0.5."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, EPSILON)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        rows = (
            conv(normed).flatten(2).transpose(1, 2)[:, None]  # (N, 1, H W, C)
            for conv in (self.q, self.k, self.v)
        )
        mixed = F.scaled_dot_product_attention(*rows)[:, 0].transpose(1, 2)
        return x + self.proj_out(mixed.reshape(x.shape))


class Downsample(nn.Module):
    """H x W, both even -> H/2 x W/2: a row and a column of zeros below and right, 3x3, stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """H x W -> 2H x 2W: each value four times, then 3x3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
