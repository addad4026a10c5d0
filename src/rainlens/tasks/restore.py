"""Restoration: a network learns to take a degradation off pictures, and meets others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from rainlens import complexity, evaluation, images, models, tasks, training
from rainlens.degradations import named
from rainlens.evaluation import TestSet
from rainlens.randomness import first_weights, generator
from rainlens.records import (
    Record,
    RecordError,
    RecordStore,
    Series,
    Trained,
    described,
    slug,
    stored,
    write_whole,
)
from rainlens.tasks import Learning, Session
from rainlens.tasks.usual_tests import with_usual_tests

Scores = dict[str, dict[str, list[float]]]
Pictures = list[Tensor]
Further = Callable[[Pictures, Pictures, Pictures], dict[str, list[float]]]


@dataclass(frozen=True, kw_only=True)
class Restore(Learning):
    """One network, trained on one degradation and tested on several.

    model, options: the network (`models.build`). backgrounds, patches, patch_size: the fixed
    training patches (`images.patches`); sharpness: only those of one class
    (`complexity.SHARPNESS_CLASSES`), None for all. degradation: of the training pictures, such as
    a range of rain (`rain.RANGES`). iterations, batch, learning_rate, warmup: the budget; warmup:
    steps over which the rate rises, None for none. seed: patches, initial weights and all draws.
    curves: test sets measured along the way, every `measure_every` iterations. tests: those
    measured at the end. snapshots: iterations at which the outputs of the test sets that keep
    theirs are kept, too, under the name that `snapshot` gives. own_patches: so many of its training
    patches are tested as well, degraded as each test set is, under the name that `own` gives.
    lossless: kept outputs are stored as they are, for pictures that a reader compares closely.
    keep_weights: the trained weights are part of the record, in half precision.
    """

    looks: ClassVar[tuple[str, ...]] = (
        *("measure_every", "curves", "tests"),
        *("snapshots", "own_patches", "lossless", "keep_weights"),
    )

    model: str = "resnet"
    options: tuple[tuple[str, int], ...] = ()
    backgrounds: str = "natural"
    patches: int = 64
    patch_size: int = 128
    degradation: str = field(default="medium", metadata=stored("rain"))
    iterations: int = 250_000
    batch: int = 16
    learning_rate: float = 2e-4
    seed: int = 0
    measure_every: int = 1000
    curves: tuple[TestSet, ...] = ()
    tests: tuple[TestSet, ...] = ()
    sharpness: str | None = None
    snapshots: tuple[int, ...] | None = None
    own_patches: int | None = None
    lossless: bool | None = None
    warmup: int | None = None
    keep_weights: bool | None = None

    def __post_init__(self) -> None:
        if not self.backgrounds.isprintable():
            raise ValueError(
                f"backgrounds is {self.backgrounds!r}; a name or path without control characters "
                "is needed."
            )
        if self.sharpness not in (None, *complexity.SHARPNESS_CLASSES):
            known = ", ".join(complexity.SHARPNESS_CLASSES)
            raise ValueError(f"sharpness is {self.sharpness!r}; it must be None or one of {known}.")
        named(self.degradation)  # raises ValueError, naming those there are
        for name in ("patches", "patch_size", "iterations", "batch", "measure_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if self.own_patches is not None and not 1 <= self.own_patches <= self.patches:
            raise ValueError(
                f"own_patches is {self.own_patches}; it must be from 1 to {self.patches}."
            )
        for step in self.snapshots or ():
            if not 0 <= step < self.iterations:
                raise ValueError(
                    f"A snapshot is at iteration {step}; it must be below {self.iterations}."
                )

    @property
    def task(self) -> str:  # type: ignore[override]  # that of the degradation
        """What it learns: "derain", "denoise" or "deblur"."""
        return named(self.degradation).task

    @property
    def readable(self) -> str:
        """Which network, trained on which patches and which degradation, by which seed."""
        kind = f"-{self.sharpness}" if self.sharpness else ""
        content = f"{slug(self.backgrounds)}{kind}{self.patches}"
        return f"{self.model}-{content}-{self.degradation}-s{self.seed}"

    @property
    def n(self) -> int:
        """N, the number of training patches."""
        return self.patches

    @property
    def looks_while_training(self) -> int:
        """Outputs along the way can be had in no other way; curves are points of a few sets."""
        return 1000 * len(self.snapshots or ()) + len(self.curves)

    @property
    def about(self) -> str:
        """The network in words."""
        told = " ".join(f"{name} {value}" for name, value in self.options) or "as published"
        return f"{self.model} ({told}), {self.patch_size} px"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of a patch."""
        return (3, self.patch_size, self.patch_size)

    def test(self, name: str) -> TestSet:
        """The test set of that name. Raises ValueError naming those there are."""
        named = {test.name: test for test in self.tests}
        if name not in named:
            raise ValueError(f"There is no test set {name!r}; there are: {', '.join(named)}.")
        return named[name]

    def needs(self) -> set[str]:
        """The pictures and layers of rain that it trains on and is tested on."""
        return {self.backgrounds, *evaluation.sets_of((*self.tests, *self.curves))}

    def stand_in(self) -> Self:
        """The same on embedded photographs and test rain."""
        embedded = replace(self, backgrounds=images.EMBEDDED)
        count = min(16, max((test.count for test in self.tests), default=16))
        return with_usual_tests(embedded, count, crop=192)

    def alike(self) -> Restore:
        """Steps take as long as those of this network on patches of this size."""
        return Restore(
            model=self.model,
            options=self.options,
            backgrounds=images.EMBEDDED,
            patch_size=self.patch_size,
            batch=self.batch,
        )

    def fresh_model(self) -> nn.Module:
        """The untrained network, on the processor."""
        with first_weights(self.seed):
            return models.build(self.model, **dict(self.options))

    def objective(self, model: nn.Module) -> training.Objective:
        """What training makes smaller: the mean absolute difference from the clean pictures.

        A network that was published with a loss of its own (`objective`) is trained by that.
        """
        draw = training_batches(self, next(model.parameters()).device)
        own = getattr(model, "objective", None)
        return training.supervised(draw) if own is None else training.by_own_loss(draw)

    def begin(self, model: nn.Module, store: RecordStore) -> None:
        """What happens to the fresh network before it is trained: nothing."""

    def trained_state(self, model: nn.Module) -> dict[str, Tensor]:
        """Of the weights, those that training changes: all."""
        return model.state_dict()

    def results(
        self, model: nn.Module, store: RecordStore
    ) -> tuple[Scores, dict[str, list[Tensor]]]:
        """Scores and kept outputs of the trained network, see `results`."""
        return results(self, model)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Trains and tests the network, and writes the record."""
        snapshots = _Snapshots(self, store)
        found = tasks.network(
            self,
            store,
            session,
            lambda model: evaluation.measure(model, self.curves),
            usable=self._curves_of,
            begin=lambda model: self.begin(model, store),
            before_step=snapshots.keep,
        )
        tests, kept = self.results(found.model, store)
        record = tasks.record_of(self, found, tests)
        outputs = {**snapshots.load(), **kept}
        weights = self.trained_state(found.model) if self.keep_weights else None
        record = store.save(record, outputs, bool(self.lossless), tasks.halved(weights))
        tasks.finish(store, self)
        snapshots.discard()
        return record

    def _curves_of(self, kept: Trained) -> Series | None:
        """The curves of an earlier training as this experiment would have them, if it can be told.

        Measured as often, and on the same pictures. Outputs along the way cannot be had later.
        """
        theirs, ours = kept.about["experiment"], described(self)
        if self.snapshots or theirs["measure_every"] != self.measure_every:
            return None
        if not all(test in theirs["curves"] for test in ours["curves"]):
            return None
        wanted = tuple(f"{test.name}/" for test in self.curves)
        return {
            name: values
            for name, values in kept.curves.items()
            if "/" not in name or name.startswith(wanted)
        }


def snapshot(test: str, iteration: int) -> str:
    """How a record calls the outputs for a test set that were kept during training."""
    return f"{test}_at{iteration}"


def own(test: str) -> str:
    """How a record calls the results on training patches, degraded as a test set is."""
    return f"own_{test}"


def results(
    experiment: Restore, model: nn.Module, further: Further = lambda *pictures: {}
) -> tuple[Scores, dict[str, list[Tensor]]]:
    """Test set -> measure -> one score a picture; test set -> outputs, uint8, where it keeps them.

    Its own training patches count as sets, too, if it tests any. further(outputs, degraded, clean)
    gives measures beyond those of `evaluation.evaluate`.
    """
    tests: Scores = {}
    kept = {}
    for test in experiment.tests:
        pairs = {test.name: evaluation.load(test)}
        if experiment.own_patches:
            pairs[own(test.name)] = own_pair(experiment, test)
        for name, pair in pairs.items():
            measures = evaluation.measures_of(test)
            scores, outputs = evaluation.evaluate(model, *pair, measures)
            tests[name] = {**scores, **further(outputs, *pair)}
            if test.keep:
                kept[name] = [images.to_bytes(output) for output in outputs]
    return tests, kept


def trained(experiment: Restore, store: RecordStore) -> nn.Module:
    """The trained network: its weights beside the record, or else those kept on this machine.

    Raises RecordError where there are neither, or they are not those of this network.
    """
    model, path = experiment.fresh_model(), store.weights_path(experiment.name)
    if path.exists():
        experiment.begin(model, store)
        learned = experiment.trained_state(model)
        frozen = {name: v for name, v in model.state_dict().items() if name not in learned}
        tasks.load_beside(model, experiment.name, store, frozen)
    else:
        kept = store.trained(experiment.training_key)
        if kept is None:
            raise RecordError(f"The weights of {experiment.name} are not there; train it first.")
        model.load_state_dict(kept.weights)
    return model.eval().to(memory_format=torch.channels_last)


# --- what it trains on


def training_patches(experiment: Restore) -> Tensor:
    """The clean patches that it is trained on, uint8 (N, 3, size, size)."""
    e = experiment
    chosen_by = e.backgrounds, e.patches, e.patch_size, e.seed
    if e.sharpness:
        return complexity.patches_of_sharpness(*chosen_by, e.sharpness)
    return images.patches(*chosen_by)


def own_pair(experiment: Restore, test: TestSet) -> tuple[list[Tensor], list[Tensor]]:
    """Its first `own_patches` training patches, in turn, degraded as a test set is: degraded and
    clean, uint8 (3, size, size) each, as many as the test set has pictures.

    Sets of patches are nested, so those of one seed are the same for every N.
    """
    patches = training_patches(experiment)[: experiment.own_patches]
    clean = [patches[place % len(patches)] for place in range(test.count)]
    return evaluation.degrade(test, clean), clean


def training_batches(experiment: Restore, device: torch.device) -> training.Draw:
    """Step -> (degraded, clean), float32 (batch, 3, size, size) in [0, 1], all on the device."""
    degradation = named(experiment.degradation)
    patches = training_patches(experiment).to(device)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        source = generator(experiment.seed, "train", step, device)
        chosen = torch.randint(len(patches), (experiment.batch,), generator=source, device=device)
        clean = images.to_unit(patches[chosen]).contiguous(memory_format=torch.channels_last)
        return degradation.apply(clean, source), clean

    return draw


class _Snapshots:
    """Outputs kept during training, in a file each until the record is written."""

    def __init__(self, experiment: Restore, store: RecordStore) -> None:
        self.tests = [test for test in experiment.tests if test.keep]
        unfinished = store.checkpoint_path(experiment.name)
        self.files: dict[int, Path] = {
            step: unfinished.with_suffix(f".{step}.safetensors")
            for step in experiment.snapshots or ()
        }

    def keep(self, step: int, model: nn.Module) -> None:
        """Before a step: the outputs of the network as it is, if this is an iteration to keep."""
        if step not in self.files:
            return
        outputs = {}
        for test in self.tests:
            restored = evaluation.restore(model, evaluation.load(test)[0])
            outputs[snapshot(test.name, step)] = torch.stack([images.to_bytes(r) for r in restored])
        self.files[step].parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.files[step], save(outputs))

    def load(self) -> dict[str, list[Tensor]]:
        """All that was kept: name -> pictures, uint8 (3, H, W)."""
        kept: dict[str, list[Tensor]] = {}
        for file in self.files.values():
            kept.update({name: list(pictures) for name, pictures in load_file(file).items()})
        return kept

    def discard(self) -> None:
        """Once they are in the record."""
        for file in self.files.values():
            file.unlink(missing_ok=True)
