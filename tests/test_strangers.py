"""What a stranger adds: a network, a degradation, a kind of experiment; each in a few lines.

None of them touches `running`, `scheduling`, `cluster`, `records` or `training`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from rainlens import models, running, scales, tasks, training
from rainlens.degradations import DEGRADATIONS
from rainlens.randomness import generator
from rainlens.records import Record, RecordStore, described
from rainlens.training import Update

pytestmark = pytest.mark.usefixtures("one_thread")
SMOKE = replace(scales.scale_named("smoke"), test_count=2)


# --- a kind of experiment with two networks and two optimisers


@dataclass(frozen=True, kw_only=True)
class Duel(tasks.Value):
    """One network paints noise, another tells it from flat grey."""

    task: ClassVar[str] = "duel"
    iterations: int = 6
    seed: int = 0

    def fresh_model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return nn.ModuleDict({"painter": nn.Conv2d(3, 3, 1), "critic": nn.Conv2d(3, 1, 4)})

    def fit(self, model, measure, **options):
        def painted(step: int) -> torch.Tensor:
            return model["painter"](torch.rand(2, 3, 8, 8, generator=generator(0, "duel", step)))

        def fool(model: nn.Module, step: int) -> torch.Tensor:
            return -model["critic"](painted(step)).mean()

        def tell(model: nn.Module, step: int) -> torch.Tensor:
            grey = torch.full((2, 3, 8, 8), 0.5)
            return (model["critic"](painted(step).detach()) - model["critic"](grey)).mean()

        schedule = training.Schedule(self.iterations, 1e-2, measure_every=3)
        updates = [
            Update(list(model["painter"].parameters()), schedule, fool),
            Update(list(model["critic"].parameters()), schedule, tell, name="critic loss"),
        ]
        return training.fit(model, updates, measure, **options)

    def compute(self, store, session):
        found = tasks.network(self, store, session, lambda model: {})
        record = Record(self.name, described(self), found.curves, {}, provenance=found.provenance)
        tasks.finish(store, self)
        return store.save(record)


def test_a_new_kind_of_experiment_runs_stops_and_goes_on(tmp_path):
    whole = running.run_within([Duel()], RecordStore(tmp_path / "whole"), threads=1).records[0]
    assert whole.name.startswith("duel-s0-") and set(whole.curves) >= {"loss", "critic loss"}
    assert len(set(whole.curves["loss"][1:])) == len(set(whole.curves["critic loss"][1:])) == 2
    store, calls = RecordStore(tmp_path / "parts"), 0
    while store.load(Duel().name) is None:
        assert not running.run_within([Duel()], store, minutes=0, threads=1).failures
        calls += 1
    assert calls == Duel().iterations
    assert store.load(Duel().name).results == whole.results


def test_it_runs_in_processes_too(tmp_path):
    grid = [Duel(seed=seed) for seed in (0, 1)]
    outcome = running.run_within(grid, RecordStore(tmp_path), workers=2, threads=1)
    assert outcome.trained == 2 and not outcome.failures


# --- an experiment that starts from the weights of another


@dataclass(frozen=True, kw_only=True)
class Sequel(Duel):
    """Looks at a painter that a duel has trained."""

    task: ClassVar[str] = "sequel"

    def first(self) -> tuple[Duel]:
        return (Duel(seed=self.seed),)

    def compute(self, store, session):
        kept = store.trained(self.first()[0].training_key)
        values = {"bias": kept.weights["painter.bias"].tolist()}
        return store.save(Record(self.name, described(self), {}, {"painter": values}))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_others_start_from_is_computed_first(tmp_path, workers):
    grid = [Sequel(seed=1), Sequel(seed=0)]
    outcome = running.run_within(grid, RecordStore(tmp_path), workers=workers, threads=1)
    assert not outcome.failures and outcome.left == 0 and outcome.trained == 2
    again = running.run_within([Sequel(seed=0)], RecordStore(tmp_path), threads=1)
    assert again.recorded == 1 and again.trained == 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("asked_for_both", [False, True])
def test_weights_that_are_gone_are_trained_again(tmp_path, workers, asked_for_both):
    """The record alone, as version control has it, is not what others can start from."""
    store, duel, sequel = RecordStore(tmp_path), Duel(), Sequel()
    duel.compute(store, tasks.Session())
    store.trained_path(duel.training_key).unlink()
    grid = [duel, sequel] if asked_for_both else [sequel]
    outcome = running.run_within(grid, store, workers=workers, threads=1)
    assert not outcome.failures and outcome.left == 0


# --- a degradation


class Haze:
    """Mixes the picture with white, by another share for each picture."""

    task, about, mask = "dehaze", "haze", None
    measures = ("psnr", "psnr_gain")

    def apply(self, clean: torch.Tensor, source: torch.Generator) -> torch.Tensor:
        share = torch.rand(len(clean), 1, 1, 1, generator=source, device=clean.device) / 2
        return clean * (1 - share) + share


def test_a_new_degradation_is_trained_on_and_tested_with(tmp_path, monkeypatch):
    monkeypatch.setitem(DEGRADATIONS, "haze", Haze())
    experiment = SMOKE.experiment(degradation="haze", patches=8, iterations=6, measure_every=3)
    assert experiment.task == "dehaze" and experiment.name.startswith("dehaze-resnet-embedded8-")
    record = running.run_within([experiment], RecordStore(tmp_path), threads=1).records[0]
    expected = {"psnr", "psnr_gain", "damage", "input_psnr"}
    assert set(record.tests["unseen"]) == expected
    assert np.isfinite(record.tests["unseen"]["psnr_gain"]).all()


@pytest.mark.parametrize("kind", ["gauss30", "blur", "medium_tinted"])
def test_noise_and_blur_are_tasks_like_rain(tmp_path, kind):
    experiment = SMOKE.experiment(degradation=kind, patches=8, iterations=4, measure_every=2)
    outcome = running.run_within([experiment], RecordStore(tmp_path), threads=1)
    assert not outcome.failures
    unseen = {"gauss30": "salt_and_pepper", "blur": "motion_blur", "medium_tinted": "streaks"}
    assert experiment.test("unseen").degradation == unseen[kind]
    assert len(outcome.records[0].tests["unseen"]["psnr"]) == 2


# --- a network


class Shrug(nn.Module):
    """Gives back the picture times one learned number."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(start))

    def forward(self, rainy: torch.Tensor) -> torch.Tensor:
        return rainy * self.factor


def test_a_new_network_is_trained_and_tested(tmp_path, monkeypatch):
    monkeypatch.setitem(models.MODELS, "shrug", Shrug)
    experiment = SMOKE.experiment(model="shrug", patches=8, iterations=6, measure_every=3)
    record = running.run_within([experiment], RecordStore(tmp_path), threads=1).records[0]
    assert record.experiment["model"] == "shrug" and len(set(record.curves["loss"])) == 3
    assert len(record.tests["unseen"]["gain"]) == 2
