"""The toy task: a small network learns to take noise off a curve (2026 paper, Sec. 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rainlens import signals, tasks, toy_evaluation, training
from rainlens.models.cnn1d import Cnn1d
from rainlens.randomness import first_weights
from rainlens.records import (
    Record,
    RecordStore,
    stored,
)
from rainlens.tasks import Session, Value


@dataclass(frozen=True, kw_only=True)
class Toy(Value):
    """One network of the toy task, trained on a cosine and tested on all.

    order: O of the training signal. channels, slope, input_scale: of the network (`models.cnn1d`).
    loss: a name in `toy_evaluation.LOSSES`. noise_mean, noise_std: of the training noise. pool: 0
    draws fresh segments and noise each step, n > 0 draws from n segments noised once and for all.
    draws: noise draws a test. keep_weights: whether the trained network is part of the record.
    """

    task: ClassVar[str] = "toy"
    looks: ClassVar[tuple[str, ...]] = ("measure_every", "draws", "keep_weights")

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
    noise_std: float = field(default=1.0, metadata=stored("noise_spread"))
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
    def readable(self) -> str:
        """Which network, trained on which signal, by which seed."""
        return f"cnn1d-order{self.order}-s{self.seed}"

    @property
    def about(self) -> str:
        """The network in words."""
        return f"toy, {self.channels} channels"

    @property
    def input_shape(self) -> tuple[int, int]:
        """Points (x, y) of a segment."""
        return (2, self.points)

    def alike(self) -> Toy:
        """Steps take as long as those of networks of this width and batch."""
        return Toy(points=self.points, channels=self.channels, batch=self.batch)

    def fresh_model(self) -> Cnn1d:
        """The untrained network, on the processor."""
        with first_weights(self.seed):
            return Cnn1d(self.channels, slope=self.slope, scale=self.input_scale)

    def fit(self, model: nn.Module, measure: training.Measure, **options: Any) -> training.Curves:
        """Trains a network as the experiment says; `options` are those of `training.fit`."""
        schedule = training.Schedule(
            self.iterations,
            self.learning_rate,
            betas=self.betas,
            measure_every=self.measure_every,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
        )
        draw = batches(self, next(model.parameters()).device)
        objective = training.supervised(draw, toy_evaluation.LOSSES[self.loss])
        update = training.Update(list(model.parameters()), schedule, objective)
        return training.fit(model, [update], measure, **options)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Trains and tests the network, and writes the record."""
        found = tasks.network(
            self,
            store,
            session,
            lambda model: toy_evaluation.measure(model, self.order),
            usable=tasks.where_equal(self, "measure_every"),
        )
        tests = toy_evaluation.evaluate(found.model, self.order, self.draws)
        weights = found.model.state_dict() if self.keep_weights else None
        record = store.save(tasks.record_of(self, found, tests), weights=weights)
        tasks.finish(store, self)
        return record


def trained(experiment: Toy, store: RecordStore) -> Cnn1d:
    """The trained network whose weights lie beside its record.

    Raises RecordError where they are missing, damaged, or not those of this network.
    """
    model = experiment.fresh_model()
    tasks.load_beside(model, experiment.name, store)
    return model.eval()


def batches(experiment: Toy, device: torch.device) -> training.Draw:
    """Step -> (noisy, clean) segments, float32 (batch, 2, points)."""
    e, signal = experiment, signals.Cosine(experiment.order)
    noise = signals.Noise(e.noise_mean, e.noise_std)
    pool = signals.fixed_pool(signal, e.seed, e.pool, noise, e.points) if e.pool else None

    def draw(step: int) -> tuple[Tensor, Tensor]:
        if pool is None:
            batch = signals.training_batch(signal, e.seed, step, e.batch, noise, e.points)
        else:
            batch = signals.pool_batch(pool, e.seed, step, e.batch)
        noisy, clean = (part.to(device) for part in batch)
        return noisy, clean

    return draw
