"""What degrades clean pictures, by name: additive rain, noise, blur.

`named("medium").apply(clean, source)` degrades a batch: on the generator's device, with
parameters drawn anew for each picture. `DEGRADATIONS` is the table of names. A new degradation is
any object that has what the `Degradation` protocol asks for; an entry in the table makes it known:

    DEGRADATIONS["haze"] = Haze()

What is measured of an output is said here by name alone, since measures lie on a higher floor:
`metrics.score(output, degraded, clean, named("medium").measures)`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from rainlens import images, rain

LEVELS = 255
STREAKS = "streaks"
RESTORING = ("psnr", "ssim", "psnr_gain")  # measures that make sense for any degradation


class Degradation(Protocol):
    """One way to degrade pictures, and what can be said of the attempt to undo it."""

    @property
    def task(self) -> str:
        """What undoing it is called: "derain", "denoise" or "deblur"."""

    @property
    def about(self) -> str:
        """A few words for figures, such as "medium-range rain"."""

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that make sense for it, by their names in `metrics.MEASURES`."""

    @property
    def mask(self) -> str | None:
        """Where it touched a picture, by a name in `metrics.MASKS`; None if everywhere."""

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """The pictures degraded: (N, 3, H, W) in [0, 1] -> the same, on the source's device.

        Parameters are drawn once a picture, and from `source` alone. Raises ValueError where
        `clean` is no such batch, lies on another device, or is too small.
        """


@dataclass(frozen=True)
class AdditiveRain:
    """I = B + weight * tint * R, clipped to [0, 1] (2026 paper, Sec. 3.1).

    kind: a training range (`rain.RANGES`), or "streaks" for `rain.draw_streaks`. weight: 1 in the
    papers' text, 0.7 in the public generator with the range of the 2023 paper. tint: what R, G and
    B get of the grey layer R; the papers' rain is grey, (1, 1, 1).

    Raises ValueError for an unknown kind.
    """

    kind: str
    weight: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    task: ClassVar[str] = "derain"
    measures: ClassVar[tuple[str, ...]] = ("e_r", "e_b", "gain", "contrast", "psnr", "ssim")
    mask: ClassVar[str | None] = "rain"

    def __post_init__(self) -> None:
        known = *rain.RANGES, STREAKS
        if self.kind not in known:
            raise ValueError(f"There is no rain {self.kind!r}; there are: {', '.join(known)}.")

    @property
    def about(self) -> str:
        """Such as "medium-range rain, weight 0.7"."""
        words = "the embedded streaks" if self.kind == STREAKS else f"{self.kind}-range rain"
        tinted = "" if set(self.tint) == {1} else ", tinted"
        return words + tinted + ("" if self.weight == 1 else f", weight {self.weight:g}")

    def layer(self, count: int, size: tuple[int, int], source: torch.Generator) -> Tensor:
        """What is added: (count, 1, H, W), or (count, 3, H, W) where it is tinted."""
        if self.kind == STREAKS:
            grey = rain.draw_streaks(count, size, source)
        else:
            grey = rain.synthesize(count, size, rain.RANGES[self.kind], source)
        if set(self.tint) == {1}:
            return grey if self.weight == 1 else grey * self.weight
        return torch.cat([grey * (self.weight * part) for part in self.tint], 1)

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """As `Degradation.apply`."""
        _check(clean, source)
        height, width = clean.shape[-2:]
        return rain.add_rain(clean, self.layer(len(clean), (height, width), source))


@dataclass(frozen=True)
class GaussianNoise:
    """Noise N(0, sigma), independent for each pixel and channel, clipped and not rounded.

    sigma: in grey levels, 0 to 255; the 2026 paper trains with 30 (Sec. 6.2). Raises ValueError
    unless it is above 0.
    """

    sigma: float = 30.0
    task: ClassVar[str] = "denoise"
    measures: ClassVar[tuple[str, ...]] = RESTORING
    mask: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise ValueError(f"sigma is {self.sigma}; it must be above 0 grey levels.")

    @property
    def about(self) -> str:
        """Such as "Gaussian noise, sigma 30"."""
        return f"Gaussian noise, sigma {self.sigma:g}"

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """As `Degradation.apply`."""
        _check(clean, source)
        noise = torch.randn(clean.shape, generator=source, device=clean.device)
        return (clean + noise * (self.sigma / LEVELS)).clamp(0, 1)


