"""BRISQUE: a picture's statistics, and what viewers said of pictures with such statistics.

Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", 2012. Lower
is better, about 0 to 100. The support vector regression is the authors' release
(github.com/utlive/BRISQUE): its model and the range of each feature are read as LIBSVM writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from rainlens.data import DataError
from rainlens.quality import statistics, weights

MODEL, RANGE = "brisque/allmodel", "brisque/allrange"
FEATURES = 36  # 18 at each of two sizes
DIGITS = 6  # after the point: the authors' program hands features on as text
LEAST = 16  # ours: at half the size, the 7x7 window has to fit


@dataclass(frozen=True)
class Regression:
    """A radial-basis support vector regression: sum_i c_i exp(-gamma |s_i - x|^2) - rho.

    vectors s: (M, 36); coefficients c: (M,); x is scaled so that lowest becomes -1 and highest 1.
    """

    gamma: float
    rho: float
    coefficients: Tensor
    vectors: Tensor
    lowest: Tensor
    highest: Tensor

    def predict(self, features: Tensor) -> Tensor:
        """The score of each picture, (N, 36) features -> (N,)."""
        scaled = 2 * (features - self.lowest) / (self.highest - self.lowest) - 1
        squares = (scaled[:, None] - self.vectors).square().sum(2)  # (N, M)
        return (self.coefficients * torch.exp(-self.gamma * squares)).sum(1) - self.rho


def brisque_grey(pictures: Tensor) -> Tensor:
    """BRISQUE of the grey pictures, RGB (N, 3, H, W) in [0, 1] -> (N,) float64; lower is better.

    Grey is that of `statistics.to_grey`. nan for a picture without structure. In flat areas the
    features count the signs of rounding errors, as those did that the model was trained on: where
    a third of the picture is flat, another order of summation moves the score by several points.

    Raises ValueError below 16x16 pixels, and DataError where the published model
    (`weights/brisque/allmodel`, `allrange`) is not there.
    """
    height, width = pictures.shape[-2:]
    if min(height, width) < LEAST:
        raise ValueError(
            f"BRISQUE needs pictures of at least {LEAST}x{LEAST} pixels, not {width}x{height}."
        )
    files = (weights.find(name, weights.RELEASE) for name in (MODEL, RANGE))
    model = read_model(*files)
    grey = statistics.to_grey(pictures)
    values = [model.predict(features(picture[None]).cpu()) for picture in grey]
    return torch.cat(values).to(pictures.device)


def features(grey: Tensor) -> Tensor:
    """The 36 features of whole pictures, (N, H, W) grey levels -> (N, 36)."""
    found: list[Tensor] = []
    for _ in range(2):
        values = statistics.normalised(grey, border="constant", flat_is_zero=False)
        found += statistics.fit_symmetric(values)
        for product in statistics.neighbour_products(values):
            alpha, mean, left, right = statistics.fit_asymmetric(product)
            found += [alpha, mean, left.square(), right.square()]
        grey = statistics.halved(grey)
    return torch.stack(found, 1).round(decimals=DIGITS)


@lru_cache
def read_model(model: Path, ranges: Path) -> Regression:
    """The regression of two text files that LIBSVM's `svm-train` and `svm-scale` wrote.

    Raises DataError, naming the file, where one is damaged or of another kind.
    """
    header, coefficients, vectors = _read_vectors(model)
    lowest, highest = _read_ranges(ranges)
    if header.get("svm_type") != "epsilon_svr" or header.get("kernel_type") != "rbf":
        raise DataError(f"{model} is no regression with a radial basis; fetch it again.")
    if int(header["total_sv"]) != len(vectors):
        raise DataError(
            f"{model} has {len(vectors)} of {header['total_sv']} vectors; fetch it again."
        )
    gamma, rho = float(header["gamma"]), float(header["rho"])
    return Regression(gamma, rho, coefficients, vectors, lowest, highest)


def _read_vectors(path: Path) -> tuple[dict[str, str], Tensor, Tensor]:
    """The header by name, coefficients (M,), vectors (M, 36); an index left out stands for 0."""
    try:
        head, body = path.read_text(encoding="utf-8").split("\nSV\n")
        header = dict(line.split(maxsplit=1) for line in head.splitlines())
        lines = [line.split() for line in body.splitlines() if line.strip()]
        coefficients = torch.tensor([float(line[0]) for line in lines], dtype=torch.float64)
        vectors = torch.zeros(len(lines), FEATURES, dtype=torch.float64)
        for row, (_, *entries) in enumerate(lines):
            for index, value in (entry.split(":") for entry in entries):
                vectors[row, int(index) - 1] = float(value)
        _ = header["total_sv"], float(header["gamma"]), float(header["rho"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path} cannot be read as a LIBSVM model; fetch it again.") from error
    return header, coefficients, vectors


def _read_ranges(path: Path) -> tuple[Tensor, Tensor]:
    """Lowest and highest value of each feature, (36,) each; both become -1 and 1."""
    try:
        kind, bounds, *lines = path.read_text(encoding="utf-8").splitlines()
        rows = sorted((int(i), float(low), float(high)) for i, low, high in map(str.split, lines))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as LIBSVM's ranges; fetch it again.") from error
    whole = [row[0] for row in rows] == list(range(1, FEATURES + 1))
    if kind.strip() != "x" or bounds.split() != ["-1", "1"] or not whole:
        raise DataError(f"{path} does not scale {FEATURES} features to [-1, 1]; fetch it again.")
    table = torch.tensor([row[1:] for row in rows], dtype=torch.float64)
    return table[:, 0], table[:, 1]
