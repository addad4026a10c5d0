"""An encoder-decoder with skip connections (Ronneberger et al. 2015), as deraining networks use it.

Two convolutions a level, strided convolutions on the way down, nearest-neighbour enlargement and
a convolution on the way up (transposed convolutions leave checkerboards), and skips that are
joined by concatenation. Like our ResNet it has no normalisation and, unless asked for, no shortcut
from the input picture to the output.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens.models.resnet import shrink


class UNet(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    width: channels at full size; they double with each halving. depth: how often the picture is
    halved. 32 and 3, the default, have 2.9 million parameters. H and W may be any: the picture is
    mirrored up to a multiple of 2^depth and cropped again. shortcut: whether the input picture is
    added to the result; the network then starts close to a copy. latent: above 0, the deepest
    features pass through so many channels, whose values `latents` gives.

    Raises ValueError if width or depth is below 1, or a picture is too small to be mirrored.
    """

    def __init__(
        self, width: int = 32, depth: int = 3, shortcut: bool = False, latent: int = 0
    ) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            raise ValueError(f"width is {width} and depth {depth}; both must be at least 1.")
        self.shortcut = shortcut
        self.multiple = 2**depth
        widths = [width * 2**level for level in range(depth + 1)]
        pairs = list(zip(widths, widths[1:], strict=False))
        self.head = Pair(3, width)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.encoder = nn.ModuleList(Pair(b, b) for _, b in pairs)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in reversed(pairs))
        self.decoder = nn.ModuleList(Pair(2 * a, a) for a, _ in reversed(pairs))
        self.tail = nn.Conv2d(width, 3, 3, padding=1)
        if latent:
            self.squeeze = nn.Conv2d(widths[-1], latent, 1)
            self.expand = nn.Conv2d(latent, widths[-1], 1)
        if shortcut:
            shrink(self.tail)

    def forward(self, rainy: Tensor) -> Tensor:
        height, width = rainy.shape[-2:]
        x, skips = self._encode(rainy)
        if hasattr(self, "squeeze"):
            x = F.relu(self.expand(self.squeeze(x)))
        for up, decode in zip(self.up, self.decoder, strict=True):
            x = F.relu(up(F.interpolate(x, scale_factor=2, mode="nearest")))
            x = decode(torch.cat((skips.pop(), x), dim=1))  # (N, C, H, W)
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(rainy.device.type, enabled=False):
            drawn = self.tail(x.float())[..., :height, :width]
            return drawn + rainy if self.shortcut else drawn

    def latents(self, rainy: Tensor) -> Tensor:
        """The latent of each picture, (N, latent, h, w), h and w a 2^depth-th of its sides."""
        return self.squeeze(self._encode(rainy)[0])

    def _encode(self, rainy: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The deepest features (N, C, h, w), and those handed over, from large to small."""
        x = self.head(mirror_to_multiple(rainy, self.multiple))
        skips = []
        for down, encode in zip(self.down, self.encoder, strict=True):
            skips.append(x)
            x = encode(F.relu(down(x)))  # (N, 2C, H/2, W/2)
        return x, skips


class Pair(nn.Sequential):
    """Two 3x3 convolutions, each followed by a ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1),
            nn.ReLU(inplace=True),
        )


def mirror_to_multiple(picture: Tensor, multiple: int) -> Tensor:
    """(N, C, H, W) mirrored at the right and the bottom until both are a multiple of `multiple`.

    Raises ValueError where a side is too short to be mirrored that far.
    """
    height, width = picture.shape[-2:]
    right, bottom = -width % multiple, -height % multiple
    if right >= width or bottom >= height:
        raise ValueError(
            f"The picture has {width}x{height} pixels: too small for a network that needs a "
            f"multiple of {multiple}; use a larger one."
        )
    return F.pad(picture, (0, right, 0, bottom), mode="reflect") if right or bottom else picture
