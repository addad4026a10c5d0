"""Scoring a network on test sets, one number a picture and measure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn

from rainlens import data, images, metrics, rain
from rainlens.degradations import STREAKS, AdditiveRain, named
from rainlens.randomness import generator
from rainlens.records import stored
from rainlens.resources import PICTURE_BYTES, remember
from rainlens.training import precision

RAIN100 = ("rain100l", "rain100h")
RAINS = (*RAIN100, STREAKS, *rain.RANGES)  # grey layers, added in whole grey levels
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
    degradation: "rain100l", "rain100h" (real test layers), or a name in
    `degradations.DEGRADATIONS`, such as "streaks", "medium", "gauss30".
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


def sets_of(tests: Iterable[TestSet]) -> set[str]:
    """The sets of pictures and of rain layers that test sets take."""
    tests = tuple(tests)
    layers = {test.degradation for test in tests} & set(RAIN100)
    return {test.backgrounds for test in tests} | layers


def _weight(pairs: tuple[list[Tensor], list[Tensor]]) -> int:
    # Whole pictures share their memory with those that `images` remembers; crops are copies.
    return sum(picture.nbytes for pictures in pairs for picture in pictures)


def _place(test: TestSet) -> str:
    return os.environ.get(data.VARIABLE, "")


@remember(PICTURE_BYTES, weigh=_weight, version=_place)
def load(test: TestSet) -> tuple[list[Tensor], list[Tensor]]:
    """Rainy and clean pictures, uint8 (3, H, W) each, in a fixed order.

    Rain100's own pictures get the layers of their own names. Raises `PictureError` where a set is
    not there or not whole, or a picture has no layer of its name, or is smaller than the crop.
    """
    if test.backgrounds not in RAIN100:
        clean = images.test_pictures(test.backgrounds, test.count, test.crop)
        return degrade(test, clean), clean
    files = images.list_folder(images.find_folder("rain100l") / "clean")
    if test.degradation not in RAIN100:
        clean = [_cropped(file, test.crop) for file in files[: test.count]]
        return degrade(test, clean), clean
    pairs = pair_by_name(files, images.list_folder(images.find_folder(test.degradation) / "rain"))
    return _add_own_rain(pairs[: test.count], test.crop)


def _cropped(file: Path, crop: int | None) -> Tensor:
    picture = images.load_cached(file)
    return images.centre(picture, crop).clone() if crop else picture


def _add_own_rain(
    pairs: list[tuple[Path, Path]], crop: int | None
) -> tuple[list[Tensor], list[Tensor]]:
    rainy, clean = [], []
    for picture_file, layer_file in pairs:
        picture, layer = images.load_cached(picture_file), images.load_cached(layer_file)[:1]
        if picture.shape[-2:] != layer.shape[-2:]:
            raise images.PictureError(
                f"{data.printable(layer_file)} and {data.printable(picture_file)} differ in size; "
                "a picture and its rain layer must be of one size, so fetch or copy them again."
            )
        clean.append(_cropped(picture_file, crop))
        rainy.append(_add(clean[-1], images.centre(layer, crop) if crop else layer))
    return rainy, clean


def pair_by_name(pictures: Sequence[Path], layers: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Each picture with the rain layer of its name, in the order of the pictures.

    Names are compared without suffix; where they differ, as in norain-7.png and rain-7.png, the
    last number in them counts. Raises `images.PictureError` where a file has no partner, or two.
    """
    for key in (_stem, _number):
        by_name = {key(layer): layer for layer in layers}
        wanted = [key(picture) for picture in pictures]
        if None not in wanted and len({*wanted}) == len(wanted) and len(by_name) == len(layers):
            if by_name.keys() == {*wanted}:
                return [(p, by_name[k]) for p, k in zip(pictures, wanted, strict=True)]
    stems = {layer.stem for layer in layers} ^ {picture.stem for picture in pictures}
    alone = [file for file in (*pictures, *layers) if file.stem in stems] or [*pictures, *layers]
    raise images.PictureError(
        f"Pictures and rain layers do not go together one to one: {data.printable(alone[0])} has "
        "no partner of its name, or more than one; add what is missing or take it out."
    )


def _stem(file: Path) -> str:
    return file.stem


def _number(file: Path) -> int | None:
    numbers = re.findall(r"\d+", file.stem)
    return int(numbers[-1]) if numbers else None


