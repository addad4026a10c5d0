"""The measures, one number a picture.

All take batches (N, C, H, W) with values in [0, 1] and return (N,), float64. E_R, E_B and the
root mean squares count in grey levels (0 to 255). R, the rain layer, is what was really added:
`rainy - clean`. Where the sum is clipped at white this is less than what was drawn, and a
network can only be asked to remove what is there.

`MEASURES` names those that need an output, its input and the clean picture, and `MASKS` the regions
that a degradation may have touched: a degradation says by name which of them suit it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

THRESHOLD = 10 / 255  # t of the mask; the papers do not give it
LEVELS = 255
LEAST_SPREAD = 1e-3 / 255  # of R over M, a thousandth of a grey level
REMOVED = 30 / 255  # an impulse is gone where the error is smaller
_bell = [math.exp(-(offset**2) / (2 * 1.5**2)) for offset in range(-5, 6)]
GAUSSIAN = [weight / sum(_bell) for weight in _bell]  # of SSIM: sigma 1.5, radius 5


def rain_mask(rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """M: where it rains visibly, R > t in any channel, bool (N, 1, H, W) (2026 paper, Sec. 3.2)."""
    _check(rainy=rainy, clean=clean)
    # A millionth more, so that rain of exactly t grey levels is out however floats are rounded.
    return ((rainy - clean) > threshold + 1e-6).any(1, keepdim=True)


def touched_mask(degraded: Tensor, clean: Tensor) -> Tensor:
    """Where anything was changed, in any channel, bool (N, 1, H, W): the impulses among pixels."""
    _check(degraded=degraded, clean=clean)
    return (degraded != clean).any(1, keepdim=True)


def region_error(output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """sqrt(mean over mask of (output - target)^2), all channels together; on 0 to 255.

    output, target: (N, C, H, W); mask: bool (N, 1, H, W). nan where it is empty. E_R is that to the
    rainy picture over M, E_B that to the clean one over 1 - M.
    """
    _check(output=output, target=target)
    return _rms(output - target, mask) * LEVELS


def e_r(output: Tensor, rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """E_R = sqrt(mean over M of (output - rainy)^2): how much the network changed where it rains.

    0 = the rain was left alone; on 0 to 255. nan where no pixel is rainy. Higher is more removed,
    and more damaged, too: see `removal_gain` (2026 paper, Sec. 3.2).
    """
    _check(output=output, rainy=rainy, clean=clean)
    return region_error(output, rainy, rain_mask(rainy, clean, threshold))


def e_b(output: Tensor, rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """E_B = sqrt(mean over 1 - M of (output - clean)^2): damage to the background, 0 to 255.

    Lower is better. nan where every pixel is rainy (2026 paper, Sec. 3.2).
    """
    _check(output=output, rainy=rainy, clean=clean)
    return region_error(output, clean, ~rain_mask(rainy, clean, threshold))


def removal_gain(
    output: Tensor, rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD
) -> Tensor:
    """The slope of the change d = rainy - output on R over M, through the origin.

    sum(d R) / sum(R^2): 0 = rain left alone, 1 = rain exactly removed, more = more taken away
    than the rain. nan where no pixel is rainy. Ours, not the papers'. Darkening counts, too;
    `contrast_gain` leaves it out.
    """
    _check(output=output, rainy=rainy, clean=clean)
    mask = rain_mask(rainy, clean, threshold)
    return _slope(rainy - output, (rainy - clean) * mask)


def contrast_gain(
    output: Tensor, rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD
) -> Tensor:
    """The same slope with an intercept: cov(d, R) / var(R) over M.

    How much of the contrast of the streaks is gone: 0 = all of it is left, 1 = none. Subtracting
    one amount from the whole region changes nothing here; scaling or flattening it does. nan where
    R is the same in all of M, or M is empty.
    """
    return _regress(output, rainy, clean, threshold)[0]


def rain_response(
    output: Tensor,
    output_clean: Tensor,
    rainy: Tensor,
    clean: Tensor,
    threshold: float = THRESHOLD,
) -> Tensor:
    """How much of the rain comes out again: the slope of f(B + R) - f(B) on R over M.

    output is f(rainy), output_clean is f(clean); both (N, C, H, W). Through the origin, as for
    `removal_gain`: 0 = no trace of the rain, 1 = all of it. What the network does to the
    background without rain, smoothing or darkening or repainting it, is in both outputs and
    cancels. nan where no pixel is rainy. Ours, not the papers'.
    """
    _check(output=output, output_clean=output_clean, rainy=rainy, clean=clean)
    rain = (rainy - clean) * rain_mask(rainy, clean, threshold)
    return _slope(output - output_clean, rain)


def trace(output: Tensor, output_clean: Tensor, degraded: Tensor, clean: Tensor) -> Tensor:
    """How much of any degradation comes out again: as `rain_response`, over all pixels.

    For noise and blur, which have no region of their own. nan where nothing was degraded.
    """
    _check(output=output, output_clean=output_clean, degraded=degraded, clean=clean)
    return _slope(output - output_clean, degraded - clean)


def damage(output_clean: Tensor, clean: Tensor) -> Tensor:
    """rms of f(B) - B over all pixels, 0 to 255: what a network does to pictures without rain."""
    _check(output_clean=output_clean, clean=clean)
    return (output_clean - clean).double().square().mean((1, 2, 3)).sqrt() * LEVELS


def impulse_removal(
    output: Tensor, degraded: Tensor, clean: Tensor, threshold: float = REMOVED
) -> Tensor:
    """The fraction of touched pixels that are mended: off by less than 30/255 in every channel.

    0 to 1, higher is better; nan where no pixel was touched. An impulse that fell on a pixel of
    almost its own brightness is mended from the start, so that a copy, too, may score above 0.
    For salt and pepper, where the papers give no measure.
    """
    _check(output=output, degraded=degraded, clean=clean)
    touched = touched_mask(degraded, clean)
    # A millionth less, so that exactly 30 grey levels are not mended however floats are rounded.
    mended = ((output - clean).abs() < threshold - 1e-6).all(1, keepdim=True)
    return _sum(mended & touched) / _sum(touched)  # 0 / 0 = nan


def impulse_e_b(output: Tensor, degraded: Tensor, clean: Tensor) -> Tensor:
    """E_B over the untouched pixels: damage to them, 0 to 255. nan where there are none."""
    _check(output=output, degraded=degraded, clean=clean)
    return region_error(output, clean, ~touched_mask(degraded, clean))


def change_parts(
    output: Tensor, rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD
) -> dict[str, Tensor]:
    """What the change is made of: E_R^2 = offset^2 + along_rain^2 + rest^2, 0 to 255.

    offset: its mean, the picture grown darker or lighter. along_rain: `contrast_gain` times the
    standard deviation of R. rest: what neither explains. The squares add up because what a
    least-squares fit leaves over is uncorrelated with what was fitted. All over M.
    """
    gain, offset, spread, rest = _regress(output, rainy, clean, threshold)
    return {
        "offset": offset.abs() * LEVELS,
        "along_rain": gain.abs() * spread * LEVELS,
        "rest": rest * LEVELS,
    }


def rain_strength(rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """rms of R over M, 0 to 255: the E_R of an exact removal."""
    return e_r(clean, rainy, clean, threshold)


def psnr_rgb(output: Tensor, clean: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over R, G and B together, in dB; inf for equal pictures."""
    _check(output=output, clean=clean)
    # Row by row first, which is quick, then in float64: rounding stays below a billionth.
    squares = F.mse_loss(output, clean, reduction="none").sum(3)
    error = squares.sum((1, 2), dtype=torch.float64) / output[0].numel()
    return -10 * torch.log10(error)


