"""Rain layers: the papers' recipe for training, and an independent one for tests.

Training rain (`synthesize`) follows the streak recipe that both papers name (2026 paper, Sec.
3.1.2 and Table 1): sparse noise, smeared by a motion-blur kernel. The papers test on other rain.
Test rain without any download (`draw_streaks`) is made in another way altogether: single line
segments, drawn one by one. A rain layer R is grey, of shape (N, 1, H, W), with values in [0, 1];
a rainy picture is `add_rain(clean, R)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

MARGIN = 64  # the longest kernel (60) and the 3x3 blur must not reach round the canvas
LEVELS = 256  # the recipe counts grey levels in [0, 256)


@dataclass(frozen=True)
class RainRange:
    """The parameters that a training rain draws from, uniformly (2026 paper, Table 1).

    quantity: hundredths of a grey level; noise above 256 - quantity / 100 becomes a drop.
    width: side of the Gaussian that thickens the streak, in pixels, one of those listed.
    length: side of the motion-blur kernel in pixels, from first to second, both included.
    direction: angle from the vertical in degrees, from first to second.
    """

    name: str
    quantity: tuple[int, int]
    width: tuple[int, ...]
    length: tuple[int, int]
    direction: tuple[float, float]


RANGES = {
    "small": RainRange("small", (200, 300), (5,), (30, 31), (-5, 5)),
    "medium": RainRange("medium", (200, 300), (5, 7, 9), (20, 40), (-30, 30)),
    "large": RainRange("large", (200, 300), (1, 3, 5, 7, 9), (5, 60), (-70, 70)),
}


def synthesize(
    count: int, size: tuple[int, int], rain: RainRange, generator: torch.Generator
) -> Tensor:
    """Rain layers of the training kind, each with its own parameters.

    Returns (count, 1, H, W) in [0, 1] for size (H, W), on the generator's device. The five steps
    are the functions below. The convolution goes round the edges of a canvas that is `MARGIN`
    larger than the layer, so no pixel of the crop is nearer to a border than any other.
    """
    height, width = (fast_length(side + MARGIN) for side in size)
    quantity = _uniform(count, rain.quantity, generator)
    # To size its tensors by what was drawn, a GPU would have to wait for the processor each step.
    known = (rain.quantity[1], rain.length[1]) if generator.device.type == "cuda" else (None, None)
    noise = sparse_noise(quantity, (height, width), generator, known[0])
    kernels = motion_kernels(*_draw_streak_shapes(count, rain, generator), known[1])
    return smear(noise, kernels)[:, None, : size[0], : size[1]]


def sparse_noise(
    quantity: Tensor, size: tuple[int, int], generator: torch.Generator, most: float | None = None
) -> Tensor:
    """Step 1: uniform noise in [0, 256), kept where it exceeds 256 - quantity / 100, else 0.

    quantity (N,) gives (N, H, W). About one pixel in a hundred survives, so the gaps between
    survivors are drawn instead of the pixels: gaps between independent events of probability p
    are geometric, and the result has exactly the distribution of the dense recipe.
    most: an upper bound of quantity, where it is known without looking.
    """
    pixels, device = size[0] * size[1], quantity.device
    probability = quantity / 100 / LEVELS
    expected = pixels * (probability.max().item() if most is None else most / 100 / LEVELS)
    draws = math.ceil(expected + 8 * math.sqrt(expected) + 8)
    uniform = torch.rand(2, len(quantity), draws, generator=generator, device=device)
    # 1 - u lies in (0, 1], where u itself may be 0 and its logarithm infinite.
    gaps = torch.log1p(-uniform[0]).div_(torch.log1p(-probability)[:, None]).floor_().add_(1)
    position = gaps.cumsum(1).sub_(1).clamp_(max=pixels).long()
    value = LEVELS - uniform[1] * quantity[:, None] / 100
    # Draws beyond the canvas land in one extra cell, which is cut off.
    noise = torch.zeros(len(quantity), pixels + 1, device=device)
    return noise.scatter_(1, position, value)[:, :pixels].reshape(-1, *size)


def motion_kernels(
    length: Tensor, width: Tensor, direction: Tensor, side: int | None = None
) -> Tensor:
    """Step 3: motion-blur kernels, one a row of the three (N,) parameters.

    The diagonal of a length x length matrix is turned by direction - 45 degrees and shrunk by
    1 - length / 100 about its centre (bilinear, zero outside), then blurred by a Gaussian of
    width x width with sigma 0.3 ((width - 1) / 2 - 1) + 0.8. Returns (N, L, L) for the largest
    length L, or for `side` where that is given; shorter kernels lie in the upper left corner.
    """
    side = int(length.max()) if side is None else side
    angle = torch.deg2rad(direction - 45)
    scale, centre = 1 - length / 100, length / 2
    cos, sin = (torch.cos(angle) / scale)[:, None, None], (torch.sin(angle) / scale)[:, None, None]
    # Where each kernel pixel comes from: the inverse of the rotation, about the centre.
    axis = torch.arange(side, device=length.device, dtype=torch.float32)
    offset = axis - centre[:, None]
    x, y = offset[:, None, :], offset[:, :, None]
    u = cos * x - sin * y + centre[:, None, None]
    v = sin * x + cos * y + centre[:, None, None]
    line = _sample_diagonal(u, v, length)
    inside = axis < length[:, None]
    line = line * (inside[:, None, :] & inside[:, :, None])
    blur = _blur_matrices(side, length, width)
    return blur @ line @ blur.transpose(1, 2)


def smear(noise: Tensor, kernels: Tensor) -> Tensor:
    """Steps 2, 4 and 5: soften the noise, filter it with the kernels, stretch to [0, 1].

    noise (N, H, W), kernels (N, L, L), result (N, H, W). Step 2 is the 3x3 blur with weight 8 in
    the centre and 0.1 at the four neighbours. Both filters are circular products of spectra.
    """
    size = noise.shape[-2:]
    # Row transforms of the kernels first: most rows of the canvas are empty and need none.
    kernel_spectrum = torch.fft.fft(torch.fft.rfft(kernels, n=size[1]), n=size[0], dim=1)
    # Filtering (as image libraries mean it) is correlation: the conjugate of the spectrum.
    spectrum = torch.fft.rfft2(noise).mul_(kernel_spectrum.conj())
    spectrum.mul_(_softening(*size, noise.device))
    layer: Tensor = torch.fft.irfft2(spectrum, s=size)
    # Two passes: torch.aminmax along a dimension took ten times as long as both together.
    low, high = layer.amin((1, 2), keepdim=True), layer.amax((1, 2), keepdim=True)
    return layer.sub_(low).div_((high - low).clamp_(min=1e-6))


def draw_streaks(count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Embedded test rain: sparse, thin, sharp streaks, drawn segment by segment.

    Returns (count, 1, H, W) in [0, 1] for size (H, W). Each layer has a wind (6 to 24 degrees off
    the vertical, left or right) and a density; each of its segments has its own length (8 to 40
    pixels), brightness (0.15 to 0.75) and a jitter of the angle of 3 degrees. Segments are one
    pixel wide and fade towards both ends; where they cross, the brighter one is seen.
    This is our own design, not Rain100L; it shares no step with `synthesize`.
    """
    height, width = size
    device = generator.device
    wind = torch.deg2rad(_uniform(count, (6, 24), generator))
    wind *= torch.randint(0, 2, (count,), generator=generator, device=device) * 2 - 1
    density = _uniform(count, (0.004, 0.008), generator)
    segments = math.ceil(0.008 * (height + 40) * (width + 40))
    uniform = torch.rand(5, count, segments, generator=generator, device=device)
    drawn = uniform[0] < (density / 0.008)[:, None]
    top, left = uniform[1] * (height + 40) - 20, uniform[2] * (width + 40) - 20
    length, brightness = 8 + 32 * uniform[3] ** 2, 0.15 + 0.6 * uniform[4] ** 2
    jitter = torch.randn(count, segments, generator=generator, device=device)
    angle = wind[:, None] + math.radians(3) * jitter
    along = torch.linspace(-0.5, 0.5, 81, device=device)  # 40 pixels at half-pixel steps
    reach = along * length[..., None]
    y = top[..., None] + reach * angle.cos()[..., None]
    x = left[..., None] + reach * angle.sin()[..., None]
    fade = (1 - (2 * along).abs()).mul(4).clamp(max=1)
    light = (brightness * drawn)[..., None] * fade
    return _splat(y, x, light, size)


