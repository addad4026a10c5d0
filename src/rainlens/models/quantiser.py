"""Code books: a latent is replaced by the nearest of a few vectors, or by the likeliest.

Names and shapes of the parameters are the official VQGAN's. What a book keeps beside them to
learn without gradients is in its child `usage`, which exists only where it is needed, so that
published checkpoints load strictly.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens.models.prior import Quantised, straight_through

GOLDEN = 0.6180339887498949


class VectorQuantiser(nn.Module):
    """Latent (N, C, h, w) -> the nearest of `count` codes at each place (van den Oord et al. 2017).

    count, length: the book's rows and their numbers, length = C. beta: weight of the commitment,
    |z - sg[e]|^2, beside the code-book term, |sg[z] - e|^2. legacy: the official code puts beta on
    the other of the two, and the published models were trained so; the value of the loss is the
    same, its gradients are not. restart_after: a code that no latent chose for so many training
    steps takes the place of a latent of the batch; 0 never. With it, all codes count as unused at
    first, so the first batch fills the book.

    `adapts` False, as `freeze` sets it, stops restarts. So do `eval` and `torch.no_grad`.
    """

    usage: Usage

    def __init__(
        self,
        count: int,
        length: int,
        beta: float = 0.25,
        legacy: bool = False,
        restart_after: int = 0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, length)
        nn.init.uniform_(self.embedding.weight, -1 / count, 1 / count)
        self.beta = beta
        self.legacy = legacy
        self.restart_after = restart_after
        self.adapts = True
        if restart_after:
            self.usage = Usage(count, restart_after)

    def forward(self, latent: Tensor) -> Quantised:
        # Distances are differences of large numbers: bfloat16 would choose wrong codes.
        with torch.autocast(latent.device.type, enabled=False):
            places = latent.float().movedim(1, -1)  # (N, h, w, C)
            rows = places.flatten(0, -2)  # (N h w, C)
            adapting = self.adapts and self.training and torch.is_grad_enabled()
            if adapting:
                self._restart(rows.detach())
            codes = self.nearest(rows)
            chosen = self._look_up(codes)  # (N h w, C)
            if adapting:
                self._learn(rows.detach(), codes)
            values = straight_through(rows, chosen).view_as(places).movedim(-1, 1)
            return Quantised(values, codes.view(places.shape[:-1]), self._loss(rows, chosen))

    @torch.no_grad()
    def nearest(self, rows: Tensor) -> Tensor:
        """Which code lies nearest to each of the vectors (M, C): (M,) integers."""
        book = self.embedding.weight
        # |z - e|^2 without |z|^2, which is the same for all codes.
        return (book.square().sum(1) - 2 * rows @ book.T).argmin(1)

    @torch.no_grad()
    def start_from_book(self) -> None:
        """After loading a book alone: all of its codes count as used just now."""
        self.usage.unused_for.zero_()
        self.usage.steps.zero_()

    def _look_up(self, codes: Tensor) -> Tensor:
        return self.embedding(codes)

    def _loss(self, rows: Tensor, chosen: Tensor) -> Tensor:
        to_code = F.mse_loss(rows, chosen.detach())  # commitment: moves the latent
        to_latent = F.mse_loss(chosen, rows.detach())  # moves the code
        if self.legacy:
            return to_code + self.beta * to_latent
        return self.beta * to_code + to_latent

    @torch.no_grad()
    def _restart(self, rows: Tensor) -> None:
        if self.restart_after:
            dead = self.usage.take_dead(self.restart_after)
            self._replace(dead[:, None], spread(rows, len(dead), self.usage.steps))

    def _replace(self, dead: Tensor, fresh: Tensor) -> None:
        self.embedding.weight.copy_(torch.where(dead, fresh, self.embedding.weight))

    @torch.no_grad()
    def _learn(self, rows: Tensor, codes: Tensor) -> None:
        if self.restart_after:
            self.usage.count(codes)


class EmaQuantiser(VectorQuantiser):
    """A book of moving averages of the latents that chose each code (VQ-VAE, appendix A.1).

    decay: of the averages, 0.99 in the paper. The book has no gradient; only the commitment, at
    weight beta, is left of the loss.
    """

    def __init__(
        self,
        count: int,
        length: int,
        beta: float = 0.25,
        decay: float = 0.99,
        restart_after: int = 0,
    ) -> None:
        super().__init__(count, length, beta, restart_after=restart_after)
        self.decay = decay
        self.embedding.requires_grad_(False)
        if not restart_after:
            self.usage = Usage(count, 0)
        self.usage.register_buffer("mass", torch.ones(count))  # N_i of the paper
        self.usage.register_buffer("total", self.embedding.weight.detach().clone())  # m_i

    @torch.no_grad()
    def start_from_book(self) -> None:
        """As above, and each average stands for one latent."""
        super().start_from_book()
        self.usage.mass.fill_(1)
        self.usage.total.copy_(self.embedding.weight)

    def _look_up(self, codes: Tensor) -> Tensor:
        return self.embedding.weight.detach()[codes]

    def _loss(self, rows: Tensor, chosen: Tensor) -> Tensor:
        return self.beta * F.mse_loss(rows, chosen)

    def _replace(self, dead: Tensor, fresh: Tensor) -> None:
        super()._replace(dead, fresh)
        self.usage.mass.masked_fill_(dead[:, 0], 1)
        self.usage.total.copy_(torch.where(dead, fresh, self.usage.total))

    @torch.no_grad()
    def _learn(self, rows: Tensor, codes: Tensor) -> None:
        self.usage.count(codes)
        mass, total = self.usage.mass, self.usage.total
        chosen = torch.bincount(codes, minlength=len(mass)).to(mass)
        summed = torch.zeros_like(total).index_add_(0, codes, rows)
        mass.lerp_(chosen, 1 - self.decay)
        total.lerp_(summed, 1 - self.decay)
        # Of a code that nobody chooses, both fade at one rate until their quotient is noise.
        alive = (mass > 1e-6)[:, None]
        self.embedding.weight.copy_(
            torch.where(alive, total / mass[:, None], self.embedding.weight)
        )


class Usage(nn.Module):
    """For how many training steps each code has not been chosen, and how many steps there were.

    mass, total: of a book of moving averages alone, see `EmaQuantiser`.
    """

    unused_for: Tensor
    steps: Tensor
    mass: Tensor
    total: Tensor

    def __init__(self, count: int, unused_for: int) -> None:
        super().__init__()
        self.register_buffer("unused_for", torch.full((count,), unused_for))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def take_dead(self, after: int) -> Tensor:
        """Which codes have been unused for `after` steps, (count,); they count as used again."""
        dead = self.unused_for >= after
        self.unused_for.masked_fill_(dead, 0)
        return dead

    def count(self, codes: Tensor) -> None:
        """Notes which codes a batch chose."""
        self.unused_for.add_(1).index_fill_(0, codes, 0)
        self.steps.add_(1)


class GumbelQuantiser(nn.Module):
    """Latent (N, C, h, w) -> one code a place, drawn by Gumbel-softmax (Jang et al. 2017).

    A 1x1 convolution gives each code a score. In training the choice is random, at `temperature`,
    and its gradient is that of the soft choice; with `eval`, without gradients or frozen
    (`adapts` False) the likeliest code is taken. The official code draws then, too, which makes
    its reconstructions random. kl_weight: of the divergence from using all codes alike.
    """

    def __init__(self, channels: int, count: int, length: int, kl_weight: float = 1e-8) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, count, 1)
        self.embed = nn.Embedding(count, length)
        self.kl_weight = kl_weight
        self.temperature = 0.9
        self.adapts = True

    def forward(self, latent: Tensor) -> Quantised:
        with torch.autocast(latent.device.type, enabled=False):
            scores = self.proj(latent.float()).movedim(1, -1)  # (N, h, w, count)
            noisy = scores
            if self.adapts and self.training and torch.is_grad_enabled():
                noisy = scores - torch.empty_like(scores).exponential_().log()
            codes = noisy.argmax(-1)  # (N, h, w)
            chosen = self.embed(codes)
            soft = (noisy / self.temperature).softmax(-1) @ self.embed.weight.detach()
            # Values and the book's gradient are of the code chosen, the scores' of the soft choice.
            values = chosen + (soft - soft.detach())
            chances = scores.log_softmax(-1)
            divergence = (chances.exp() * (chances + math.log(scores.shape[-1]))).sum(-1).mean()
            return Quantised(values.movedim(-1, 1), codes, self.kl_weight * divergence)


def spread(rows: Tensor, count: int, shift: Tensor) -> Tensor:
    """`count` of the vectors (M, C), spread evenly over them; another choice for each `shift`.

    Steps of the golden ratio instead of a random generator: a resumed run goes on to the same bits,
    and on a GPU nothing waits.
    """
    places = (torch.arange(count, device=rows.device) + shift).double() * GOLDEN % 1
    return rows[(places * len(rows)).long()]