@dataclass(frozen=True)
class SaltAndPepper:
    """Impulses: a fraction of the pixels becomes black or white, each with one half of the chance.

    fraction: 2 % in the 2026 paper's test (Sec. 6.2). per_channel: whether R, G and B are hit
    apart; by default a pixel is hit whole (the paper does not say). Raises ValueError unless the
    fraction is above 0 and at most 1.
    """

    fraction: float = 0.02
    per_channel: bool = False
    task: ClassVar[str] = "denoise"
    measures: ClassVar[tuple[str, ...]] = (*RESTORING, "impulse_removal", "impulse_e_b")
    mask: ClassVar[str | None] = "touched"

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction is {self.fraction}; it must be above 0 and at most 1.")

    @property
    def about(self) -> str:
        """Such as "salt and pepper on 2 % of the pixels"."""
        of = "values" if self.per_channel else "pixels"
        return f"salt and pepper on {100 * self.fraction:g} % of the {of}"

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """As `Degradation.apply`."""
        _check(clean, source)
        count, channels, *size = clean.shape
        shape = (count, channels if self.per_channel else 1, *size)
        chance = torch.rand(shape, generator=source, device=clean.device)
        peppered = clean.masked_fill(chance < self.fraction / 2, 0)
        return peppered.masked_fill(chance >= 1 - self.fraction / 2, 1)


