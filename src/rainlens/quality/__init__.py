"""Measures of picture quality, by name: what a table of restoration results usually shows.

All take RGB batches (N, 3, H, W) in [0, 1] and return (N,), float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from rainlens import metrics
from rainlens.quality import brisque, lpips, niqe, weights


@dataclass(frozen=True)
class Measure:
    """A measure of quality: what to call it, and which way it points.

    function: (output, clean) -> (N,); without a reference picture it leaves clean alone.
    has_reference: whether it compares with the clean picture. least: pixels across that it needs.
    files: what it reads from `weights/`.
    """

    label: str
    function: Callable[[Tensor, Tensor], Tensor]
    higher_is_better: bool
    has_reference: bool
    least: int = 1
    files: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The label without what stands in brackets, for charts and tables."""
        return self.label.partition(" (")[0]


MEASURES = {
    "psnr": Measure("PSNR", metrics.psnr_rgb, True, True),
    "ssim": Measure("SSIM", metrics.ssim_rgb, True, True, 11),
    "lpips_style": Measure(
        lpips.STYLE_LABEL,
        lpips.lpips_style_rgb,
        False,
        True,
        lpips.LEAST,
        (lpips.CAFFE_FILE, "lpips_v0.1/squeeze.pth"),
    ),
    "niqe": Measure(
        "NIQE", lambda output, _: niqe.niqe_grey(output), False, False, niqe.LEAST, (niqe.FILE,)
    ),
    "brisque": Measure(
        "BRISQUE",
        lambda output, _: brisque.brisque_grey(output),
        False,
        False,
        brisque.LEAST,
        (brisque.MODEL, brisque.RANGE),
    ),
}


def available() -> list[str]:
    """The names of the measures whose files are on this machine."""
    return [name for name, m in MEASURES.items() if all(map(weights.is_there, m.files))]


def score(output: Tensor, clean: Tensor, names: list[str] | None = None) -> dict[str, Tensor]:
    """Each measure of output, (N, 3, H, W) in [0, 1], by name; names: all available by default.

    Raises ValueError for an unknown name or pictures too small, DataError for a missing file.
    """
    names = available() if names is None else names
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"There is no measure {name!r}; there are: {', '.join(MEASURES)}.")
    return {name: MEASURES[name].function(output, clean) for name in names}