def degrade(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    """Pictures, uint8 (3, H, W), degraded as a test set says; each place in it keeps its draw."""
    if test.degradation not in RAINS:
        return [_degraded(test.degradation, *numbered) for numbered in enumerate(clean)]
    return [_add(*pair) for pair in zip(clean, _layers(test, clean), strict=True)]


def _add(picture: Tensor, layer: Tensor) -> Tensor:
    # As files store it: whole grey levels, clipped at white.
    return (picture.short() + layer.short()).clamp(max=255).byte()


def restore(model: nn.Module, degraded: list[Tensor]) -> list[Tensor]:
    """The network's outputs for uint8 pictures (3, H, W) of any sizes, float32 in [0, 1]."""
    return [output.cpu() for output in _restored(model, degraded)]


def _restored(
    model: nn.Module, degraded: list[Tensor], batch_pixels: int = 400_000
) -> list[Tensor]:
    """The same, left on the network's device."""
    device = _device_of(model)
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
            for i, picture in zip(chosen, cleaned.float().clamp(0, 1), strict=True):
                outputs[i] = picture
    model.train(was_training)
    return [output for output in outputs if output is not None]


def _device_of(model: nn.Module) -> torch.device:
    """Where its parameters or buffers lie; the processor for a filter that has neither."""
    held = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if held is None else held.device


def _degraded(name: str, index: int, clean: Tensor) -> Tensor:
    source = generator(index, f"test {name}")
    return images.to_bytes(named(name).apply(images.to_unit(clean)[None], source)[0])


def evaluate(
    model: nn.Module,
    degraded: list[Tensor],
    clean: list[Tensor],
    measures: tuple[str, ...] = metrics.DERAINING,
) -> tuple[dict[str, list[float]], list[Tensor]]:
    """Scores by measure, one a picture, and the outputs, float32 (3, H, W), for uint8 pictures.

    measures: of `metrics.score`; further ones are `input_psnr`, of the degraded pictures, and
    `damage`, for which the clean pictures go through the network as well. Where rain is measured,
    these too: `response`; `coverage`, the share of pixels in the rain region; and `exact_e_r`,
    the E_R of removing the rain exactly.
    """
    # All on the network's device; numbers come back at the end, all at once.
    outputs, device = _restored(model, degraded), _device_of(model)
    scores: dict[str, list[Tensor]] = {}
    for output, of_clean, before, truth in zip(
        outputs, _restored(model, clean), degraded, clean, strict=True
    ):
        before, truth = images.to_unit(before.to(device)), images.to_unit(truth.to(device))
        units = output[None], before[None], truth[None]
        values = metrics.score(*units, measures)
        values["damage"] = metrics.damage(of_clean[None], units[2])
        values["input_psnr"] = metrics.psnr_rgb(*units[1:])
        if "e_r" in measures:
            values["response"] = metrics.rain_response(units[0], of_clean[None], *units[1:])
            values["exact_e_r"] = metrics.rain_strength(*units[1:])
            values["coverage"] = metrics.rain_mask(*units[1:]).float().mean()
        for name, value in values.items():
            scores.setdefault(name, []).append(value.reshape(()))
    numbers = {name: torch.stack(values).tolist() for name, values in scores.items()}
    return numbers, [output.cpu() for output in outputs]


def measures_of(test: TestSet) -> tuple[str, ...]:
    """The measures that make sense for the degradation of a test set."""
    return metrics.DERAINING if test.degradation in RAINS else named(test.degradation).measures


def measure(model: nn.Module, tests: tuple[TestSet, ...]) -> dict[str, float]:
    """Points of the training curves: `name/measure` -> mean over the set's pictures.

    All pictures of a set must have one size. SSIM, slow and little telling here, is left out.
    """
    point: dict[str, float] = {}
    for test in tests:
        degraded, clean = load(test)
        output = torch.stack(_restored(model, degraded))
        before, truth = (
            images.to_unit(torch.stack(pictures).to(output.device))
            for pictures in (degraded, clean)
        )
        quick = tuple(name for name in measures_of(test) if name != "ssim")
        for name, values in metrics.score(output, before, truth, quick).items():
            point[f"{test.name}/{name}"] = values.nanmean().item()
    return point


def _layers(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    """One rain layer a picture, uint8 (1, H, W)."""
    if test.degradation in RAIN100:
        return _rain100_layers(test, clean)
    # The seed is the place in the set: a picture keeps its rain whatever the count is.
    kind, layers = AdditiveRain(test.degradation), []
    for index, picture in enumerate(clean):
        source = generator(index, f"test rain {test.degradation}")
        height, width = picture.shape[-2:]
        layers.append(images.to_bytes(kind.layer(1, (height, width), source)[0]))
    return layers


def _rain100_layers(test: TestSet, clean: list[Tensor]) -> list[Tensor]:
    files = images.list_folder(images.find_folder(test.degradation) / "rain")
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
