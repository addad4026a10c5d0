"""What every prior of pictures has in common: picture -> latent -> codes -> picture.

A prior answers with pictures that its decoder can draw from its codes. `VQGAN` and `TAEF2` are
priors; fine-tuning trains the encoder's side and leaves the rest as it is (2026 paper, Sec. 6.2).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from rainlens.models.unet import mirror_to_multiple


class Quantised(NamedTuple):
    """A latent put on a code book.

    values: (N, C, h, w), float32, rows of the book; its gradient goes to the latent as if nothing
    had been done to it (the straight-through estimator). codes: (N, h, w) numbers of the rows, or
    (N, G, h, w) where the channels are cut into G groups; None without a book. loss: what pulls
    latent and rows together, a scalar, 0 where there is nothing to pull.
    """

    values: Tensor
    codes: Tensor | None
    loss: Tensor


@runtime_checkable
class Adapting(Protocol):
    """A part that changes without gradients while `adapts` is True."""

    adapts: bool


class Prior(nn.Module, ABC):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    H and W may be any: the picture is mirrored up to a multiple of `factor` and cropped again.
    Raises ValueError where a picture is too small to be mirrored.
    """

    factor: int

    @abstractmethod
    def encode(self, picture: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], sides multiples of `factor` -> latent (N, C, H/f, W/f)."""

    @abstractmethod
    def quantise(self, latent: Tensor) -> Quantised:
        """The latent on the code book; itself where the prior has none."""

    @abstractmethod
    def decode(self, values: Tensor) -> Tensor:
        """Latent or rows of the book (N, C, h, w) -> picture (N, 3, f h, f w), nominally [0, 1]."""

    def forward(self, rainy: Tensor) -> Tensor:
        height, width = rainy.shape[-2:]
        latent = self.encode(mirror_to_multiple(rainy, self.factor))
        return self.decode(self.quantise(latent).values)[..., :height, :width]

    @torch.no_grad()
    def ceiling(self, clean: Tensor) -> Tensor:
        """decode(quantise(encode(clean))), for pictures (N, 3, H, W) of any size, without gradient.

        The nearest that the prior comes to a picture by its own encoder, and so a mark for how
        well it can restore one. No code changes. Take it from the prior before fine-tuning: after
        it, the encoder's answer to clean pictures is another one.
        """
        return self(clean)


def straight_through(latent: Tensor, chosen: Tensor) -> Tensor:
    """The values of `chosen` to the last bit, with the gradient of `latent`."""
    # latent + (chosen - latent) would round: its values are only nearly rows of the book.
    return chosen.detach() + (latent - latent.detach())


def perplexity(codes: Tensor, count: int) -> Tensor:
    """exp of the entropy of codes 0 to count - 1: as many as would be used if all were used alike.

    codes: integers of any shape. A scalar, 1 to `count`.
    """
    shares = _counts(codes, count) / codes.numel()
    return torch.special.entr(shares).sum().exp()


def live_fraction(codes: Tensor, count: int) -> Tensor:
    """Which fraction of the codes 0 to count - 1 occurs among `codes`; a scalar, 0 to 1."""
    return (_counts(codes, count) > 0).float().mean()


def freeze(model: nn.Module, trained: Collection[str]) -> None:
    """Only the children named in `trained` learn; the others keep their parameters and codes.

    For fine-tuning a VQGAN, ("encoder", "quant_conv"); a TAEF2, ("encoder",). Raises ValueError
    for a name that is no child of the model.
    """
    children = dict(model.named_children())
    unknown = sorted(set(trained) - set(children))
    if unknown:
        raise ValueError(f"The model has no part {unknown[0]!r}; it has: {', '.join(children)}.")
    for name, child in children.items():
        child.requires_grad_(name in trained)
        for module in child.modules():
            if isinstance(module, Adapting):  # a code book that learns without gradients, too
                module.adapts = name in trained


def checksum(module: nn.Module) -> str:
    """SHA-256 of all parameters and buffers with their names, types and shapes.

    Two modules have the same one exactly if their state is the same to the bit.
    """
    total = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        value = value.detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _counts(codes: Tensor, count: int) -> Tensor:
    return torch.bincount(codes.flatten(), minlength=count)
