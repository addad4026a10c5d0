"""Scoring a network on test sets, one number a picture and measure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor, nn

from rainlens import data, images, metrics, rain
from rainlens.randomness import generator
from rainlens.records import stored
from rainlens.training import precision

RAIN100 = ("rain100l", "rain100h")
STREAKS = "streaks"
RAIN_NAMES = {
    "rain100l": "Rain100L",
    "rain100h": "Rain100H",
    STREAKS: "the embedded streaks",
    "small": "small-range rain",
    "medium": "medium-range rain",
    "large": "large-range rain",
}


@dataclass(frozen=True)
class TestSet:
    """Which degradation of which pictures.

    name: how records and chapters call it, such as "unseen" or "seen".
    degradation: "rain100l", "rain100h" (real test layers), "streaks" (embedded), or a training
    range of rain.
    backgrounds: a set of pictures; "rain100l" is Rain100's own clean pictures.
    count: pictures; crop: side of the centre that is used, None for whole pictures.
    keep: whether outputs are kept as pictures; only for sets that may be shown.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    name: str
    degradation: str = field(metadata=stored("rain"))
    backgrounds: str
    count: int
    crop: int | None = field(default=None, metadata=stored(kept=True))
    keep: bool = False


@lru_cache(maxsize=16)
def load(test: TestSet) -> tuple[list[Tensor], list[Tensor]]:
    """Rainy and clean pictures, uint8 (3, H, W) each, in a fixed order."""
    if test.backgrounds in RAIN100:
        folder = images.find_folder("rain100l") / "clean"
        whole = [images.load_cached(path) for path in images.list_folder(folder)[: test.count]]
        clean = [images.centre(picture, test.crop) if test.crop else picture for picture in whole]
    else:
        clean = images.test_pictures(test.backgrounds, test.count, test.crop)
    return degrade(test, clean), clean


def degrade(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    """Pictures, uint8 (3, H, W), under the rain of a test set, which each place in it keeps."""
    # As files store it: whole grey levels, clipped at white.
    return [
        (picture.short() + layer.short()).clamp(max=255).byte()
        for picture, layer in zip(clean, _layers(test, clean), strict=True)
    ]


def restore(model: nn.Module, degraded: list[Tensor], batch_pixels: int = 400_000) -> list[Tensor]:
    """The network's outputs for uint8 pictures (3, H, W) of any sizes, float32 in [0, 1]."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    outputs: list[Tensor | None] = [None] * len(degraded)
    for group in images.group_by_size(degraded):
        at_once = max(1, batch_pixels // degraded[group[0]][0].numel())
        for start in range(0, len(group), at_once):
            chosen = group[start : start + at_once]
            batch = images.to_unit(torch.stack([degraded[i] for i in chosen]).to(device))
            batch = batch.contiguous(memory_format=torch.channels_last)
            with torch.inference_mode(), precision(device):
                cleaned = model(batch)
            for i, picture in zip(chosen, cleaned.float().clamp(0, 1).cpu(), strict=True):
                outputs[i] = picture
    model.train(was_training)
    return [output for output in outputs if output is not None]


def evaluate(
    model: nn.Module, rainy: list[Tensor], clean: list[Tensor]
) -> tuple[dict[str, list[float]], list[Tensor]]:
    """Scores by measure, one a picture, and the outputs, float32 (3, H, W), for uint8 pictures.

    Those of `metrics.score`; `response` and `damage`, for which the clean pictures go through the
    network as well; and three of the rainy pictures themselves: `input_psnr`; `coverage`, the
    share of pixels in the rain region; and `exact_e_r`, the E_R of removing the rain exactly.
    """
    outputs = restore(model, rainy)
    scores: dict[str, list[float]] = {}
    for output, of_clean, before, truth in zip(
        outputs, restore(model, clean), rainy, clean, strict=True
    ):
        restored = output[None]
        pair = images.to_unit(before)[None], images.to_unit(truth)[None]
        values = metrics.score(restored, *pair)
        values["response"] = metrics.rain_response(restored, of_clean[None], *pair)
        values["damage"] = metrics.damage(of_clean[None], pair[1])
        values["input_psnr"] = metrics.psnr_rgb(*pair)
        values["exact_e_r"] = metrics.rain_strength(*pair)
        values["coverage"] = metrics.rain_mask(*pair).float().mean()
        for name, value in values.items():
            scores.setdefault(name, []).append(value.item())
    return scores, outputs


def measure(model: nn.Module, tests: tuple[TestSet, ...]) -> dict[str, float]:
    """Points of the training curves: `name/measure` -> mean over the set's pictures.

    All pictures of a set must have one size. SSIM, slow and little telling here, is left out.
    """
    point: dict[str, float] = {}
    for test in tests:
        rainy, clean = load(test)
        output = torch.stack(restore(model, rainy))
        units = output, images.to_unit(torch.stack(rainy)), images.to_unit(torch.stack(clean))
        point[f"{test.name}/e_r"] = metrics.e_r(*units).nanmean().item()
        point[f"{test.name}/e_b"] = metrics.e_b(*units).nanmean().item()
        point[f"{test.name}/gain"] = metrics.removal_gain(*units).nanmean().item()
        point[f"{test.name}/contrast"] = metrics.contrast_gain(*units).nanmean().item()
        point[f"{test.name}/psnr"] = metrics.psnr_rgb(units[0], units[2]).mean().item()
    return point


def _layers(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    """One rain layer a picture, uint8 (1, H, W)."""
    if test.degradation in RAIN100:
        return _rain100_layers(test, clean)
    # The seed is the place in the set: a picture keeps its rain whatever the count is.
    layers = []
    for index, picture in enumerate(clean):
        source = generator(index, f"test rain {test.degradation}")
        size = picture.shape[-2], picture.shape[-1]
        layers.append(images.to_bytes(_draw(test.degradation, size, source)[0]))
    return layers


def _draw(kind: str, size: tuple[int, int], source: torch.Generator) -> Tensor:
    if kind == STREAKS:
        return rain.draw_streaks(1, size, source)
    if kind in rain.RANGES:
        return rain.synthesize(1, size, rain.RANGES[kind], source)
    known = ", ".join([*RAIN100, STREAKS, *rain.RANGES])
    raise ValueError(f"There is no rain {kind!r}; there are: {known}.")


def _rain100_layers(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    folder = data.set_folder(test.degradation)
    if folder is None:
        raise images.PictureError(
            f"{test.degradation} is not there: set RAINLENS_DATA to a folder that has it, "
            f"or fetch it with `rainlens data fetch {test.degradation}`."
        )
    files = images.list_folder(folder / "rain")
    layers = []
    for index, picture in enumerate(clean):
        layer = images.load_cached(files[index % len(files)])[:1]
        height, width = picture.shape[-2:]
        if test.backgrounds not in RAIN100 and layer.shape[-1] < layer.shape[-2]:
            layer = layer.transpose(1, 2)  # upright layers on lying pictures
        if layer.shape[-2] < height or layer.shape[-1] < width:
            raise images.PictureError(
                f"{test.degradation} layers are smaller than {width}x{height}; "
                "give the test set a crop."
            )
        layers.append(images.centre(layer, max(height, width))[..., :height, :width])
    return layers
