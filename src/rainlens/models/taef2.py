"""TAEF2: a small autoencoder that others trained on many pictures (madebyollin/taesd, MIT).

A prior without a code book of its own, 8 times smaller a side, with 32 channels; `ProductCodes`
gives it one. Names (indices) and shapes are the published ones, so that its weights load strictly.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import data
from rainlens.models.prior import Prior, Quantised
from rainlens.models.product_codes import ProductCodes

WIDTH = 64
CHANNELS = 32  # of the latent
GROUPS = 4  # of the normalisation; not to be seen from the weights
PARTS = ("encoder", "decoder")


class TAEF2(Prior):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    groups, codes: of the product code book between encoder and decoder; 0 groups, the default,
    leave it out. The book starts empty: `self.codes.fit` fills it. Pictures of any size are
    mirrored up to a multiple of 8 and cropped. Freshly initialised; `load_published` has the
    published weights.
    """

    factor = 8

    def __init__(self, groups: int = 0, codes: int = 1024) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(_conv(3, WIDTH), Block()),
            *(_halve(), Block(), Block(), Block()),
            *(_halve(), Block(), Block(), Block()),
            *(_halve(), Block(pools=True), Block(pools=True), Block(pools=True)),
            _conv(WIDTH, CHANNELS),
        )
        self.decoder = nn.Sequential(
            *(SoftClamp(), _conv(CHANNELS, WIDTH), nn.ReLU()),
            *(Block(pools=True), Block(pools=True), Block(pools=True), *_double()),
            *(Block(), Block(), Block(), *_double()),
            *(Block(), Block(), Block(), *_double()),
            *(Block(), _conv(WIDTH, 3)),
        )
        self.codes = ProductCodes(groups, codes, CHANNELS) if groups else None

    def encode(self, picture: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], sides multiples of 8 -> latent (N, 32, H/8, W/8)."""
        return self.encoder(picture)

    def quantise(self, latent: Tensor) -> Quantised:
        """The latent on the product codes, see `Quantised`; itself where there are none."""
        if self.codes is None:
            return Quantised(latent, None, latent.new_zeros(()))
        return self.codes(latent)

    def decode(self, values: Tensor) -> Tensor:
        """(N, 32, h, w) -> picture (N, 3, 8h, 8w), nominally [0, 1], not clamped."""
        *body, last = self.decoder
        for layer in body:
            values = layer(values)
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(values.device.type, enabled=False):
            return last(values.float())


class Block(nn.Module):
    """relu(x + three 3x3 convolutions with ReLU between them), 64 channels.

    pools: first adds to x what 1x1 convolutions around a normalisation over the whole picture
    make of it, so that distant parts hear of each other.
    """

    def __init__(self, pools: bool = False) -> None:
        super().__init__()
        first, second, third = (_conv(WIDTH, WIDTH) for _ in range(3))
        self.conv = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)
        self.pool: nn.Module | None = None
        if pools:
            wide = 4 * WIDTH
            self.pool = nn.Sequential(
                nn.Conv2d(WIDTH, wide, 1, bias=False),
                nn.GroupNorm(GROUPS, wide),
                nn.ReLU(),
                nn.Conv2d(wide, WIDTH, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return F.relu(x + self.conv(x))


class SoftClamp(nn.Module):
    """3 tanh(x / 3): leaves small values as they are and ends at -3 and 3."""

    def forward(self, x: Tensor) -> Tensor:
        return 3 * torch.tanh(x / 3)


def published_folder() -> Path | None:
    """Where the published weights lie, `weights/taef2` of RAINLENS_DATA; None if they do not."""
    root = data.data_root()
    folder = root / "weights" / "taef2" if root else None
    return folder if folder and all(_file(folder, part).is_file() for part in PARTS) else None


def load_published(model: TAEF2, folder: Path | None = None) -> None:
    """Gives the model the published weights, strictly; a code book keeps what it holds.

    folder: with taef2_encoder.pth and taef2_decoder.pth; None is `published_folder()`. Raises
    DataError where they are not there.
    """
    folder = folder or published_folder()
    if folder is None or not all(_file(folder, part).is_file() for part in PARTS):
        raise data.DataError(
            "The weights of TAEF2 are not there: put taef2_encoder.pth and taef2_decoder.pth into "
            "weights/taef2 of the folder that RAINLENS_DATA names."
        )
    for part in PARTS:
        state = torch.load(_file(folder, part), map_location="cpu", weights_only=True)
        getattr(model, part).load_state_dict(state)


def _file(folder: Path, part: str) -> Path:
    return folder / f"taef2_{part}.pth"


def _conv(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)


def _halve() -> nn.Conv2d:
    return nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1, bias=False)


def _double() -> tuple[nn.Module, nn.Module]:
    return nn.Upsample(scale_factor=2), nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
