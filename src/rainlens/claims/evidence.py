"""The records of a scale, as the judge of a claim asks for them."""

from __future__ import annotations

from typing import Any

from rainlens import complexity, rain
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.tasks import Experiment
from rainlens.tasks.survey import Survey

CATEGORIES = ("natural", "faces", "comics", "urban")
NETWORKS = ("resnet", "unet", "swinir")
SWEEPS = tuple((network, category) for network in NETWORKS for category in CATEGORIES)
TOY_SEEDS = (0, 1)  # those of chapter 3

Sweep = dict[int, list[Record]]


class Missing(Exception):
    """Records that a judge needs are not there."""


class Evidence:
    """The records of a scale, as a judge asks for them; `names` are those it has read."""

    def __init__(self, setting: Scale, store: RecordStore, loaded: dict[str, Record]) -> None:
        self.setting, self.store, self.loaded = setting, store, loaded
        self.names: list[str] = []

    def record(self, experiment: Experiment) -> Record:
        """The record of an experiment. Raises Missing where there is none."""
        name = experiment.name
        if name not in self.loaded:
            record = self.store.load(name)
            if record is None:
                raise Missing(name)
            self.loaded[name] = record
        self.names.append(name)
        return self.loaded[name]

    def sweep(self, coarse: bool = False, **fields: Any) -> Sweep:
        """N -> one record a seed (`Scale.sweep`). Raises Missing where one is missing."""
        sweep: Sweep = {}
        for experiment in self.setting.sweep(coarse, **fields):
            sweep.setdefault(experiment.patches, []).append(self.record(experiment))
        return sweep

    def category(self, name: str, model: str = "resnet") -> Sweep:
        """The coarse sweep of a category of pictures and a network."""
        return self.sweep(coarse=True, backgrounds=name, model=model)

    def of_sharpness(self) -> dict[str, list[Record]]:
        """The networks of chapter 6, one a seed, by class of sharpness."""
        return {
            kind: [self.record(self.setting.of_sharpness(kind, s)) for s in self.setting.seeds]
            for kind in complexity.SHARPNESS_CLASSES
        }

    def surveys(self) -> dict[str, Record]:
        """How complicated the patches of each category are."""
        return {name: self.record(Survey(backgrounds=name)) for name in CATEGORIES}

    def ranges(self) -> dict[str, Sweep]:
        """The sweeps of chapter 5, by rain range."""
        return {name: self.sweep(degradation=name) for name in rain.RANGES}

    def toy(self, order: int) -> list[Record]:
        """The toy networks of an order, one a seed."""
        return [self.record(self.setting.toy(order, seed)) for seed in TOY_SEEDS]
