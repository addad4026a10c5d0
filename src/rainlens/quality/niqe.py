"""NIQE: how far a picture's statistics are from those of clean photographs.

Mittal, Soundararajan, Bovik, "Making a completely blind image quality analyzer", 2013. Lower is
better; no reference picture is needed, and none is looked at.
"""

from __future__ import annotations

import math
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rainlens.data import DataError
from rainlens.quality import statistics, weights

FILE = "niqe_pris_params.npz"
BLOCK = 96  # pixels across, at full size
LEAST = 2 * BLOCK
FEATURES = 36  # 18 at each of two sizes


def niqe_grey(pictures: Tensor) -> Tensor:
    """NIQE of the grey pictures, RGB (N, 3, H, W) in [0, 1] -> (N,) float64; lower is better.

    Grey is that of `statistics.to_grey`; BT.601 luma would move the values by up to 0.2. Blocks
    of 96x96 from the upper left corner; what is left over at the right and below is not looked
    at. nan where no block has any structure. Flat areas count as exactly zero, where the official
    program lets the sign of rounding errors decide.

    Raises ValueError below 192x192 pixels, and DataError where the published statistics of clean
    photographs (`weights/niqe_pris_params.npz`) are not there.
    """
    height, width = pictures.shape[-2:]
    if min(height, width) < LEAST:
        raise ValueError(
            f"NIQE needs pictures of at least {LEAST}x{LEAST} pixels, not {width}x{height}: "
            "measure whole pictures, not patches."
        )
    clean = pristine(weights.find(FILE))
    grey = statistics.to_grey(pictures)
    values = [distance(block_features(picture), *clean) for picture in grey]
    return torch.tensor(values, dtype=torch.float64, device=pictures.device)


def block_features(grey: Tensor) -> Tensor:
    """The 36 features of each block, (H, W) grey levels -> (blocks, 36)."""
    rows, columns = (size // BLOCK for size in grey.shape)
    grey = grey[None, : rows * BLOCK, : columns * BLOCK]
    features = []
    for size in (BLOCK, BLOCK // 2):
        values = statistics.normalised(grey, border="replicate", flat_is_zero=True)
        blocks = values.reshape(rows, size, columns, size).transpose(1, 2)
        features += _features(blocks.reshape(rows * columns, size, size))
        grey = statistics.halved(grey)
    return torch.stack(features, 1)


def distance(features: Tensor, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Between a picture's blocks (blocks, 36) and clean photographs (36,), (36, 36); Eq. 10.

    The root of d' S^-1 d, d the difference of the means, S the mean of the covariances. nan where
    fewer than two blocks have all features.
    """
    blocks = features.cpu().numpy()
    whole = blocks[~np.isnan(blocks).any(1)]
    if len(whole) < 2:
        return math.nan
    apart = mean - np.nanmean(blocks, 0)
    shared = np.linalg.pinv((covariance + np.cov(whole, rowvar=False)) / 2)
    return math.sqrt(apart @ shared @ apart)


@lru_cache
def pristine(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean (36,) and covariance (36, 36) of the features of clean photographs.

    Raises DataError where the file is damaged or has other shapes.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            mean, covariance = stored["mu_pris_param"].ravel(), stored["cov_pris_param"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as NIQE's parameters; fetch it again.") from error
    if mean.shape != (FEATURES,) or covariance.shape != (FEATURES, FEATURES):
        raise DataError(
            f"{path} has {mean.size} features, but NIQE has {FEATURES}; fetch it again."
        )
    return mean, covariance


def _features(blocks: Tensor) -> list[Tensor]:
    """18 features of normalised blocks (N, K, K), each (N,)."""
    alpha, _, left, right = statistics.fit_asymmetric(blocks)
    features = [alpha, (left + right) / 2 * statistics.scale(alpha)]
    for product in statistics.neighbour_products(blocks):
        alpha, mean, left, right = statistics.fit_asymmetric(product)
        scale = statistics.scale(alpha)
        features += [alpha, mean, left * scale, right * scale]
    return features
