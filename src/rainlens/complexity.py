"""How complicated a picture is: sharpness and multi-scale structural complexity.

Both measure the grey picture (BT.601 luma, rounded to whole levels as image files hold it).
Training patches can be chosen by sharpness.
"""

from __future__ import annotations

from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from rainlens import images

LUMA = (0.299, 0.587, 0.114)
# Low, medium and high, as the 2026 paper has them (Sec. 4.1.2): from (included) to (excluded).
SHARPNESS_CLASSES = {"low": (0.0, 50.0), "medium": (500.0, 1000.0), "high": (5000.0, float("inf"))}
LEAST_SHARE = 0.001  # of the crops; a rarer class would take minutes to collect
AT_ONCE = 16  # pictures, so that what is worked on stays in the processor's cache


def to_grey(pictures: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) or (N, 1, H, W) -> float32 (N, H, W), whole levels from 0 to 255.

    Raises ValueError for another type or shape.
    """
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
        shape = tuple(pictures.shape)
        raise ValueError(
            f"pictures are {pictures.dtype} {shape}; they must be torch.uint8 (N, 3 or 1, H, W)."
        )
    if pictures.shape[1] == 1:
        return pictures[:, 0].float()
    red, green, blue = pictures.float().unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).round()


def sharpness(pictures: Tensor) -> Tensor:
    """Variance of the Laplacian of the grey picture, 0 to 255: low is soft (2026 paper, 4.1.2).

    The Laplacian is the sum of the four neighbours minus four times the pixel; beyond the border
    the picture is mirrored, the edge pixel not repeated. uint8 (N, 3 or 1, H, W) -> (N,).
    """
    return torch.cat([_sharpness(part) for part in pictures.split(AT_ONCE)])


def patches_of_sharpness(backgrounds: str, count: int, size: int, seed: int, kind: str) -> Tensor:
    """The first N of `images.crops` that are of a sharpness class, uint8 (N, 3, size, size).

    Like `images.patches`, nested and fixed by the seed. Sharpness depends on the size: a small
    crop is more often free of edges. Raises ValueError for an unknown class, and PictureError
    where fewer than one crop in a thousand is of the class.
    """
    if kind not in SHARPNESS_CLASSES:
        known = ", ".join(SHARPNESS_CLASSES)
        raise ValueError(f"The sharpness class is {kind!r}; it must be one of {known}.")
    low, high = SHARPNESS_CLASSES[kind]
    source = images.crops(backgrounds, size, seed)
    chosen: list[Tensor] = []
    seen = 0
    while len(chosen) < count:
        crops = torch.stack(list(islice(source, 256)))
        values = sharpness(crops)
        chosen += crops[(values >= low) & (values < high)]
        seen += len(crops)
        if seen * LEAST_SHARE > len(chosen) + 10:
            raise images.PictureError(
                f"Of {seen} crops of {backgrounds} with {size}x{size} pixels, {len(chosen)} are of "
                f"{kind} sharpness ({low:g} to {high:g}); choose other pictures or another size."
            )
    return torch.stack(chosen[:count])


def structural_complexity(pictures: Tensor, scales: int | None = None) -> Tensor:
    """The complexity C_k at each scale (Bagrov et al., PNAS 2020), (N, scales); C is their sum.

    The picture, grey in [0, 1], is coarse-grained step by step: scale k + 1 holds the means of
    2x2 blocks of scale k. With O(j, k) the mean product of two scales brought to one size,
    C_k = |O(k, k + 1) - (O(k, k) + O(k + 1, k + 1)) / 2|. Column k is what steps of k to k + 1
    lose: structure of 2^k pixels. Since a block mean is a projection, O(k, k + 1) equals
    O(k + 1, k + 1), and the sum over all scales is half the variance of the picture: the columns
    say at which sizes that variance lies.

    pictures: uint8 (N, 3 or 1, H, W). scales: how many steps, by default as many as H and W can
    be halved. Raises ValueError where they cannot be halved so often.
    """
    most = _halvings(pictures.shape[-1] | pictures.shape[-2])
    scales = most if scales is None else scales
    if not 1 <= scales <= most:
        height, width = pictures.shape[-2:]
        raise ValueError(
            f"scales is {scales}, but {width}x{height} pixels can be halved {most} times: "
            "crop the pictures to a multiple of a power of two."
        )
    return torch.cat([_profile(part, scales) for part in pictures.split(AT_ONCE)])


def _halvings(size: int) -> int:
    """How often a number can be halved: its trailing zero bits."""
    return (size & -size).bit_length() - 1


def _sharpness(pictures: Tensor) -> Tensor:
    grey = F.pad(to_grey(pictures), (1, 1, 1, 1), mode="reflect")
    laplacian = grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    laplacian += grey[:, :-2, 1:-1]
    laplacian += grey[:, 2:, 1:-1]
    laplacian.sub_(grey[:, 1:-1, 1:-1], alpha=4)
    # Whole numbers up to 1020: their squares are exact in float32, and only the sums need more.
    values = laplacian.flatten(1)
    mean = values.mean(dim=1, dtype=torch.float64)
    return values.square_().mean(dim=1, dtype=torch.float64) - mean.square()


def _profile(pictures: Tensor, scales: int) -> Tensor:
    fine = to_grey(pictures) / 255
    steps = []
    for _ in range(scales):
        rows = fine[:, ::2] + fine[:, 1::2]
        coarse = (rows[:, :, ::2] + rows[:, :, 1::2]) / 4
        # Every pixel of the coarse picture stands for 2x2 fine ones, whose mean it is: the mean
        # product of the two is the mean of the coarse one times itself.
        own, shared = (part.double().square().mean((1, 2)) for part in (fine, coarse))
        steps.append((shared - (own + shared) / 2).abs())
        fine = coarse
    return torch.stack(steps, dim=1)