def psnr_gain(output: Tensor, degraded: Tensor, clean: Tensor) -> Tensor:
    """By how many dB the output is nearer to the clean picture than the input was (`psnr_rgb`).

    0 for a copy of the input; nan for one of a clean input, which is infinitely near already.
    """
    _check(output=output, degraded=degraded, clean=clean)
    return psnr_rgb(output, clean) - psnr_rgb(degraded, clean)


def psnr_y(output: Tensor, clean: Tensor) -> Tensor:
    """PSNR of the BT.601 luma (`to_y`), in dB: the convention of most deraining tables."""
    return psnr_rgb(to_y(output), to_y(clean))


def ssim_rgb(output: Tensor, clean: Tensor) -> Tensor:
    """Structural similarity, the mean of the three channels' values; 1 for equal pictures.

    Gaussian window of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, only windows that lie fully in
    the picture, no downsampling (Wang et al. 2004). Raises ValueError below 11x11 pixels.
    """
    _check(output=output, clean=clean)
    if min(output.shape[-2:]) < 11:
        raise ValueError(f"SSIM needs at least 11x11 pixels, not {tuple(output.shape[-2:])}.")
    x, y = output.double(), clean.double()
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return likeness.mean((1, 2, 3))


def ssim_y(output: Tensor, clean: Tensor) -> Tensor:
    """`ssim_rgb` of the BT.601 luma."""
    return ssim_rgb(to_y(output), to_y(clean))


