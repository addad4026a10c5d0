"""Pictures too large for a network's memory: cut into tiles that overlap, and joined again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

OVERLAP = 4  # a quarter of a tile's side is shared with its neighbour


def in_tiles(network: Callable[[Tensor], Tensor], pictures: Tensor, side: int) -> Tensor:
    """network(pictures) for (N, C, H, W), never on more than side x side pixels at a time.

    Where tiles overlap, their answers fade into each other, so that no seam shows; a network that
    looks further than the overlap still answers otherwise than for the whole picture.
    """
    height, width = pictures.shape[-2:]
    rows, columns = _starts(height, side), _starts(width, side)
    total = torch.zeros_like(pictures, dtype=torch.float32)
    weights = torch.zeros(1, 1, height, width)
    for top in rows:
        for left in columns:
            place = ..., slice(top, top + side), slice(left, left + side)
            tile = pictures[place]
            fade = _fade(tile.shape[-2], side)[:, None] * _fade(tile.shape[-1], side)
            total[place] += network(tile).float().cpu() * fade
            weights[place] += fade
    return total / weights


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin: evenly, the last one ending with the picture."""
    if length <= side:
        return [0]
    step = side - side // OVERLAP
    return [*range(0, length - side, step), length - side]


def _fade(length: int, side: int) -> Tensor:
    """1 in the middle, falling towards both ends over the overlap; nowhere 0."""
    reach = max(1, side // OVERLAP)
    place = torch.arange(length, dtype=torch.float32) + 1
    return torch.minimum(place, place.flip(0)).clamp(max=reach) / reach
