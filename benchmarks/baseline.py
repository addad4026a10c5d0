"""What rainlens is compared with: recipe and measures in OpenCV, and training the plain way.

Both are written as one would write them first: a layer at a time; a data-loader whose worker
processes make the rain; float32; the default memory layout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rainlens.rain import LEVELS, RainRange, fast_length

SOFTEN = np.array([[0, 0.1, 0], [0.1, 8, 0.1], [0, 0.1, 0]], np.float32)


def rain_layer(size: int, margin: int, rain: RainRange, rng: np.random.Generator) -> np.ndarray:
    """One layer of the training rain, float32 (size, size) in [0, 1].

    The five steps of `rainlens.rain.synthesize` (its docstrings describe them), each by the
    OpenCV function for it, on a canvas of the same size. The one difference: OpenCV mirrors the
    canvas at its borders, where ours goes round. Mirrored streaks cross and are brighter there,
    so after the stretch to [0, 1] these layers are darker by a tenth or so.
    """
    side = fast_length(size + margin)
    quantity = rng.uniform(*rain.quantity)
    noise = rng.random((side, side), np.float32) * LEVELS
    noise[noise < LEVELS - quantity / 100] = 0
    noise = cv2.filter2D(noise, -1, SOFTEN)
    noise = cv2.filter2D(noise, -1, streak(rain, rng))
    layer = cv2.normalize(noise, None, 0, 1, cv2.NORM_MINMAX)
    return layer[:size, :size]


def streak(rain: RainRange, rng: np.random.Generator) -> np.ndarray:
    """A motion-blur kernel, float32 (length, length)."""
    length = int(rng.integers(rain.length[0], rain.length[1] + 1))
    width = int(rng.choice(rain.width))
    angle = rng.uniform(*rain.direction) - 45
    turn = cv2.getRotationMatrix2D((length / 2, length / 2), angle, 1 - length / 100)
    line = cv2.warpAffine(np.eye(length, dtype=np.float32), turn, (length, length))
    return cv2.GaussianBlur(line, (width, width), 0)


def sharpness(picture: np.ndarray) -> float:
    """Variance of the Laplacian of a picture, uint8 (H, W, 3), RGB."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def structural_complexity(picture: np.ndarray) -> list[float]:
    """C_k of a picture, uint8 (H, W, 3): block means, enlarged again to take the overlaps."""
    fine = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    levels = []
    while min(fine.shape) > 1:
        coarse = cv2.resize(fine, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        enlarged = cv2.resize(coarse, fine.shape[::-1], interpolation=cv2.INTER_NEAREST)
        own, other = (fine * fine).mean(), (enlarged * enlarged).mean()
        levels.append(abs((fine * enlarged).mean() - (own + other) / 2))
        fine = coarse
    return levels


class RainyPatches(IterableDataset):
    """Endless pairs (rainy, clean), float32 (3, H, W); patches are uint8 (N, 3, H, W)."""

    def __init__(self, patches: Tensor, margin: int, rain: RainRange) -> None:
        self.patches, self.margin, self.rain = patches.numpy(), margin, rain

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng(worker.id if worker else 0)
        cv2.setNumThreads(1)
        while True:
            clean = self.patches[rng.integers(len(self.patches))].astype(np.float32) / 255
            layer = rain_layer(clean.shape[-1], self.margin, self.rain, rng)
            rainy = np.clip(clean + layer, 0, 1)
            yield torch.from_numpy(rainy), torch.from_numpy(clean)


def train(
    model: nn.Module,
    data: RainyPatches,
    batch: int,
    workers: int,
    after_step: Callable[[float], None],
) -> None:
    """Trains until after_step(seconds since the last step) raises."""
    loader = iter(DataLoader(data, batch_size=batch, num_workers=workers))
    optimizer = torch.optim.Adam(model.parameters())
    last = time.perf_counter()
    while True:
        rainy, clean = next(loader)
        loss = nn.functional.l1_loss(model(rainy), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        now = time.perf_counter()
        after_step(now - last)
        last = now
