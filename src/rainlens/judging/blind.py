"""Pairs for a reader who judges without names, and what the measures say of the same pictures.

Each pair is two stored outputs for one rainy photograph. Which makers meet is fixed here, by what
they differ in and before anyone has judged; no result decides it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from rainlens import evaluation, images, preferences, scales
from rainlens.claims import quality
from rainlens.models import MODELS
from rainlens.records import Record
from rainlens.scales import Scale
from rainlens.tasks.judge import trained
from rainlens.tasks.restore import Restore
from rainlens.tasks.untrained import Untrained

SCALE = "cpu"  # its records come with the book, so that every reader judges the same pictures
TEST = "shown_unseen"  # outputs that may be shown to everyone, under rain of a kind unseen
PHOTOGRAPHS = ("cat", "coffee")  # of that test set; the pairs show them in turn
FEW, SOME, MANY = 8, 64, 512

Maker = tuple[str, Restore | Untrained]  # its name for the reader, and the experiment


@dataclass(frozen=True)
class Measure:
    """How a number is read as a choice between two pictures.

    label: the choice in words, such as "Higher PSNR". sign: 1 where the larger number is chosen, -1
    where the smaller is. least: a difference below it is no preference.
    """

    label: str
    sign: int
    least: float = 0.0

    def choice(self, a: float | None, b: float | None) -> str | None:
        """The picture it points to, "a" or "b"; None where it does not tell, or lacks a number."""
        if a is None or b is None or a == b or abs(a - b) < self.least:
            return None
        return "a" if self.sign * (a - b) > 0 else "b"


# The judge prefers where |P - 0.5| is at least TIE, with P = sigmoid(difference of the scores).
JUDGE, SURE = "judge", math.log((0.5 + preferences.TIE) / (0.5 - preferences.TIE))
MEASURES: Mapping[str, Measure] = {
    "gain": Measure("Larger removal gain", 1),
    "response": Measure("Smaller rain response", -1),
    "e_r": Measure("Larger E_R", 1),
    "e_b": Measure("Smaller E_B", -1),
    "psnr": Measure("Higher PSNR", 1),
    "ssim": Measure("Higher SSIM", 1),
    JUDGE: Measure("The trained judge", -1, SURE - 1e-9),
}


@dataclass(frozen=True)
class Output:
    """One picture of a pair.

    maker: what made it. picture: the WebP file, byte for byte as it is stored. values: measure ->
    number; those of the record, of the output before it was stored, but the judge's score, which
    is of the stored picture. None where a measure is undefined or was not recorded.
    """

    maker: str
    picture: bytes
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class BlindPair:
    """Two outputs for one rainy photograph. rainy: a WebP file, too."""

    name: str
    photograph: str
    rainy: bytes
    a: Output
    b: Output


@dataclass(frozen=True)
class Manifest:
    """All pairs, and the measures that know at least one of them."""

    pairs: tuple[BlindPair, ...]

    @property
    def measures(self) -> dict[str, Measure]:
        """By name, those with a number for both pictures of some pair."""
        return {
            name: measure
            for name, measure in MEASURES.items()
            if any(None not in (p.a.values[name], p.b.values[name]) for p in self.pairs)
        }

    @cached_property
    def digest(self) -> str:
        """Of which pictures are compared: answers to other pairs cannot be mistaken for these."""
        compared = [[p.name, file_name(p.a.picture), file_name(p.b.picture)] for p in self.pairs]
        return hashlib.sha256(json.dumps(compared).encode()).hexdigest()[:16]

    def told(self) -> dict[str, Any]:
        """The same for the page, as JSON; pictures by the names of their files."""
        return {
            "digest": self.digest,
            "measures": {
                name: {"label": m.label, "sign": m.sign, "least": m.least}
                for name, m in self.measures.items()
            },
            "pairs": [
                {
                    "name": pair.name,
                    "photograph": pair.photograph,
                    "rainy": file_name(pair.rainy),
                    **{side: self._output(getattr(pair, side)) for side in "ab"},
                }
                for pair in self.pairs
            ],
        }

    def _output(self, output: Output) -> dict[str, Any]:
        values = {name: output.values[name] for name in self.measures}
        return {"maker": output.maker, "picture": file_name(output.picture), "values": values}


def file_name(picture: bytes) -> str:
    """A name that says nothing of what made the picture."""
    return f"{hashlib.sha256(picture).hexdigest()[:12]}.webp"


def contests(setting: Scale) -> list[tuple[Maker, Maker]]:
    """Who meets whom: few backgrounds and many, ranges of rain, networks, and plain filters."""

    def resnet(patches: int, rain: str) -> Maker:
        return _network(setting, patches=patches, degradation=rain)

    def coarse(model: str, patches: int) -> Maker:
        return _network(setting, model=model, patches=patches, **setting.coarse)

    filters = {name: (_FILTERS[name], setting.filters()[name]) for name in _FILTERS}
    most = setting.patch_counts[-1]
    return [
        (resnet(FEW, "medium"), resnet(MANY, "medium")),
        (resnet(FEW, "large"), resnet(MANY, "large")),
        (resnet(FEW, "small"), resnet(most, "small")),
        (resnet(MANY, "small"), resnet(MANY, "large")),
        (resnet(SOME, "medium"), resnet(SOME, "large")),
        (resnet(most, "medium"), resnet(most, "large")),
        (coarse("unet", FEW), coarse("unet", MANY)),
        (coarse("swinir", FEW), coarse("swinir", MANY)),
        (coarse("unet", MANY), coarse("swinir", MANY)),
        (_of_sharpness(setting, "low"), _of_sharpness(setting, "high")),
        (resnet(MANY, "large"), filters["opening 5"]),
        (resnet(MANY, "medium"), filters["median 5"]),
        (filters["Gaussian 2"], filters["guided"]),
        (filters["dimmed by half"], filters["median 3"]),
    ]


_FILTERS = {
    "opening 5": "Morphological opening, 5 x 5 pixels",
    "median 5": "Median filter, 5 x 5 pixels",
    "median 3": "Median filter, 3 x 3 pixels",
    "Gaussian 2": "Gaussian blur, sigma 2 pixels",
    "guided": "Guided filter",
    "dimmed by half": "The rainy picture, dimmed by half",
}
_KINDS = {"low": "soft pictures", "high": "sharp pictures"}


def _network(setting: Scale, **fields: Any) -> Maker:
    return _named(setting.experiment(seed=setting.seeds[0], **fields))


def _of_sharpness(setting: Scale, kind: str) -> Maker:
    return _named(setting.of_sharpness(kind))


def _named(network: Restore) -> Maker:
    kind = f" {_KINDS[network.sharpness]}," if network.sharpness else ""
    count = f"N = {network.patches:,}".replace(" ", "\N{NO-BREAK SPACE}")
    told = f"{count},{kind} {network.degradation} range of rain"
    return f"{MODELS[network.model].__name__}, {told}", network


def manifest(setting: Scale | None = None) -> Manifest:
    """The pairs whose two outputs are recorded, in their fixed order; none where nothing is.

    Raises RecordError where a record or a picture of one is damaged.
    """
    setting = setting or scales.scale_named(SCALE)
    return Manifest(tuple(_pairs(setting)))


def _pairs(setting: Scale) -> Iterator[BlindPair]:
    score, rainy = _judge(setting), dict[int, bytes]()
    for number, makers in enumerate(contests(setting)):
        index = number % len(PHOTOGRAPHS)
        a, b = (_output(setting, maker, index, score) for maker in makers)
        if a is None or b is None:
            continue
        if index not in rainy:
            pictures, _ = evaluation.load(_test(makers[0]))
            rainy[index] = images.encode_webp(pictures[index], lossless=True)
        yield BlindPair(f"p{number + 1:02}", PHOTOGRAPHS[index], rainy[index], a, b)


def _test(maker: Maker) -> evaluation.TestSet:
    return next(test for test in maker[1].tests if test.name == TEST)


Score = Callable[[torch.Tensor], float]  # of a picture, uint8 (3, H, W)


def _output(setting: Scale, maker: Maker, index: int, score: Score | None) -> Output | None:
    """What is stored of one maker; None where it has no record with that picture."""
    name, experiment = maker
    record = setting.store.load(experiment.name)
    if record is None or len(record.pictures.get(TEST, ())) <= index:
        return None
    picture = setting.store.picture(record, TEST, index)  # refuses a damaged one
    content = (setting.store.folder / record.pictures[TEST][index]).read_bytes()
    values = {measure: _value(record, measure, index) for measure in MEASURES}
    if score is not None:
        values[JUDGE] = score(picture)
    return Output(name, content, values)


def _value(record: Record, measure: str, index: int) -> float | None:
    column = record.tests.get(TEST, {}).get(measure, ())
    return column[index] if index < len(column) else None


def _judge(setting: Scale) -> Score | None:
    """The score of the trained judge, more for more rain.

    None where none is recorded, or it does not pass its gate.
    """
    store, experiment = setting.store, quality.judge_of_rain(setting)
    record = store.load(experiment.name)
    if record is None or not quality.gate(record).passed:
        return None
    judge = trained(experiment, store)

    @torch.inference_mode()
    def score(picture: torch.Tensor) -> float:
        return float(judge(images.to_unit(picture)[None]))

    return score
