"""The published weights that can be had, the scores their authors print, and how to repeat them.

The scores are those of the paper's tables, on the Y channel (Ren et al. 2019). Repeating them
checks the network, the loading of weights, the measures and the test sets at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rainlens import data, images, metrics, models
from rainlens.models.weights import WeightsError, load_weights


@dataclass(frozen=True)
class Published:
    """Weights with a score: model is its name in `MODELS`, file lies below the folder of weights.

    rain: the test set of 100 pictures. psnr_y (dB) and ssim_y: the means that the authors print.
    """

    model: str
    file: str
    rain: str
    psnr_y: float
    ssim_y: float


PUBLISHED = (
    Published("prenet", "prenet/PReNet6_Rain100L.pth", "rain100l", 37.48, 0.979),
    Published("prenet", "prenet/PReNet6_Rain100H.pth", "rain100h", 29.46, 0.899),
    Published("prn", "prenet/PRN6_Rain100L.pth", "rain100l", 36.99, 0.977),
    Published("prn", "prenet/PRN6_Rain100H.pth", "rain100h", 28.07, 0.884),
)


def by_file(file: str) -> Published:
    """What is known of a file of published weights. Raises LookupError where nothing is."""
    for one in PUBLISHED:
        if one.file == file:
            return one
    raise LookupError(f"{file} is not among the published weights.")


def load(published: Published) -> nn.Module:
    """The network with its published weights, in eval mode.

    Raises WeightsError where RAINLENS_DATA has no such file.
    """
    folder = data.set_folder("weights")
    if folder is None:
        raise WeightsError(
            f"{published.file} is not there: set RAINLENS_DATA to a folder that has weights, or "
            "fetch them with `rainlens data fetch weights`."
        )
    model = models.build(published.model)
    load_weights(model, folder / published.file)
    return model.eval().to(memory_format=torch.channels_last)


def score(
    model: nn.Module,
    rainy: Sequence[Tensor],
    clean: Sequence[Tensor],
    progress: Callable[[int], object] = lambda pictures: None,
) -> dict[str, list[float]]:
    """`psnr_y` (dB) and `ssim_y` of the network's outputs, one number a picture.

    rainy and clean: uint8 (3, H, W) each, of any sizes. progress(1) is called after each picture.
    Always in float32, since bfloat16 would compare another network with the published one, and
    with outputs as files hold them, in 8 bits: rounded, as everywhere in this book, and under
    `psnr_y_cut` and `ssim_y_cut` cut off, as the authors of PReNet save them, which leaves a
    picture half a grey level too dark.
    """
    scores: dict[str, list[float]] = {}
    for before, truth in zip(rainy, clean, strict=True):
        output, target = _output(model, before), images.to_unit(truth)[None]
        for ending, levels in (("", output.round()), ("_cut", output.floor())):
            saved = levels / 255
            scores.setdefault(f"psnr_y{ending}", []).append(metrics.psnr_y(saved, target).item())
            scores.setdefault(f"ssim_y{ending}", []).append(metrics.ssim_y(saved, target).item())
        progress(1)
    return scores


def _output(model: nn.Module, rainy: Tensor) -> Tensor:
    """The clipped output in grey levels, before it is saved: float32 (1, 3, H, W), on the CPU."""
    device = next(model.parameters()).device
    picture = images.to_unit(rainy)[None].to(device, memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        return model(picture).clamp(0, 1).mul(255).cpu()
