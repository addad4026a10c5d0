"""PSNR and SSIM of the same pictures by rainlens and by three libraries, with one meaning.

All compute SSIM with the Gaussian window of 11x11 and sigma 1.5, without downsampling;
`tests/test_metrics.py` holds ours to scikit-image's values. Each library gets the pictures in the
form it likes, ready made: arrays with channels last, or tensors.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import piq
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchmetrics.functional import image as torchmetrics

from rainlens import images, metrics

HEIGHT, WIDTH = 321, 481  # as in Rain100L
WINDOW = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)


@cache
def pictures(count: int) -> list[tuple[Tensor, Tensor]]:
    """Pairs of a noisy and a clean picture, float32 (1, 3, H, W), from embedded ones."""
    patches = images.to_unit(images.patches(images.EMBEDDED, count, 256, 0))
    wide = torch.cat([patches, patches.flip(3)], 3).repeat(1, 1, 2, 1)[..., :HEIGHT, :WIDTH]
    noise = 0.05 * torch.randn(wide.shape, generator=torch.Generator().manual_seed(0))
    noisy = (wide + noise).clamp(0, 1)
    return [(noisy[i : i + 1], wide[i : i + 1].contiguous()) for i in range(count)]


def _arrays(*pair: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy()) for picture in pair)


def _skimage_ssim(output: np.ndarray, clean: np.ndarray) -> float:
    return structural_similarity(clean, output, channel_axis=2, **WINDOW)


def _skimage_luma(output: np.ndarray, clean: np.ndarray) -> float:
    weights = np.array([65.481, 128.553, 24.966], np.float32) / 255
    luma = [picture @ weights + 16 / 255 for picture in (clean, output)]
    return structural_similarity(*luma, **WINDOW)


READY = {
    "rainlens": lambda *pair: pair,
    "torchmetrics": lambda *pair: pair,
    "piq": lambda *pair: pair,
    "scikit-image": _arrays,
}
MEASURES = {
    ("PSNR", "rainlens"): metrics.psnr_rgb,
    ("PSNR", "scikit-image"): lambda a, b: peak_signal_noise_ratio(b, a, data_range=1),
    ("PSNR", "torchmetrics"): lambda a, b: torchmetrics.peak_signal_noise_ratio(a, b, 1.0),
    ("PSNR", "piq"): piq.psnr,
    ("SSIM", "rainlens"): metrics.ssim_rgb,
    ("SSIM", "scikit-image"): _skimage_ssim,
    ("SSIM", "torchmetrics"): lambda a, b: torchmetrics.structural_similarity_index_measure(
        a, b, data_range=1.0
    ),
    ("SSIM", "piq"): lambda a, b: piq.ssim(a, b, downsample=False),
    ("SSIM of luma", "rainlens"): metrics.ssim_y,
    ("SSIM of luma", "scikit-image"): _skimage_luma,
}
