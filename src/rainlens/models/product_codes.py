"""A code book without training: k-means on latents, channel group by channel group.

Cutting the C channels into G groups, each with K codes of its own, gives K^G vectors for the
storage of K (product quantisation, Jegou et al. 2011), and a dial: G log2 K bits a latent.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rainlens.models.prior import Quantised, straight_through
from rainlens.randomness import generator

ROUNDS = 25  # of Lloyd's algorithm
ENTRIES = 32_000_000  # distances held at a time, 128 MB


class ProductCodes(nn.Module):
    """Latent (N, channels, h, w) -> each group of channels on the nearest of its codes.

    groups: G, which divides the channels; codes: K, of each group. The book is no parameter: it
    does not learn by gradients and `fit` alone changes it. Raises ValueError where groups does not
    divide the channels.
    """

    book: Tensor

    def __init__(self, groups: int, codes: int, channels: int) -> None:
        super().__init__()
        if channels % groups:
            raise ValueError(f"groups is {groups}, which does not divide {channels} channels.")
        self.register_buffer("book", torch.zeros(groups, codes, channels // groups))

    def forward(self, latent: Tensor) -> Quantised:
        with torch.autocast(latent.device.type, enabled=False):
            number, channels, height, width = latent.shape
            rows = self._rows(latent.float())  # (G, M, C/G) with M = N h w
            codes = nearest(rows, self.book)  # (G, M)
            chosen = torch.stack([book[code] for book, code in zip(self.book, codes, strict=True)])
            values = straight_through(rows, chosen)
            values = values.permute(1, 0, 2).reshape(number, height, width, channels)
            codes = codes.view(-1, number, height, width).transpose(0, 1)  # (N, G, h, w)
            return Quantised(values.movedim(-1, 1), codes, latent.new_zeros(()))

    @torch.no_grad()
    def fit(self, latents: Tensor, seed: int) -> None:
        """Fills the book by k-means on latents (N, channels, h, w); the same for the same seed.

        Raises ValueError where there are fewer latents than codes.
        """
        rows = self._rows(latents.float())
        if rows.shape[1] < self.book.shape[1]:
            raise ValueError(
                f"{rows.shape[1]} latents cannot give {self.book.shape[1]} codes: take more "
                "pictures, or fewer codes."
            )
        self.book.copy_(torch.stack([k_means(group, self.book.shape[1], seed) for group in rows]))

    def bits(self, factor: int) -> float:
        """Bits that the codes of a picture take, a pixel, where a latent has factor^2 pixels."""
        groups, codes, _ = self.book.shape
        return groups * math.log2(codes) / factor**2

    def _rows(self, latent: Tensor) -> Tensor:
        places = latent.movedim(1, -1).flatten(0, -2)  # (M, C)
        return places.view(len(places), len(self.book), -1).transpose(0, 1)  # (G, M, C/G)


def k_means(rows: Tensor, count: int, seed: int, rounds: int = ROUNDS) -> Tensor:
    """`count` centres (count, C) of the vectors (M, C), by Lloyd's algorithm.

    It starts from random different rows; a centre that nobody is nearest to moves to a random row.
    """
    source = generator(seed, "k-means")
    centres = rows[torch.randperm(len(rows), generator=source)[:count]].clone()
    for _ in range(rounds):
        codes = nearest(rows[None], centres[None])[0]
        sizes = torch.bincount(codes, minlength=count)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, codes, rows)
        fresh = rows[torch.randint(len(rows), (count,), generator=source)]
        centres = torch.where(sizes > 0, sums / sizes, fresh)
    return centres


@torch.no_grad()
def nearest(rows: Tensor, books: Tensor) -> Tensor:
    """Which of its group's codes (G, K, C) is nearest to each vector (G, M, C): (G, M) integers."""
    lengths = books.square().sum(-1)[:, None]  # (G, 1, K)
    step = max(1, ENTRIES // (len(books) * books.shape[1]))
    parts = [
        # |z - e|^2 without |z|^2, which is the same for all codes.
        torch.baddbmm(lengths, part, books.transpose(1, 2), alpha=-2).argmin(-1)
        for part in rows.split(step, dim=1)
    ]
    return torch.cat(parts, dim=1)
