"""The toy task as an experiment: schedule, shares, records."""

import math

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rainlens import running, scales, signals, toy_evaluation, training
from rainlens.records import RecordError, RecordStore
from rainlens.tasks import Session
from rainlens.tasks import toy as toy_task
from rainlens.tasks.toy import Toy

SMOKE = scales.SCALES["smoke"]


class Echo(nn.Module):
    """Returns its input: the pure reader of y."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(1))

    def forward(self, points):
        return points + 0 * self.idle


class Reciter(Echo):
    """Answers with its cosine of x whatever y says: the pure reader of x."""

    def forward(self, points):
        x = points[:, 0]
        return torch.stack((x, signals.Cosine(1)(x)), 1) + 0 * self.idle


def test_defaults_of_the_schedule_are_plain_adam_with_cosine():
    schedule = training.Schedule(100, 1e-3)
    assert [schedule.rate(s) for s in (0, 50)] == [1e-3, 1e-3 * 0.5 * (1 + math.cos(math.pi / 2))]
    assert type(schedule.optimizer(nn.Linear(1, 1).parameters())) is torch.optim.Adam


def test_warmup_and_weight_decay():
    schedule = training.Schedule(100, 1.0, warmup=4, weight_decay=0.5)
    assert schedule.rate(0) == 0.25 and schedule.rate(4) == training.Schedule(100, 1.0).rate(4)
    optimizer = schedule.optimizer(nn.Linear(1, 1).parameters())
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.defaults["weight_decay"] == 0.5


@pytest.mark.parametrize(("network", "expected"), [(Echo(), (0, 1)), (Reciter(), (1, 0))])
def test_shares_of_the_two_pure_strategies(network, expected):
    assert toy_evaluation.shares(network, 1, signals.TRAINING_NOISE) == pytest.approx(
        expected, abs=1e-5
    )


def test_an_echo_keeps_the_noise_power_and_a_reciter_has_no_error():
    noise = signals.SHIFTED_NOISE  # mean square: 10^2 + 5^2
    values = toy_evaluation.errors(Echo(), signals.Cosine(8), noise, 64)
    assert sum(values) / 64 == pytest.approx(125, rel=0.05)
    assert max(toy_evaluation.errors(Reciter(), signals.Cosine(1), noise, 4)) < 1e-9


def test_norm_loss_by_hand():
    output = torch.zeros(2, 2, 2)
    target = torch.tensor([[[3.0, 0.0], [4.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    assert toy_evaluation.norm_loss(output, target).item() == 3  # (5 + 1) / 2


def test_a_toy_run_is_recorded_with_weights_and_repeats(tmp_path):
    experiment = SMOKE.toy(order=4)
    first = running.run_within([experiment], RecordStore(tmp_path / "a")).records[0]
    again = running.run_within([experiment], RecordStore(tmp_path / "b")).records[0]
    assert first.results == again.results
    assert RecordStore(tmp_path / "a").weights_path(experiment.name).exists()
    densities = {f"points{points}" for points in toy_evaluation.DENSITIES}
    assert set(first.tests) == set(toy_evaluation.panels(4)) | densities
    assert len(first.tests["order4_shifted"]["mse"]) == experiment.draws
    assert first.curves["iteration"] == [0, 12, 24]


def test_the_middle_of_a_run_can_be_resumed(tmp_path):
    experiment, store = SMOKE.toy(), RecordStore(tmp_path / "cut")
    with pytest.raises(training.TimeUp):
        experiment.compute(store, Session(deadline=0.0))
    resumed = experiment.compute(store, Session())
    whole = experiment.compute(RecordStore(tmp_path / "whole"), Session())
    assert resumed.results == whole.results


def test_keys_of_recorded_deraining_experiments_stand():
    setting = scales.SCALES["cpu"]
    name = setting.experiment(degradation="small", patches=8).name
    assert name == "derain-resnet-natural8-small-s0-e1e15aaf16"
    short = setting.experiment(degradation="small", patches=8, **setting.coarse).name
    assert short == "derain-resnet-natural8-small-s0-3760cbe86e"


def test_a_bad_loss_is_named():
    with pytest.raises(ValueError, match="loss is 'l7'"):
        Toy(loss="l7")


def test_a_pool_repeats_its_segments_and_fresh_noise_does_not():
    device = torch.device("cpu")
    pooled = toy_task.batches(SMOKE.toy(pool=1), device)
    fresh = toy_task.batches(SMOKE.toy(), device)
    assert torch.equal(pooled(1)[0], pooled(2)[0]) and not torch.equal(fresh(1)[0], fresh(2)[0])


def test_a_trained_network_comes_back_from_its_weights(tmp_path):
    experiment, store = SMOKE.toy(order=8), RecordStore(tmp_path)
    record = experiment.compute(store, Session())
    network = toy_task.trained(experiment, store)
    again = toy_evaluation.evaluate(network, 8, experiment.draws)["order8"]["mse"]
    assert again == pytest.approx(record.tests["order8"]["mse"], rel=1e-4)


def test_missing_and_foreign_weights_are_named(tmp_path):
    experiment, store = SMOKE.toy(), RecordStore(tmp_path)
    with pytest.raises(RecordError, match="is not there; compute the record again"):
        toy_task.trained(experiment, store)
    store.folder.mkdir(exist_ok=True)
    save_file({"layers.0.weight": torch.zeros(1)}, store.weights_path(experiment.name))
    with pytest.raises(RecordError, match="does not hold this network's weights"):
        toy_task.trained(experiment, store)
    store.weights_path(experiment.name).write_bytes(b"not weights")
    with pytest.raises(RecordError, match="does not hold this network's weights"):
        toy_task.trained(experiment, store)
