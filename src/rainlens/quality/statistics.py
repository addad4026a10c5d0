"""Natural-scene statistics, which NIQE and BRISQUE share.

Clean photographs, each pixel made relative to the mean and spread of its surroundings, have
values close to a Gaussian; distortions change the shape of their distribution (Ruderman 1994;
Mittal, Moorthy, Bovik 2012; Mittal, Soundararajan, Bovik 2013). Both measures fit the same two
families of distributions to the same products of neighbours, in float64, on grey levels 0 to 255.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from scipy.special import gamma
from torch import Tensor

GREY = (0.298936021293775, 0.587043074451121, 0.114020904255103)  # MATLAB's rgb2gray
_bell = [math.exp(-(offset**2) / (2 * (7 / 6) ** 2)) for offset in range(-3, 4)]
WINDOW = [weight / sum(_bell) for weight in _bell]  # 7 taps, sigma 7/6
FLAT = 1e-9  # grey levels; a smaller distance to the local mean is a rounding error
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # right, below, and the two diagonals
SHAPES = torch.arange(200, 10001, dtype=torch.float64) / 1000  # of the distributions: alpha
_tail = gamma(1 / SHAPES.numpy()), gamma(2 / SHAPES.numpy()), gamma(3 / SHAPES.numpy())
MOMENTS = torch.from_numpy(_tail[0] * _tail[2] / _tail[1] ** 2)  # E[x^2] / E[|x|]^2 at each alpha
# Bicubic interpolation (a = -1/2) stretched to twice its width, at 0.5, 1.5, 2.5, 3.5 pixels from
# the centre: what MATLAB's imresize does for one half. Exact in binary.
_half = [-3 / 256, -9 / 256, 29 / 256, 111 / 256]
HALVING = _half + _half[::-1]


def to_grey(pictures: Tensor) -> Tensor:
    """RGB (N, 3, H, W) in [0, 1] -> grey (N, H, W), float64, whole levels 0 to 255.

    As of a picture file: clipped and rounded to 8 bits, then weighted as MATLAB's rgb2gray does,
    and rounded again. Not BT.601 luma, which has another range (`metrics.to_y`). Raises
    ValueError for another shape or integers.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or not pictures.is_floating_point():
        raise ValueError(
            f"The pictures are {pictures.dtype} {tuple(pictures.shape)}; "
            "floats in [0, 1] of shape (N, 3, H, W), RGB, are needed."
        )
    levels = (pictures.double() * 255).round().clamp(0, 255)
    red, green, blue = levels.unbind(1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue + 0.5).floor()


def normalised(grey: Tensor, border: str, flat_is_zero: bool) -> Tensor:
    """Mean-subtracted, contrast-normalised: (x - mean) / (spread + 1), (N, H, W) -> the same.

    Mean and spread are those of the 7x7 Gaussian window (Mittal et al. 2012, Eq. 1 to 3).
    border: "replicate" or "constant" (zeros), what the window sees beyond the picture.
    flat_is_zero: where all of the window has one level, x - mean is a rounding error, whose sign
    the statistics below would count; set it to zero.
    """
    mean = _smooth(grey, border)
    spread = (_smooth(grey * grey, border) - mean * mean).abs().sqrt()
    centred = grey - mean
    if flat_is_zero:
        centred = centred.where(centred.abs() > FLAT, 0.0)
    return centred / (spread + 1)


def halved(grey: Tensor) -> Tensor:
    """Half the size, (N, H, W) -> (N, ceil(H / 2), ceil(W / 2)): bicubic, with antialiasing.

    Beyond the border the picture is mirrored, the edge pixel repeated, as by MATLAB's imresize.
    """
    return _halve_rows(_halve_rows(grey).transpose(1, 2)).transpose(1, 2)


def neighbour_products(values: Tensor) -> list[Tensor]:
    """Each pixel times its neighbour in four directions, around the edges: 4 times (N, H, W)."""
    return [values * values.roll(shift, (1, 2)) for shift in NEIGHBOURS]


def fit_symmetric(values: Tensor) -> tuple[Tensor, Tensor]:
    """The generalised Gaussian with the moments of values (N, ...): alpha and variance, (N,).

    alpha is 2 for a Gaussian, 1 for a Laplacian; it is looked up on a grid of 0.001 from 0.2 to
    10 (Sharifi, Leon-Garcia 1995). nan where all values are 0.
    """
    values = values.flatten(1)
    variance = values.square().mean(1)
    return _shape(variance / values.abs().mean(1).square()), variance


def fit_asymmetric(values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The asymmetric generalised Gaussian of values (N, ...): alpha, mean, left, right, (N,).

    left and right are the root mean squares of the negative and of the positive values. To have
    the scales of the distribution, multiply by `scale(alpha)`; mean is that of the fitted
    distribution (Lasmar et al. 2009; Mittal et al. 2012, Eq. 7 to 11). nan where a side is empty.
    """
    values = values.flatten(1)
    left, right = _rms_of(values, values < 0), _rms_of(values, values > 0)
    ratio = left / right
    moment = values.square().mean(1) / values.abs().mean(1).square()
    moment = moment * (ratio**2 + 1) ** 2 / ((ratio**3 + 1) * (ratio + 1))
    alpha = _shape(moment)
    mean = (right - left) * scale(alpha) * _gamma(2 / alpha) / _gamma(1 / alpha)
    return alpha, mean, left, right


def scale(alpha: Tensor) -> Tensor:
    """What a standard deviation is to be multiplied by to give the scale beta, (N,) -> (N,)."""
    return (_gamma(1 / alpha) / _gamma(3 / alpha)).sqrt()


def _shape(moment: Tensor) -> Tensor:
    """The alpha of the grid whose E[x^2] / E[|x|]^2 is nearest, (N,) -> (N,)."""
    # The nearest inverse, as the official programs look it up: they differ by a grid step at most.
    distance = (1 / MOMENTS.to(moment.device) - 1 / moment[:, None]).abs()
    alpha = SHAPES.to(moment.device)[distance.argmin(1)]
    return alpha.where(moment.isfinite(), math.nan)


def _gamma(values: Tensor) -> Tensor:
    return values.lgamma().exp()


def _rms_of(values: Tensor, chosen: Tensor) -> Tensor:
    """Root of the mean square of the chosen values, (N, K) -> (N,); nan where there are none."""
    return ((values.square() * chosen).sum(1) / chosen.sum(1)).sqrt()


def _smooth(grey: Tensor, border: str) -> Tensor:
    padded = F.pad(grey[:, None], (3, 3, 3, 3), mode=border)[:, 0]
    return _slide(_slide(padded, 1), 2)


def _slide(values: Tensor, dim: int) -> Tensor:
    """The weighted mean of 7 neighbours along a dimension, which gets 6 shorter.

    Product and sum are two steps: one fused step rounds otherwise, on some processors only.
    """
    length = values.shape[dim] - len(WINDOW) + 1
    total = values.narrow(dim, 0, length) * WINDOW[0]
    for offset, weight in enumerate(WINDOW[1:], 1):
        total += values.narrow(dim, offset, length) * weight
    return total


def _halve_rows(grey: Tensor) -> Tensor:
    rows = grey.shape[1]
    padded = torch.cat([grey[:, :3].flip(1), grey, grey[:, -4:].flip(1)], 1)
    first, *others = (weight * padded[:, k : k + rows : 2] for k, weight in enumerate(HALVING))
    return sum(others, first)