def to_y(picture: Tensor) -> Tensor:
    """BT.601 luma with studio range, (N, 3, H, W) -> (N, 1, H, W): black 16/255, white 235/255."""
    _check(picture=picture)
    if picture.shape[1] != 3:
        raise ValueError(f"picture has {picture.shape[1]} channels; luma needs 3 (RGB).")
    red, green, blue = picture.double().unbind(1)
    return ((65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255)[:, None]


Measure = Callable[[Tensor, Tensor, Tensor], Tensor]  # (output, degraded, clean) -> (N,)

MASKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {  # (degraded, clean) -> (N, 1, H, W)
    "rain": rain_mask,
    "touched": touched_mask,
}
MEASURES: dict[str, Measure] = {
    "e_r": e_r,
    "e_b": e_b,
    "gain": removal_gain,
    "contrast": contrast_gain,
    "psnr": lambda output, degraded, clean: psnr_rgb(output, clean),
    "ssim": lambda output, degraded, clean: ssim_rgb(output, clean),
    "psnr_gain": psnr_gain,
    "impulse_removal": impulse_removal,
    "impulse_e_b": impulse_e_b,
}
DERAINING = ("e_r", "e_b", "gain", "contrast", "psnr", "ssim")  # what a record of rain holds


def score(
    output: Tensor, degraded: Tensor, clean: Tensor, measures: tuple[str, ...] = DERAINING
) -> dict[str, Tensor]:
    """The measures of these names, each (N,), by name and in that order.

    Raises ValueError for an unknown name, naming those there are.
    """
    for name in measures:
        if name not in MEASURES:
            raise ValueError(f"There is no measure {name!r}; there are: {', '.join(MEASURES)}.")
    return {name: MEASURES[name](output, degraded, clean) for name in measures}


def _slope(change: Tensor, cause: Tensor) -> Tensor:
    """The slope of one on the other through the origin, (N,); nan where the cause is 0."""
    change, cause = change.double(), cause.double()
    return _sum(change * cause) / _sum(cause * cause)  # 0 / 0 = nan


def _regress(
    output: Tensor, rainy: Tensor, clean: Tensor, threshold: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Over M: slope of d on R, mean of d, standard deviation of R, rms of what is left; (N,)."""
    _check(output=output, rainy=rainy, clean=clean)
    mask = rain_mask(rainy, clean, threshold)
    pixels = _sum(mask) * output.shape[1]
    rain, change = (rainy - clean).double() * mask, (rainy - output).double() * mask
    mean_rain, mean_change = _sum(rain) / pixels, _sum(change) / pixels
    # Deviations from the mean, not differences of large sums of squares, which would cancel.
    rain = (rain - mean_rain[:, None, None, None]) * mask
    change = (change - mean_change[:, None, None, None]) * mask
    spread = (_sum(rain * rain) / pixels).sqrt()
    # Rain of one strength has no slope; in floats its spread is a rounding error, not zero.
    slope = _sum(change * rain) / _sum(rain * rain).where(spread > LEAST_SPREAD, math.nan)
    left = change - slope[:, None, None, None] * rain
    rest = (_sum(left * left) / pixels).sqrt()
    return slope, mean_change, spread, rest


def _sum(values: Tensor) -> Tensor:
    return values.sum((1, 2, 3), dtype=torch.float64)


def _rms(values: Tensor, mask: Tensor) -> Tensor:
    """Root of the mean of squares over mask (N, 1, H, W) and all channels; nan if it is empty."""
    pixels = _sum(mask) * values.shape[1]
    return (_sum(values.double().square() * mask) / pixels).sqrt()


def _window(values: Tensor) -> Tensor:
    """The Gaussian-weighted mean over 11x11 windows, in two passes: (N, C, H-10, W-10)."""
    return _slide(_slide(values, -2), -1)


def _slide(values: Tensor, dim: int) -> Tensor:
    """The weighted mean of 11 neighbours along a dimension.

    A sum of shifted views: a convolution in float64 takes ten times as long.
    """
    length = values.shape[dim] - len(GAUSSIAN) + 1
    total = values.narrow(dim, 0, length) * GAUSSIAN[0]
    for offset, weight in enumerate(GAUSSIAN[1:], 1):
        total.add_(values.narrow(dim, offset, length), alpha=weight)
    return total


def _check(**pictures: Tensor) -> None:
    first_name, first = next(iter(pictures.items()))
    for name, picture in pictures.items():
        if picture.ndim != 4:
            raise ValueError(
                f"{name} has shape {tuple(picture.shape)}; a batch (N, C, H, W) is needed."
            )
        if not picture.is_floating_point():
            raise ValueError(f"{name} is {picture.dtype}; floats in [0, 1] are needed.")
        if picture.shape != first.shape:
            raise ValueError(
                f"{name} has shape {tuple(picture.shape)}, "
                f"but {first_name} has {tuple(first.shape)}."
            )