def add_rain(clean: Tensor, rain_layer: Tensor) -> Tensor:
    """The additive model I = B + R, clipped to [0, 1] (2026 paper, Sec. 3.1)."""
    return (clean + rain_layer).clamp(0, 1)


def fast_length(side: int) -> int:
    """The smallest even length >= side with no prime factor above 5: FFTs like those."""
    while not _is_smooth(side):
        side += 1
    return side


def _is_smooth(side: int) -> bool:
    if side % 2:
        return False
    for prime in (2, 3, 5):
        while side % prime == 0:
            side //= prime
    return side == 1


def _uniform(count: int, bounds: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)


def _draw_streak_shapes(
    count: int, rain: RainRange, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Lengths, widths and directions of `count` layers, each of shape (count,)."""
    device = generator.device
    shortest, longest = rain.length
    length = torch.randint(shortest, longest + 1, (count,), generator=generator, device=device)
    choice = torch.randint(0, len(rain.width), (count,), generator=generator, device=device)
    width = _widths(rain.width, device)[choice]
    return length, width, _uniform(count, rain.direction, generator)


@cache
def _widths(widths: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(widths, device=device)


def _sample_diagonal(u: Tensor, v: Tensor, length: Tensor) -> Tensor:
    """The identity matrix of side `length`, read between its entries (bilinear) at (u, v)."""
    first = u.floor()
    value = torch.zeros_like(u)
    # Only the two entries next to u on the diagonal can have a weight at (u, v).
    for entry in (first, first + 1):
        weight = (1 - (u - entry).abs()) * (1 - (v - entry).abs()).clamp_(min=0)
        value += weight * ((entry >= 0) & (entry < length[:, None, None]))
    return value


def _blur_matrices(side: int, length: Tensor, width: Tensor) -> Tensor:
    """(N, side, side): multiplied from the left, each blurs the columns of a kernel."""
    table = _blur_table(side, length.device)
    return table[width // 2, length]


@cache
def _blur_table(side: int, device: torch.device) -> Tensor:
    """All blur matrices for widths 1, 3, ..., 9 (first index: width // 2) and lengths <= side."""
    table = torch.zeros(5, side + 1, side, side)
    for half in range(5):
        sigma = 0.3 * (half - 1) + 0.8
        reach = torch.arange(-half, half + 1)
        weights = torch.exp(-(reach**2) / (2 * sigma**2))
        weights /= weights.sum()
        for length in range(half + 1, side + 1):
            rows = torch.arange(length)
            for offset, weight in zip(reach, weights, strict=True):
                # The border mirrors without repeating the edge: -1 -> 1, length -> length - 2.
                column = (rows + offset).abs()
                column = length - 1 - (length - 1 - column).abs()
                table[half, length, rows, column] += weight
    return table.to(device)


@cache
def _softening(height: int, width: int, device: torch.device) -> Tensor:
    """The spectrum of the 3x3 blur: 8 + 0.2 cos(omega_y) + 0.2 cos(omega_x)."""
    omega_y = 2 * math.pi * torch.fft.fftfreq(height, device=device)
    omega_x = 2 * math.pi * torch.fft.rfftfreq(width, device=device)
    return 8 + 0.2 * torch.cos(omega_y)[:, None] + 0.2 * torch.cos(omega_x)[None, :]


def _splat(y: Tensor, x: Tensor, light: Tensor, size: tuple[int, int]) -> Tensor:
    """Points (N, S, P) onto pixels (N, 1, H, W), shared out bilinearly, the brightest one kept."""
    height, width = size
    count = y.shape[0]
    layer = torch.zeros(count, height * width + 1, device=y.device)
    for row in (y.floor(), y.floor() + 1):
        for column in (x.floor(), x.floor() + 1):
            weight = (1 - (y - row).abs()) * (1 - (x - column).abs()) * light
            seen = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = torch.where(seen, row * width + column, height * width).long()
            layer.scatter_reduce_(1, index.flatten(1), weight.flatten(1), "amax")
    return layer[:, :-1].reshape(count, 1, height, width)
