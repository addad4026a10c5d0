"""Whose outputs are looked at: a network that the book trains, published weights, or a filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import nn

from rainlens import models
from rainlens.evaluation import RAIN_NAMES
from rainlens.models import MODELS, published
from rainlens.models.published import PUBLISHED, Published, by_file
from rainlens.randomness import first_weights
from rainlens.records import RecordStore
from rainlens.tasks import Experiment, Value, restore
from rainlens.tasks.restore import Restore


@dataclass(frozen=True, kw_only=True)
class Subject(Value):
    """A network to be looked at; kinds of experiments say how.

    title: what the book calls it. of: a network that the book trains; else model and options name
    one of `models`, and weights the file of published ones (`models.published`).
    """

    iterations: ClassVar[int] = 0

    title: str
    model: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    weights: str | None = None
    of: Restore | None = None
    seed: int = 0

    @property
    def readable(self) -> str:
        """Which network."""
        if self.of is not None:
            return self.of.readable
        told = [self.model or "", *(f"{name}{value}" for name, value in self.options)]
        weights = (self.weights or "").split("/")[-1].removesuffix(".pth")
        return "-".join([*told, weights]).rstrip("-")

    def first(self) -> tuple[Experiment, ...]:
        """The training of the book's own network."""
        return (self.of,) if self.of is not None else ()

    def needs(self) -> set[str]:
        """Published weights, and what the book's own network is trained with."""
        own = self.of.needs() if self.of is not None else set()
        return {*(["weights"] if self.weights else []), *own}

    def stand_in(self) -> Self:
        """The same with embedded photographs, and untrained where published weights would be."""
        own = self.of.stand_in() if self.of is not None else None
        told = f"{self.title}, untrained" if self.weights else self.title
        return replace(self, title=told, weights=None, of=own)

    def network(self, store: RecordStore) -> nn.Module:
        """The network, in eval mode. Raises RecordError or WeightsError without its weights."""
        if self.of is not None:
            return restore.trained(self.of, store)
        if self.weights:
            return published.load(by_file(self.weights))
        with first_weights(self.seed):
            return models.build(self.model or "", **dict(self.options)).eval()


def of_published(one: Published) -> dict[str, Any]:
    """The fields of a subject that has published weights."""
    return dict(title=title_of(one), model=one.model, weights=one.file)


def all_published() -> list[dict[str, Any]]:
    """The same for all that can be had."""
    return [of_published(one) for one in PUBLISHED]


def title_of(one: Published) -> str:
    """What the book calls published weights: the network, and what it was trained on."""
    return f"{MODELS[one.model].__name__}, trained on {RAIN_NAMES[one.rain]}"


def of_own(network: Restore) -> dict[str, Any]:
    """The fields of a subject that the book trains: a network of one range of rain."""
    name = MODELS[network.model].__name__
    return dict(title=f"{name}, N = {network.patches:,}, {network.degradation} range", of=network)
