"""An experiment is a value; running it gives a record.

An `Experiment` says everything that decides the outcome. `run` returns recorded results at once
and computes the missing ones. `SCALES` says how large experiments are.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

import rainlens
from rainlens import (
    cluster,
    complexity,
    data,
    evaluation,
    images,
    models,
    rain,
    scheduling,
    signals,
    toy_evaluation,
    training,
)
from rainlens.evaluation import TestSet
from rainlens.randomness import generator
from rainlens.records import Record, RecordError, RecordStore, Trained, write_whole

ENGINE = 1  # raised whenever the same experiment would give other numbers
RECORDS_VARIABLE = "RAINLENS_RECORDS"
COMMIT_VARIABLE = "RAINLENS_COMMIT"  # of the code, where that has left its checkout


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One deraining network, trained and tested.

    model, options: the network (`models.build`). backgrounds, patches, patch_size: the fixed
    training patches (`images.patches`); sharpness: only those of one class
    (`complexity.SHARPNESS_CLASSES`), None for all. rain: the training range (`rain.RANGES`).
    iterations, batch, learning_rate: the budget. seed: patches, initial weights and all draws.
    curves: test sets measured along the way, every `measure_every` iterations. tests: those
    measured at the end. snapshots: iterations at which the outputs of the test sets that keep
    theirs are kept, too, under the name that `snapshot` gives. own_patches: so many of its training
    patches are tested as well, under the rain of each test set and the name that `own` gives.
    lossless: kept outputs are stored as they are, for pictures that a reader compares closely.
    warmup: steps over which the rate rises to `learning_rate`; None for none.
    """

    model: str = "resnet"
    options: tuple[tuple[str, int], ...] = ()
    backgrounds: str = "natural"
    patches: int = 64
    patch_size: int = 128
    rain: str = "medium"
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

    def __post_init__(self) -> None:
        if self.sharpness not in (None, *complexity.SHARPNESS_CLASSES):
            known = ", ".join(complexity.SHARPNESS_CLASSES)
            raise ValueError(f"sharpness is {self.sharpness!r}; it must be None or one of {known}.")
        if self.rain not in rain.RANGES:
            raise ValueError(f"rain is {self.rain!r}; it must be one of {', '.join(rain.RANGES)}.")
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
    def key(self) -> str:
        """Ten hexadecimal digits of a hash of everything, engine version included."""
        text = json.dumps({"engine": ENGINE, **self.described()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def training_key(self) -> str:
        """The same of all that decides the trained weights, and of nothing else."""
        looks = ("measure_every", "curves", "tests", "snapshots", "own_patches", "lossless")
        deciding = {k: v for k, v in self.described().items() if k not in looks}
        text = json.dumps({"engine": ENGINE, "training": deciding}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def described(self) -> dict[str, Any]:
        """All fields as a record holds them; those that are None are left out."""
        # So that a field that comes later leaves the keys of earlier experiments as they are.
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def name(self) -> str:
        """What its record is called: readable, and unique through the key."""
        kind = f"-{self.sharpness}" if self.sharpness else ""
        content = f"{self.backgrounds}{kind}{self.patches}".replace(os.sep, "_")
        return f"derain-{self.model}-{content}-{self.rain}-s{self.seed}-{self.key}"

    def test(self, name: str) -> TestSet:
        """The test set of that name. Raises ValueError naming those there are."""
        named = {test.name: test for test in self.tests}
        if name not in named:
            raise ValueError(f"There is no test set {name!r}; there are: {', '.join(named)}.")
        return named[name]


def snapshot(test: str, iteration: int) -> str:
    """How a record calls the outputs for a test set that were kept during training."""
    return f"{test}_at{iteration}"


def own(test: str) -> str:
    """How a record calls the results on training patches under the rain of a test set."""
    return f"own_{test}"


@dataclass(frozen=True, kw_only=True)
class ToyExperiment:
    """One network of the toy task, trained on a cosine and tested on all (2026 paper, Sec. 5).

    order: O of the training signal. channels, slope, input_scale: of the network (`models.cnn1d`).
    loss: a name in `toy_evaluation.LOSSES`. noise_mean, noise_spread: of the training noise. pool:
    0 draws fresh segments and noise each step, n > 0 draws from n segments noised once and for all.
    draws: noise draws a test. keep_weights: whether the trained network is kept.
    """

    order: int = 1
    points: int = signals.SEGMENT_POINTS
    channels: int = 136
    slope: float = 0.01
    input_scale: float = 10.0
    iterations: int = 12_000
    batch: int = 32
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.5
    warmup: int = 100
    loss: str = "norm"
    noise_mean: float = 0.0
    noise_spread: float = 1.0
    pool: int = 0
    seed: int = 0
    measure_every: int = 250
    draws: int = 128
    keep_weights: bool = False

    def __post_init__(self) -> None:
        if self.loss not in toy_evaluation.LOSSES:
            known = ", ".join(toy_evaluation.LOSSES)
            raise ValueError(f"loss is {self.loss!r}; it must be one of {known}.")
        for name in ("order", "points", "channels", "iterations", "batch", "draws"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")

    @property
    def key(self) -> str:
        """Ten hexadecimal digits of a hash of everything, engine version included."""
        text = json.dumps({"engine": ENGINE, "task": "toy", **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def name(self) -> str:
        """What its record is called: readable, and unique through the key."""
        return f"toy-cnn1d-order{self.order}-s{self.seed}-{self.key}"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Nothing is trained: how complicated patches of a category are (2026 paper, Fig. 9b).

    backgrounds, patches, patch_size, seed: as in `Experiment`. The record's test "patches" holds
    for each patch the number of its `picture`, its `sharpness`, and `structure0`, `structure1`,
    ...: its structural complexity at each scale.
    """

    backgrounds: str = "natural"
    patches: int = 1024
    patch_size: int = 128
    seed: int = 0

    @property
    def iterations(self) -> int:
        """None: a survey takes a second."""
        return 0

    @property
    def key(self) -> str:
        """Ten hexadecimal digits of a hash of everything, engine version included."""
        text = json.dumps({"engine": ENGINE, "task": "survey", **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def name(self) -> str:
        """What its record is called: readable, and unique through the key."""
        content = f"{self.backgrounds}{self.patches}".replace(os.sep, "_")
        return f"survey-{content}-{self.patch_size}px-s{self.seed}-{self.key}"


AnyExperiment = Experiment | ToyExperiment | Survey


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the experiments of a book are.

    blocks, channels: the ResNet. seeds: repetitions. patch_counts: the values of N; coarse_counts:
    those of sweeps over categories, networks and sizes, which would otherwise cost too much.
    patch_size, iterations, learning_rate, measure_every: as in `Experiment`. backgrounds: the
    pictures to train on. test_crop: centre of test pictures that is scored, None for all of it.
    test_count: how many pictures.
    """

    name: str
    about: str
    blocks: int
    channels: int
    patch_size: int
    iterations: int
    learning_rate: float
    seeds: tuple[int, ...]
    patch_counts: tuple[int, ...]
    coarse_counts: tuple[int, ...]
    backgrounds: str = "natural"
    test_count: int = 100
    test_crop: int | None = None
    measure_every: int = 100

    @property
    def sizes(self) -> dict[str, tuple[tuple[str, int], ...]]:
        """Options of a smaller, the usual, and a larger ResNet (2023 paper, Fig. 11)."""
        widths = self.channels // 2, self.channels, self.channels * 3 // 2
        return {f"{self.blocks}x{w}": (("blocks", self.blocks), ("channels", w)) for w in widths}

    @property
    def store(self) -> RecordStore:
        """Where records of this scale lie: `records/<scale>` of the project."""
        return RecordStore(records_folder() / self.name)

    def experiment(self, **changes: Any) -> Experiment:
        """The experiment of this scale with some fields changed; test sets follow the fields.

        So do the options of the network, where they are not given.
        """
        base = Experiment(
            options=self._options(changes.get("model", "resnet")),
            backgrounds=self.backgrounds,
            patch_size=self.patch_size,
            iterations=self.iterations,
            learning_rate=self.learning_rate,
            measure_every=self.measure_every,
        )
        base = replace(base, **changes)
        tests = self._tests(base) if "tests" not in changes else base.tests
        curves = self._curves(base) if "curves" not in changes else base.curves
        return replace(base, tests=tests, curves=curves)

    def sweep(self, coarse: bool = False, **fields: Any) -> list[Experiment]:
        """The experiments that differ in N and seed alone, ordered by N.

        coarse: only `coarse_counts`. Other networks are trained with the fewest and the most
        patches alone, other sizes of the usual one with the first seed alone.
        """
        counts = self.coarse_counts if coarse else self.patch_counts
        one = self.experiment(**fields)
        if one.model != "resnet":
            counts = (counts[0], counts[-1])
        usual = one.options == self._options(one.model)
        seeds = self.seeds if usual else self.seeds[:1]
        return [self.experiment(patches=n, seed=s, **fields) for n in counts for s in seeds]

    def of_sharpness(self, kind: str, seed: int = 0) -> Experiment:
        """SwinIR on patches of one sharpness class, trained for twice as long as others.

        A tenth and three tenths of the way, outputs are kept (2026 paper, Sec. 4.1.2, Fig. 6).
        """
        return self.experiment(
            model="swinir",
            sharpness=kind,
            patches=self.patch_counts[-1],
            seed=seed,
            iterations=2 * self.iterations,
            measure_every=2 * self.measure_every,
            snapshots=(self.iterations // 5, self.iterations // 5 * 3),
        )

    def toy(self, order: int = 1, seed: int = 0, **changes: Any) -> ToyExperiment:
        """The toy experiment of this scale; the weights of the live panel's three are kept."""
        keep = order in toy_evaluation.ORDERS and seed == 0
        base = dict(TOY_SCALES[self.name], order=order, seed=seed, keep_weights=keep)
        return ToyExperiment(**{**base, **changes})

    def _options(self, model: str) -> tuple[tuple[str, int], ...]:
        if model == "resnet":
            return (("blocks", self.blocks), ("channels", self.channels))
        return tuple(OTHER_NETWORKS[self.name].get(model, {}).items())

    def _pictures(self, experiment: Experiment) -> str:
        """Test backgrounds: the same category, other pictures (2026 paper, Sec. 4.1.1)."""
        return "rain100l" if experiment.backgrounds == "natural" else experiment.backgrounds

    def _rain(self, experiment: Experiment) -> str:
        return evaluation.STREAKS if experiment.backgrounds == images.EMBEDDED else "rain100l"

    def _tests(self, experiment: Experiment) -> tuple[TestSet, ...]:
        if experiment.own_patches:
            return self._like_patches(experiment)
        pictures, unseen = self._pictures(experiment), self._rain(experiment)
        whole = dict(backgrounds=pictures, count=self.test_count, crop=self.test_crop)
        part = dict(backgrounds=pictures, count=min(50, self.test_count), crop=192)
        shown = dict(backgrounds=self._shown(experiment), count=2, crop=192, keep=True)
        # Only the natural test pictures are as large as the layers of Rain100.
        natural = pictures in ("rain100l", images.EMBEDDED)
        tests = [
            TestSet("unseen", unseen, **(whole if natural else part)),
            TestSet("seen", experiment.rain, **part),
            TestSet("shown_unseen", evaluation.STREAKS, **shown),
            TestSet("shown_seen", experiment.rain, **shown),
        ]
        if unseen == "rain100l":
            tests.insert(1, TestSet("heavy", "rain100h", **part))
        if not natural:
            whole["backgrounds"] = "rain100l"
            tests.append(TestSet("transfer", "rain100l", **whole))
        return tuple(tests)

    def _like_patches(self, experiment: Experiment) -> tuple[TestSet, ...]:
        """New pictures as large as training patches, so that both can be compared."""
        alike = dict(backgrounds=self._pictures(experiment), crop=experiment.patch_size)
        count = min(64, self.test_count)
        tests = [
            TestSet("unseen", self._rain(experiment), count=count, **alike),
            TestSet("streaks", evaluation.STREAKS, count=count, **alike),
            TestSet("seen", experiment.rain, count=count, **alike),
        ]
        if self._shown(experiment) == experiment.backgrounds:
            tests.append(TestSet("shown_unseen", evaluation.STREAKS, count=4, keep=True, **alike))
        return tuple(tests)

    def _shown(self, experiment: Experiment) -> str:
        """Pictures whose outputs are kept: only those that may be shown to everyone."""
        category = experiment.backgrounds
        return category if category in ("comics", "faces") else images.EMBEDDED

    def _curves(self, experiment: Experiment) -> tuple[TestSet, ...]:
        if experiment.own_patches:
            return ()
        pictures = self._pictures(experiment)
        few = dict(backgrounds=pictures, count=min(16, self.test_count), crop=128)
        return (
            TestSet("unseen", self._rain(experiment), **few),
            TestSet("seen", experiment.rain, **few),
        )


# The other networks, by scale and name. Those of `cpu` take about as long a step as its
# ResNet.
OTHER_NETWORKS: dict[str, dict[str, dict[str, int]]] = {
    "smoke": {
        "unet": dict(width=8, depth=1),
        "swinir": dict(img_size=32, embed_dim=8, groups=1, depth=2, num_heads=1),
    },
    "cpu": {
        "unet": dict(width=24, depth=2),
        "swinir": dict(img_size=64, embed_dim=32, groups=1, depth=2, num_heads=2),
    },
    "gpu": {
        "unet": dict(width=48, depth=3),
        "swinir": dict(embed_dim=60, groups=4, depth=6, num_heads=6),
    },
    "paper": {"unet": dict(width=64, depth=4), "swinir": {}},
}

TOY_SCALES: dict[str, dict[str, Any]] = {
    "smoke": dict(iterations=24, channels=8, measure_every=12, warmup=4, draws=8),
    "cpu": dict(iterations=12_000),
    "gpu": dict(iterations=40_000, measure_every=500),
    "paper": dict(iterations=100_000, measure_every=1000),
}

SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="smoke",
            about="seconds a chapter; shows that the code runs, not what is true",
            blocks=2,
            channels=8,
            patch_size=32,
            iterations=20,
            learning_rate=1e-3,
            seeds=(0,),
            patch_counts=(8, 64, 512),
            coarse_counts=(8, 512),
            backgrounds=images.EMBEDDED,
            test_count=4,
            test_crop=192,
            measure_every=10,
        ),
        Scale(
            name="cpu",
            about="minutes an experiment on two processor cores; shows directions only",
            blocks=8,
            channels=32,
            patch_size=64,
            iterations=1000,
            learning_rate=5e-4,
            seeds=(0, 1),
            patch_counts=(8, 16, 32, 64, 128, 256, 512, 1024),
            coarse_counts=(8, 64, 512),
            measure_every=100,
        ),
        Scale(
            name="gpu",
            about="larger networks, meant for one data-centre GPU",
            blocks=16,
            channels=64,
            patch_size=128,
            iterations=4000,
            learning_rate=5e-4,
            seeds=(0, 1),
            patch_counts=(8, 16, 32, 64, 128, 256, 512, 1024),
            coarse_counts=(8, 32, 128, 512),
            measure_every=250,
        ),
        Scale(
            name="paper",
            about="the papers' settings, 250,000 iterations a network",
            blocks=16,
            channels=64,
            patch_size=128,
            iterations=250_000,
            learning_rate=2e-4,
            seeds=(0, 1, 2),
            patch_counts=(8, 16, 32, 64, 128, 256, 512, 1024, 30_000),
            coarse_counts=(8, 16, 32, 64, 128, 256, 512, 1024),
            measure_every=5000,
        ),
    )
}


def scale_named(name: str) -> Scale:
    """The scale of that name. Raises ValueError naming those there are."""
    if name not in SCALES:
        raise ValueError(f"There is no scale {name!r}; there are: {', '.join(SCALES)}.")
    return SCALES[name]


def records_folder() -> Path:
    """`RAINLENS_RECORDS`, or `records/` of the checkout that the package is imported from."""
    named = os.environ.get(RECORDS_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    return Path(rainlens.__file__).resolve().parents[2] / "records"


def stand_in(experiment: Experiment | Survey, scale: Scale) -> Experiment | Survey:
    """The same experiment on embedded photographs and test rain, which need no download."""
    if isinstance(experiment, Survey):
        return replace(experiment, backgrounds=images.EMBEDDED)
    embedded = replace(experiment, backgrounds=images.EMBEDDED)
    shrunk = replace(scale, test_count=min(scale.test_count, 16), test_crop=192)
    return replace(embedded, tests=shrunk._tests(embedded), curves=shrunk._curves(embedded))


def can_compute(experiment: Experiment) -> bool:
    """Whether the pictures and rain that it needs are on this machine."""
    if isinstance(experiment, ToyExperiment):
        return True
    needed = {experiment.backgrounds}
    if isinstance(experiment, Survey):
        return all(images.is_available(name) for name in needed)
    for test in (*experiment.tests, *experiment.curves):
        needed |= {test.backgrounds}
        needed |= {test.rain} & set(evaluation.RAIN100)
    return all(images.is_available(name) for name in needed)


def on_hand(grid: Sequence[Experiment], scale: Scale, recompute: bool = False) -> list[Experiment]:
    """The grid as it is where it is recorded or computable, else its embedded stand-in, whole.

    A sweep is never mixed from two kinds of pictures. Says so in one line.
    """
    recorded = all(not recompute and scale.store.path(e.name).exists() for e in grid)
    if recorded or all(can_compute(e) for e in grid):
        return list(grid)
    print(
        "The real pictures are not on this machine (RAINLENS_DATA): "
        "the embedded photographs stand in for them, and the numbers differ."
    )
    return [e if isinstance(e, ToyExperiment) else stand_in(e, scale) for e in grid]


def skeleton_first(grid: Sequence[AnyExperiment]) -> list[AnyExperiment]:
    """The same experiments in the order in which they tell most, should time run out.

    The first seeds before the others, and of each sweep the fewest and the most patches first,
    then those half-way between, and so on. So every chapter has its outline before any is whole.
    """
    counts = sorted({e.patches for e in grid if isinstance(e, Experiment)})
    rank = {counts[place]: position for position, place in enumerate(_outside_in(len(counts)))}

    def place(experiment: AnyExperiment) -> tuple[int, int]:
        is_sweep = isinstance(experiment, Experiment)
        return experiment.seed, rank[experiment.patches] if is_sweep else 0

    return sorted(grid, key=place)


def _outside_in(count: int) -> list[int]:
    """0 .. count - 1: the ends, then the middle, then the middles of the halves, ..."""
    order = list(dict.fromkeys([0, count - 1])) if count else []
    gaps = [(0, count - 1)]
    for low, high in gaps:  # grows while it is read: halves come after all wholes
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return order


@dataclass
class Progress:
    """What `run` did: records in the order asked for, None where time was up.

    expected_seconds: how long the rest would take at the pace of the records there are.
    """

    records: list[Record | None]
    computed: int = 0
    seconds: float = 0.0
    expected_seconds: float = float("nan")

    @property
    def left(self) -> int:
        """How many experiments of the grid have no record yet."""
        return sum(record is None for record in self.records)


def run(
    grid: Iterable[Experiment],
    scale: Scale,
    *,
    recompute: bool = False,
) -> list[Record]:
    """The records of a grid, in its order; missing ones are computed, with a progress bar."""
    grid = on_hand(list(grid), scale, recompute)
    records = run_within(grid, scale.store, recompute=recompute).records
    return [record for record in records if record is not None]


def run_within(
    grid: Sequence[Experiment],
    store: RecordStore,
    *,
    recompute: bool = False,
    minutes: float | None = None,
    workers: int = 1,
    threads: int | None = None,
    on: cluster.Cluster | None = None,
) -> Progress:
    """`run` with a time budget; what does not fit stays None.

    workers: experiments at a time; threads: of each, by default the cores shared out. on: a
    Ray cluster that computes instead of this machine. Experiments under way when time is up keep
    their checkpoint, and go on from there next time. Raises ClusterError (`cluster.on_ray`).
    """
    start = time.monotonic()
    deadline = None if minutes is None else start + 60 * minutes
    done: dict[str, Record] = {}
    for experiment in grid:
        record = None if recompute else store.load(experiment.name)
        if record is not None:
            done[experiment.name] = record
    missing = list({e.name: e for e in grid if e.name not in done}.values())
    if missing:
        for record in _compute_all(missing, store, deadline, workers, threads, on):
            done[record.name] = record
    return Progress(
        records=[done.get(e.name) for e in grid],
        computed=sum(e.name in done for e in missing),
        seconds=time.monotonic() - start,
        expected_seconds=_expected_seconds(grid, done) / workers,
    )


def _compute_all(
    missing: list[AnyExperiment],
    store: RecordStore,
    deadline: float | None,
    workers: int,
    threads: int | None,
    on: cluster.Cluster | None,
) -> Iterable[Record]:
    given = compute, missing, store, deadline
    if on is not None:
        return cluster.on_ray(*given, on, _carried())
    threads = threads or max(1, training.cores() // workers)
    if workers > 1:
        return scheduling.in_processes(*given, threads, workers)
    return scheduling.here(*given, threads)


def _carried() -> dict[str, str]:
    """What code that runs elsewhere must be told about this machine."""
    root = data.data_root()
    return {COMMIT_VARIABLE: _commit(), **({data.VARIABLE: str(root.resolve())} if root else {})}


def _expected_seconds(grid: Sequence[Experiment], done: dict[str, Record]) -> float:
    """For what is not done, from the seconds an iteration took in what is; nan without any."""
    left = sum(e.iterations for e in grid if e.name not in done)
    seconds = sum(record.provenance["seconds"] for record in done.values())
    iterations = sum(record.experiment.get("iterations", 0) for record in done.values())
    return left * seconds / iterations if iterations else float("nan")


def compute(
    experiment: Experiment,
    store: RecordStore,
    deadline: float | None = None,
    progress: scheduling.Progress = lambda steps: None,
    save_every: float = training.SAVE_EVERY,
) -> Record:
    """Trains and tests one experiment, and writes its record.

    Picks up from its checkpoint if there is one, which it saves every so many seconds. Raises
    training.TimeUp at the deadline.
    """
    if isinstance(experiment, ToyExperiment):
        return _compute_toy(experiment, store, deadline, progress, save_every)
    if isinstance(experiment, Survey):
        return _compute_survey(experiment, store)
    start = time.monotonic()
    device = training.device()
    checkpoint = training.Checkpoint(store.checkpoint_path(experiment.name), save_every)
    model = fresh_model(experiment).to(device, memory_format=torch.channels_last)
    batches = training_batches(experiment, device)
    snapshots = _Snapshots(experiment, store)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        snapshots.keep(step, model)
        return batches(step)

    curves = training.fit(
        model,
        draw,
        training.Schedule(
            experiment.iterations,
            experiment.learning_rate,
            measure_every=experiment.measure_every,
            warmup=experiment.warmup or 0,
        ),
        lambda model: evaluation.measure(model, experiment.curves),
        checkpoint=checkpoint,
        deadline=deadline,
        progress=progress,
    )
    provenance = {**where(device), "seconds": round(time.monotonic() - start, 1)}
    about = {"experiment": experiment.described(), "provenance": provenance}
    store.keep_trained(experiment.training_key, Trained(model.state_dict(), curves, about))
    tests, kept = {}, snapshots.load()
    for test in experiment.tests:
        pairs = {test.name: evaluation.load(test)}
        if experiment.own_patches:
            pairs[own(test.name)] = own_pair(experiment, test)
        for name, pair in pairs.items():
            tests[name], outputs = evaluation.evaluate(model, *pair)
            if test.keep:
                kept[name] = [images.to_bytes(output) for output in outputs]
    provenance = {**where(device), "seconds": round(time.monotonic() - start, 1)}
    description = json.loads(json.dumps(experiment.described()))
    record = Record(experiment.name, description, curves, tests, provenance=provenance)
    record = store.save(record, kept, lossless=bool(experiment.lossless))
    checkpoint.path.unlink(missing_ok=True)
    snapshots.discard()
    return record


class _Snapshots:
    """Outputs kept during training, in a file each until the record is written."""

    def __init__(self, experiment: Experiment, store: RecordStore) -> None:
        self.tests = [test for test in experiment.tests if test.keep]
        unfinished = store.checkpoint_path(experiment.name)
        self.files = {
            step: unfinished.with_suffix(f".{step}.safetensors")
            for step in experiment.snapshots or ()
        }

    def keep(self, step: int, model: torch.nn.Module) -> None:
        """Before a step: the outputs of the network as it is, if this is an iteration to keep."""
        if step not in self.files:
            return
        outputs = {}
        for test in self.tests:
            cleaned = evaluation.derain(model, evaluation.load(test)[0])
            outputs[snapshot(test.name, step)] = torch.stack([images.to_bytes(c) for c in cleaned])
        self.files[step].parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.files[step], save(outputs))

    def load(self) -> dict[str, list[Tensor]]:
        """All that was kept: name -> pictures, uint8 (3, H, W)."""
        kept = {}
        for file in self.files.values():
            kept.update({name: list(pictures) for name, pictures in load_file(file).items()})
        return kept

    def discard(self) -> None:
        """Once they are in the record."""
        for file in self.files.values():
            file.unlink(missing_ok=True)


def _compute_toy(
    experiment: ToyExperiment,
    store: RecordStore,
    deadline: float | None,
    progress: scheduling.Progress,
    save_every: float,
) -> Record:
    start = time.monotonic()
    device = training.device()
    checkpoint = training.Checkpoint(store.checkpoint_path(experiment.name), save_every)
    model = fresh_toy_model(experiment).to(device)
    curves = fit_toy(
        model,
        experiment,
        lambda model: toy_evaluation.measure(model, experiment.order),
        checkpoint=checkpoint,
        deadline=deadline,
        progress=progress,
    )
    tests = toy_evaluation.evaluate(model, experiment.order, experiment.draws)
    if experiment.keep_weights:
        store.save_weights(experiment.name, model.state_dict())
    provenance = {**where(device), "seconds": round(time.monotonic() - start, 1)}
    description = json.loads(json.dumps(asdict(experiment)))
    record = store.save(Record(experiment.name, description, curves, tests, provenance=provenance))
    checkpoint.path.unlink(missing_ok=True)
    return record


def _compute_survey(survey: Survey, store: RecordStore) -> Record:
    start = time.monotonic()
    source = images.numbered_crops(survey.backgrounds, survey.patch_size, survey.seed)
    numbers, crops = zip(*islice(source, survey.patches), strict=True)
    patches = torch.stack(crops)
    values = {"picture": list(numbers), "sharpness": complexity.sharpness(patches).tolist()}
    for scale, column in enumerate(complexity.structural_complexity(patches).unbind(1)):
        values[f"structure{scale}"] = column.tolist()
    provenance = {**where(torch.device("cpu")), "seconds": round(time.monotonic() - start, 1)}
    record = Record(survey.name, asdict(survey), {}, {"patches": values}, provenance=provenance)
    return store.save(record)


def fresh_toy_model(experiment: ToyExperiment) -> torch.nn.Module:
    """The untrained network of a toy experiment, on the processor."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        return models.build(
            "cnn1d",
            channels=experiment.channels,
            slope=experiment.slope,
            scale=experiment.input_scale,
        )


def fit_toy(
    model: torch.nn.Module, experiment: ToyExperiment, measure: training.Measure, **options: Any
) -> training.Curves:
    """Trains a network as the experiment says; `options` are those of `training.fit`."""
    schedule = training.Schedule(
        experiment.iterations,
        experiment.learning_rate,
        betas=experiment.betas,
        measure_every=experiment.measure_every,
        weight_decay=experiment.weight_decay,
        warmup=experiment.warmup,
    )
    batches = _toy_batches(experiment, next(model.parameters()).device)
    loss = toy_evaluation.LOSSES[experiment.loss]
    return training.fit(model, batches, schedule, measure, loss=loss, **options)


def trained_toy(experiment: ToyExperiment, store: RecordStore) -> torch.nn.Module:
    """The trained network whose weights lie beside its record.

    Raises RecordError where they are missing or are not those of this network.
    """
    path, model = store.weights_path(experiment.name), fresh_toy_model(experiment)
    advice = "compute the record again with `rainlens run 3 --recompute`"
    if not path.exists():
        raise RecordError(f"{path} is not there; {advice}.")
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise RecordError(f"{path} does not hold this network's weights; {advice}.") from error
    return model.eval()


def _toy_batches(experiment: ToyExperiment, device: torch.device) -> training.Draw:
    """Step -> (noisy, clean) segments, float32 (batch, 2, points)."""
    e, signal = experiment, signals.Cosine(experiment.order)
    noise = signals.Noise(e.noise_mean, e.noise_spread)
    pool = signals.fixed_pool(signal, e.seed, e.pool, noise, e.points) if e.pool else None

    def draw(step: int) -> tuple[Tensor, Tensor]:
        if pool is None:
            batch = signals.training_batch(signal, e.seed, step, e.batch, noise, e.points)
        else:
            batch = signals.pool_batch(pool, e.seed, step, e.batch)
        noisy, clean = (part.to(device) for part in batch)
        return noisy, clean

    return draw


def where(device: torch.device) -> dict[str, Any]:
    """What a number may depend on besides the experiment: versions, device, threads, commit."""
    cuda = device.type == "cuda"
    return {
        "rainlens": rainlens.__version__,
        "engine": ENGINE,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(device) if cuda else f"cpu ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "bfloat16": training.uses_bfloat16(device.type),
        "commit": _commit(),
    }


@cache
def _commit() -> str:
    here = Path(rainlens.__file__).parent
    if COMMIT_VARIABLE in os.environ:
        return os.environ[COMMIT_VARIABLE]
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
        answer = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=10)
        return answer.stdout.strip() or "unknown"
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"


def fresh_model(experiment: Experiment) -> torch.nn.Module:
    """The untrained network of an experiment, on the processor."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(experiment.seed)
        return models.build(experiment.model, **dict(experiment.options))


def training_patches(experiment: Experiment) -> Tensor:
    """The clean patches that it is trained on, uint8 (N, 3, size, size)."""
    e = experiment
    chosen_by = e.backgrounds, e.patches, e.patch_size, e.seed
    if e.sharpness:
        return complexity.patches_of_sharpness(*chosen_by, e.sharpness)
    return images.patches(*chosen_by)


def own_pair(experiment: Experiment, test: TestSet) -> tuple[list[Tensor], list[Tensor]]:
    """Its first `own_patches` training patches, in turn, under the rain of a test set: rainy and
    clean, uint8 (3, size, size) each, as many as the test set has pictures.

    Sets of patches are nested, so those of one seed are the same for every N.
    """
    patches = training_patches(experiment)[: experiment.own_patches]
    clean = [patches[place % len(patches)] for place in range(test.count)]
    return evaluation.put_rain(test, clean), clean


def training_batches(experiment: Experiment, device: torch.device) -> training.Draw:
    """Step -> (rainy, clean), float32 (batch, 3, size, size) in [0, 1], all on the device."""
    size = experiment.patch_size
    patches = training_patches(experiment).to(device)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        source = generator(experiment.seed, "train", step, device)
        chosen = torch.randint(len(patches), (experiment.batch,), generator=source, device=device)
        clean = images.to_unit(patches[chosen]).contiguous(memory_format=torch.channels_last)
        layer = rain.synthesize(
            experiment.batch, (size, size), rain.RANGES[experiment.rain], source
        )
        return rain.add_rain(clean, layer), clean

    return draw
