"""The toy task's signals: noisy points of a cosine (paper section 5.1).

Points are tensors of shape (N, 2, P): channel 0 is x in [-10, 10], channel 1 is y, with or
without noise. All random numbers are drawn on the processor from (seed, purpose, step): batch 700
is the same whether or not batches 0 to 699 were drawn, and whatever device trains on it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rainlens.randomness import generator

LIMIT = 10.0
AMPLITUDE = 10.0
SEGMENT_POINTS = 128
POOL_SIZE = 10_000

Signal = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Noise:
    """Gaussian noise N(mean, spread) that is added to y; both in the units of y.

    Raises:
        ValueError: if `spread` is negative.
    """

    mean: float = 0.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        if self.spread < 0:
            raise ValueError(f"Noise spread is {self.spread}: give 0 (no noise) or more.")


TRAINING_NOISE = Noise(0.0, 1.0)
SHIFTED_NOISE = Noise(10.0, 5.0)


@dataclass(frozen=True)
class Cosine:
    """The paper's signal of order O: y = 10 cos(O pi x / 10) (P equation 1).

    It makes O whole oscillations over x in [-10, 10]; y lies in [-10, 10].
    """

    order: float

    def __call__(self, x: Tensor) -> Tensor:
        return AMPLITUDE * torch.cos(self.order * math.pi / 10 * x)


def foreign(x: Tensor) -> Tensor:
    """A signal that no network is trained on: a triangle wave of period 8, y in [-8, 8].

    Its corners belong to no cosine, and its period lies between those of orders 2 and 3.
    """
    phase = torch.remainder(x / 8 + 0.1, 1.0)
    return 8 * (2 * (2 * phase - 1).abs() - 1)


def spoil(clean: Tensor, noise: Noise, source: torch.Generator) -> Tensor:
    """Add noise to y and leave x alone: (x, y) becomes (x, y + n).

    Args:
        clean: (N, 2, P) points.
        noise: what is added to channel 1.
        source: where the random numbers come from.
    """
    noisy = clean.clone()
    draw = torch.randn(clean[:, 1].shape, generator=source).to(clean.device)
    noisy[:, 1] += noise.mean + noise.spread * draw
    return noisy


def segments(
    signal: Signal, count: int, source: torch.Generator, points: int = SEGMENT_POINTS
) -> Tensor:
    """Pieces of a signal over random intervals (a, b), points equally spaced from a to b.

    a and b are two uniform draws from [-10, 10], in order; the mean length is 20 / 3.

    Returns:
        (count, 2, points), clean.
    """
    ends = torch.rand(count, 2, generator=source) * 2 * LIMIT - LIMIT
    start, stop = ends.amin(1, keepdim=True), ends.amax(1, keepdim=True)
    x = start + (stop - start) * torch.linspace(0, 1, points)
    return torch.stack((x, signal(x)), dim=1)


def training_batch(
    signal: Signal,
    seed: int,
    step: int,
    size: int = 64,
    noise: Noise = TRAINING_NOISE,
    points: int = SEGMENT_POINTS,
) -> tuple[Tensor, Tensor]:
    """A batch of new segments with new noise: batch `step` of the stream `seed`.

    Returns:
        noisy and clean points, each (size, 2, points).

    Raises:
        ValueError: if `step` is negative.
    """
    _require_step(step)
    source = generator(seed, "toy train", step)
    clean = segments(signal, size, source, points)
    return spoil(clean, noise, source), clean


def fixed_pool(
    signal: Signal,
    seed: int,
    size: int = POOL_SIZE,
    noise: Noise = TRAINING_NOISE,
    points: int = SEGMENT_POINTS,
) -> tuple[Tensor, Tensor]:
    """The paper's wording read strictly: 10,000 segments, each with noise drawn once.

    Returns:
        noisy and clean points, each (size, 2, points).
    """
    source = generator(seed, "toy pool")
    clean = segments(signal, size, source, points)
    return spoil(clean, noise, source), clean


def pool_batch(
    pool: tuple[Tensor, Tensor], seed: int, step: int, size: int = 64
) -> tuple[Tensor, Tensor]:
    """Segments picked at random from a fixed pool: batch `step` of the stream `seed`.

    Args:
        pool: noisy and clean points, as `fixed_pool` returns them.

    Returns:
        noisy and clean points, each (size, 2, P).

    Raises:
        ValueError: if `step` is negative.
    """
    _require_step(step)
    noisy, clean = pool
    picked = torch.randint(len(noisy), (size,), generator=generator(seed, "toy train", step))
    return noisy[picked], clean[picked]


def whole_function(signal: Signal, points: int) -> Tensor:
    """The clean signal over all of [-10, 10], as the test of section 5.1 wants it.

    Returns:
        (1, 2, points), equally spaced, both ends included.

    Raises:
        ValueError: if `points` is below 2.
    """
    if points < 2:
        raise ValueError(f"points is {points}: the whole function needs at least 2.")
    x = torch.linspace(-LIMIT, LIMIT, points)[None]
    return torch.stack((x, signal(x)), dim=1)


def whole_noisy(
    signal: Signal, noise: Noise, points: int, draws: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """The whole function under many noise draws, for means with intervals.

    The draws are not those of training, even with the same seed. Equal seeds give every network the
    same noise, so that networks can be compared draw by draw.

    Returns:
        noisy and clean points, each (draws, 2, points).
    """
    clean = whole_function(signal, points).repeat(draws, 1, 1)
    return spoil(clean, noise, generator(seed, "toy test")), clean


def mean_square_error(output: Tensor, clean: Tensor) -> Tensor:
    """Mean square error of y, one value a draw; the x channel does not count.

    Args:
        output: (N, 2, P), what a network returned.
        clean: (N, 2, P), the truth.

    Returns:
        (N,), in squared units of y (amplitude 10), 0 or more.
    """
    return (output[:, 1] - clean[:, 1]).square().mean(dim=1)


def _require_step(step: int) -> None:
    if step < 0:
        raise ValueError(f"step is {step}: training steps count from 0.")