@dataclass(frozen=True)
class GaussianBlur:
    """Isotropic Gaussian blur, torchvision's; borders mirror without repeating the edge.

    kernels: sides in pixels, odd, one drawn for each picture; the 2026 paper trains with 5, 7 and
    9 (Sec. 6.2). sigma: in pixels; None, as the paper does not give it, for the rule of OpenCV,
    0.3 ((kernel - 1) / 2 - 1) + 0.8. Raises ValueError unless kernels are odd and sigma above 0.
    """

    kernels: tuple[int, ...] = (5, 7, 9)
    sigma: float | None = None
    task: ClassVar[str] = "deblur"
    measures: ClassVar[tuple[str, ...]] = RESTORING
    mask: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        _check_odd("kernels", self.kernels)
        if self.sigma is not None and not self.sigma > 0:
            raise ValueError(f"sigma is {self.sigma}; it must be above 0 pixels, or None.")

    @property
    def about(self) -> str:
        """Such as "Gaussian blur, kernel of 5, 7 or 9 pixels"."""
        width = "" if self.sigma is None else f", sigma {self.sigma:g}"
        return f"Gaussian blur, kernel of {_either(self.kernels)} pixels{width}"

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """As `Degradation.apply`."""
        # Here, because the import takes as long as that of torch, and few programs blur.
        from torchvision.transforms.functional import gaussian_blur

        _check(clean, source, reach=max(self.kernels) // 2)
        sigma = None if self.sigma is None else [self.sigma]
        chosen = _choose(len(self.kernels), len(clean), source)[:, None, None, None]
        blurred = clean
        # All by each kernel, then a choice: to sort them out, a GPU would wait for the processor.
        for place, kernel in enumerate(self.kernels):
            one = gaussian_blur(clean, [kernel, kernel], sigma)
            blurred = torch.where(chosen == place, one, blurred)
        return blurred


@dataclass(frozen=True)
class MotionBlur:
    """Blur along a straight line, rounded to whole grey levels; borders mirror as above.

    lengths: of the line in pixels, odd, one drawn for each picture, as is the angle, from [0, 180)
    degrees. The 2026 paper tests with 7, 9 and 11 and random directions (Sec. 6.2). Raises
    ValueError unless lengths are odd.
    """

    lengths: tuple[int, ...] = (7, 9, 11)
    task: ClassVar[str] = "deblur"
    measures: ClassVar[tuple[str, ...]] = RESTORING
    mask: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        _check_odd("lengths", self.lengths)

    @property
    def about(self) -> str:
        """Such as "motion blur, 7, 9 or 11 pixels long"."""
        return f"motion blur, {_either(self.lengths)} pixels long"

    def apply(self, clean: Tensor, source: torch.Generator) -> Tensor:
        """As `Degradation.apply`."""
        side = max(self.lengths)
        _check(clean, source, reach=side // 2)
        chosen = _choose(len(self.lengths), len(clean), source)
        length = torch.zeros(len(clean), device=clean.device)
        for place, pixels in enumerate(self.lengths):
            length = length.masked_fill(chosen == place, pixels)
        angle = 180 * torch.rand(len(clean), generator=source, device=clean.device)
        blurred = filter_each(clean, line_kernels(length, angle, side).to(clean.dtype))
        return images.to_unit(images.to_bytes(blurred)).to(clean.dtype)


def line_kernels(length: Tensor, angle: Tensor, side: int) -> Tensor:
    """Kernels (N, side, side), each with sum 1: antialiased lines through the centre.

    length, angle (N,): of the line in pixels, odd, at most `side`; and against the horizontal, in
    degrees, counted anticlockwise. A pixel weighs 1 less its distance, in pixels, to the segment
    from the middle of the first pixel to that of the last; so at 0 degrees all `length` pixels of
    the row weigh the same. Only a square of length x length is used, the rest is 0.
    """
    length, turn = length[:, None, None], torch.deg2rad(angle)[:, None, None]
    axis = torch.arange(side, device=angle.device, dtype=angle.dtype) - side // 2
    x, y = axis[None, :], -axis[:, None]  # rows are counted downwards
    along = (x * turn.cos() + y * turn.sin()).abs()
    across = (y * turn.cos() - x * turn.sin()).abs()
    beyond = (along - (length - 1) / 2).clamp(min=0)
    line = (1 - torch.hypot(across, beyond)).clamp(min=0)
    line = line * (2 * torch.maximum(x.abs(), y.abs()) < length)
    return line / line.sum((1, 2), keepdim=True)


def _check(clean: Tensor, source: torch.Generator, reach: int = 0) -> None:
    shape = tuple(clean.shape)
    if clean.ndim != 4 or shape[1] != 3:
        raise ValueError(f"clean has shape {shape}; a batch (N, 3, H, W) is needed.")
    if not clean.is_floating_point():
        raise ValueError(f"clean is {clean.dtype}; floats in [0, 1] are needed.")
    if clean.device.type != source.device.type:
        raise ValueError(f"clean is on {clean.device}, the generator on {source.device}.")
    if min(shape[2:]) <= reach:
        raise ValueError(
            f"clean has {shape[3]}x{shape[2]} pixels; this blur mirrors {reach} pixels at each "
            f"border and needs at least {reach + 1}x{reach + 1}."
        )


def _check_odd(name: str, sides: tuple[int, ...]) -> None:
    if not sides or any(side < 1 or side % 2 == 0 for side in sides):
        raise ValueError(f"{name} is {sides}; each must be odd, so that it has a middle pixel.")


def _either(values: tuple[int, ...]) -> str:
    """(5, 7, 9) -> "5, 7 or 9"."""
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}" if most else last


def _choose(among: int, count: int, source: torch.Generator) -> Tensor:
    """`count` numbers below `among`, each as likely."""
    return torch.randint(among, (count,), generator=source, device=source.device)


def filter_each(pictures: Tensor, kernels: Tensor) -> Tensor:
    """Each picture (N, C, H, W) filtered with its own kernel (N, L, L), borders mirrored."""
    count, channels = pictures.shape[:2]
    reach = kernels.shape[-1] // 2
    padded = F.pad(pictures, (reach,) * 4, mode="reflect")
    lanes = padded.reshape(1, count * channels, *padded.shape[-2:])
    weights = kernels.repeat_interleave(channels, 0)[:, None]
    return F.conv2d(lanes, weights, groups=count * channels).reshape(pictures.shape)


DEGRADATIONS: dict[str, Degradation] = {
    **{kind: AdditiveRain(kind) for kind in rain.RANGES},
    STREAKS: AdditiveRain(STREAKS),
    "medium_weak": AdditiveRain("medium", weight=0.7),
    "medium_tinted": AdditiveRain("medium", tint=(1.0, 0.9, 0.8)),
    "gauss30": GaussianNoise(30),
    "salt_and_pepper": SaltAndPepper(),
    "blur": GaussianBlur(),
    "motion_blur": MotionBlur(),
}


def named(name: str, **options: Any) -> Degradation:
    """The degradation of that name, with some of its options changed.

    So `named("gauss30", sigma=15)`. Raises ValueError for an unknown name or option, naming those
    there are.
    """
    if name not in DEGRADATIONS:
        raise ValueError(f"There is no degradation {name!r}; there are: {', '.join(DEGRADATIONS)}.")
    chosen: Any = DEGRADATIONS[name]
    known = [field.name for field in fields(chosen)] if is_dataclass(chosen) else []
    for option in options:
        if option not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"{name} has no option {option!r}; it has: {listed}.")
    changed: Degradation = replace(chosen, **options) if options else chosen
    return changed
