"""Classical filters, and what is no filter at all: what a network must beat to have learned.

They have no parameters and are trained on nothing. As members of `models` they are built by name,
`build("median", size=5)`, and scored like networks. All take and give (N, 3, H, W), nominally in
[0, 1], in float32 whatever the precision around them, and of any height and width; those that
mirror borders refuse a picture which is no larger than the border, with a ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 255


class Filter(nn.Module):
    """What all of them share; `filtered` is what they differ in."""

    def __init__(self) -> None:
        super().__init__()
        # Holds nothing, but has a device: it goes where the filter is sent.
        self.register_buffer("place", torch.empty(0), persistent=False)

    def forward(self, rainy: Tensor) -> Tensor:
        with torch.autocast(rainy.device.type, enabled=False):
            return self.filtered(rainy.float())

    def filtered(self, picture: Tensor) -> Tensor:
        """The picture after the filter, float32 (N, 3, H, W)."""
        raise NotImplementedError


class Copy(Filter):
    """The picture as it is: everything of the rain is left, nothing is damaged."""

    def filtered(self, picture: Tensor) -> Tensor:
        """The picture itself."""
        return picture


class Dimming(Filter):
    """The picture times `factor`: it changes much where it rains, and removes no streak.

    Raises ValueError where the factor is below 0.
    """

    def __init__(self, factor: float = 0.5) -> None:
        super().__init__()
        if factor < 0:
            raise ValueError(f"factor is {factor}; it must not be below 0.")
        self.factor = factor

    def filtered(self, picture: Tensor) -> Tensor:
        """The darker picture."""
        return picture * self.factor


class Black(Dimming):
    """No picture at all: its E_R is high, as if it had removed much."""

    def __init__(self) -> None:
        super().__init__(factor=0)


class Median(Filter):
    """Of size x size values, channel by channel, the one in the middle. Borders are repeated.

    Raises ValueError unless the size is odd.
    """

    def __init__(self, size: int = 5) -> None:
        super().__init__()
        self.reach = _reach(size)

    def filtered(self, picture: Tensor) -> Tensor:
        """The median picture."""
        padded = F.pad(picture, (self.reach,) * 4, mode="replicate")
        values = torch.stack([near for near, _ in _neighbours(padded, self.reach)])
        return values.kthvalue(len(values) // 2 + 1, dim=0).values


class Gaussian(Filter):
    """A Gaussian blur with `sigma` in pixels, torchvision's, as far as three sigmas.

    Borders mirror without repeating the edge. Raises ValueError unless sigma is above 0, or for a
    picture that is too small to be mirrored.
    """

    def __init__(self, sigma: float = 1.0) -> None:
        super().__init__()
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma}; it must be above 0 pixels.")
        self.sigma = sigma
        self.size = round(6 * sigma + 1) | 1  # odd; OpenCV's choice for 8-bit pictures

    def filtered(self, picture: Tensor) -> Tensor:
        """The blurred picture."""
        # Here, because the import takes as long as that of torch, and few programs blur.
        from torchvision.transforms.functional import gaussian_blur

        _check_mirror(picture, self.size // 2)
        return gaussian_blur(picture, [self.size, self.size], [self.sigma])


class Bilateral(Filter):
    """A Gaussian blur over those neighbours that look alike (Tomasi and Manduchi 1998).

    diameter: of the disc of neighbours, in pixels, odd. sigma_color: in grey levels of the
    difference summed over channels; sigma_space: in pixels. As in OpenCV, borders mirrored.
    Raises ValueError unless the diameter is odd and both sigmas are above 0, or for a picture that
    is too small to be mirrored.
    """

    def __init__(self, diameter: int = 9, sigma_color: float = 75, sigma_space: float = 75) -> None:
        super().__init__()
        if not (sigma_color > 0 and sigma_space > 0):
            raise ValueError(f"sigmas are {sigma_color} and {sigma_space}; both must be above 0.")
        self.reach = _reach(diameter)
        self.sigma_color, self.sigma_space = sigma_color / LEVELS, sigma_space

    def filtered(self, picture: Tensor) -> Tensor:
        """The smoothed picture."""
        _check_mirror(picture, self.reach)
        padded = F.pad(picture, (self.reach,) * 4, mode="reflect")
        total, weights = torch.zeros_like(picture), torch.zeros_like(picture[:, :1])
        for near, distance in _neighbours(padded, self.reach):
            if distance > self.reach:
                continue
            apart = (near - picture).abs().sum(1, keepdim=True) / self.sigma_color
            weight = torch.exp(-(apart**2 + (distance / self.sigma_space) ** 2) / 2)
            total += weight * near
            weights += weight
        return total / weights


class Guided(Filter):
    """The guided filter, each channel its own guide (He et al. 2013, Eq. 5, 6 and 8).

    radius: of its square windows in pixels, cut off at borders; eps: the variance, of values in
    [0, 1], below which a window counts as flat and is smoothed. Raises ValueError unless the radius
    is at least 1 and eps above 0.
    """

    def __init__(self, radius: int = 4, eps: float = 0.01) -> None:
        super().__init__()
        if radius < 1 or not eps > 0:
            raise ValueError(f"radius is {radius}, eps {eps}; at least 1 and above 0 are needed.")
        self.radius, self.eps = radius, eps

    def filtered(self, picture: Tensor) -> Tensor:
        """The smoothed picture."""
        mean = self._mean(picture)
        variance = (self._mean(picture * picture) - mean * mean).clamp(min=0)
        slope = variance / (variance + self.eps)
        return self._mean(slope) * picture + self._mean(mean - slope * mean)

    def _mean(self, values: Tensor) -> Tensor:
        side = 2 * self.radius + 1
        return F.avg_pool2d(values, side, 1, self.radius, count_include_pad=False)


class Opening(Filter):
    """A morphological opening across upright streaks: what is bright and narrow is taken off.

    The structuring element is a row of `size` pixels: in each row and channel, anything brighter
    than its surroundings and narrower than that is levelled; nothing grows brighter. Raises
    ValueError unless the size is odd.
    """

    def __init__(self, size: int = 5) -> None:
        super().__init__()
        self.window, self.padding = (1, size), (0, _reach(size))

    def filtered(self, picture: Tensor) -> Tensor:
        """The opened picture."""
        # What pools add at borders is minus infinity: it counts neither as dark nor as bright.
        eroded = -F.max_pool2d(-picture, self.window, 1, self.padding)
        return F.max_pool2d(eroded, self.window, 1, self.padding)


class Wiener(Filter):
    """Undoes one blur that it assumes, as far as noise lets it (Wiener; scikit-image's `wiener`).

    size: side in pixels, odd, of the Gaussian kernel that it assumes, with the sigma that
    `degradations.GaussianBlur` gives to it: the middle of those that networks are trained on.
    balance: weight of the Laplacian against noise. Its default gave the best PSNR on 60 training
    pictures under the Gaussian blur of training; motion blur was not looked at. In frequencies,
    X = conj(H) Y / (|H|^2 + balance |L|^2) with H of the kernel and L of the Laplacian; values
    beyond [0, 1] are clipped. Borders mirror as those of the blur do. Raises ValueError unless the
    size is odd and balance above 0, or for a picture that is too small to be mirrored.
    """

    def __init__(self, size: int = 7, balance: float = 0.0003) -> None:
        super().__init__()
        if not balance > 0:
            raise ValueError(f"balance is {balance}; it must be above 0.")
        self.reach, self.balance = _reach(size), balance
        sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8  # OpenCV's rule
        line = torch.arange(size) - self.reach
        bell = torch.exp(-((line / sigma) ** 2) / 2)
        self.line = (bell / bell.sum()).tolist()

    def filtered(self, picture: Tensor) -> Tensor:
        """The sharper picture."""
        _check_mirror(picture, self.reach)
        height, width = picture.shape[-2:]
        # One period of the picture mirrored at all borders, so that the borders of no period show.
        whole = F.pad(picture, (0, width - 2, 0, height - 2), mode="reflect")
        rows, columns = (_frequencies(side, picture.device) for side in whole.shape[-2:])
        columns = columns[: len(columns) // 2 + 1]
        blur = self._passes(rows)[:, None] * self._passes(columns)
        edges = 4 - 2 * rows.cos()[:, None] - 2 * columns.cos()
        inverse = blur / (blur**2 + self.balance * edges**2)
        sharp = torch.fft.irfft2(torch.fft.rfft2(whole) * inverse, s=whole.shape[-2:])
        return sharp[..., :height, :width].clamp(0, 1)

    def _passes(self, frequencies: Tensor) -> Tensor:
        """How much of each frequency the assumed kernel passes along a line; real, it is even."""
        steps = range(-self.reach, self.reach + 1)
        parts = [w * (k * frequencies).cos() for w, k in zip(self.line, steps, strict=True)]
        return torch.stack(parts).sum(0)


def _frequencies(side: int, device: torch.device) -> Tensor:
    """Those of a discrete Fourier transform, in radians a pixel, (side,)."""
    return 2 * math.pi * torch.fft.fftfreq(side, device=device)


def _reach(size: int) -> int:
    if size < 1 or size % 2 == 0:
        raise ValueError(f"The size is {size}; it must be odd, so that it has a middle: try 5.")
    return size // 2


def _check_mirror(picture: Tensor, reach: int) -> None:
    height, width = picture.shape[-2:]
    if min(height, width) <= reach:
        raise ValueError(
            f"The picture has {width}x{height} pixels; this filter mirrors {reach} at each border "
            f"and needs at least {reach + 1}x{reach + 1}."
        )


def _neighbours(padded: Tensor, reach: int) -> Iterator[tuple[Tensor, float]]:
    """A picture with a border of `reach`, moved to each place of a square, and how far that is."""
    height, width = (side - 2 * reach for side in padded.shape[-2:])
    for dy, dx in product(range(2 * reach + 1), repeat=2):
        yield padded[..., dy : dy + height, dx : dx + width], math.hypot(dy - reach, dx - reach)
