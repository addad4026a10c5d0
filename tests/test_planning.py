"""Plans: who is alike, how the work is shared out, what fits."""

import pytest
import torch

from rainlens import planning, scales
from rainlens.tasks.survey import Survey

SMOKE = scales.SCALES["smoke"]
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("seconds", "devices", "expected"),
    [
        ([5, 4, 3, 3, 3], 1, 18),
        ([5, 4, 3, 3, 3], 2, 10),  # longest first: 5+3, 4+3+3
        ([5, 4], 8, 5),
    ],
)
def test_devices_share_the_work(seconds, devices, expected):
    assert planning.makespan(seconds, devices) == expected


def test_experiments_of_one_network_are_one_kind():
    grid = [
        *SMOKE.sweep(degradation="small"),
        *SMOKE.sweep(degradation="large"),
        SMOKE.experiment(model="unet", iterations=7),
        SMOKE.toy(order=4),
        Survey(),
    ]
    found = {kind.example: kind for kind in planning.kinds(grid, CPU)}
    assert [len(kind.iterations) for kind in found.values()] == [len(grid) - 3, 1, 1]
    unet = next(k for k in found.values() if getattr(k.example, "model", "") == "unet")
    assert unet.iterations == (7,) and unet.seconds == [7 * unet.step] and unet.step > 0
    hours = planning.table(list(found.values()), [1, 2]).set_index("what")["hours"]
    assert hours["all, on 1"] == pytest.approx(hours.iloc[:-2].sum())
    assert hours["all, on 2"] < hours["all, on 1"]


def test_what_does_not_fit_is_measured_with_fewer_pictures(monkeypatch):
    experiment = SMOKE.experiment()
    assert planning.affordable_batch(experiment, CPU) == experiment.batch
    monkeypatch.setattr(planning, "_free_memory", lambda device: 0)
    assert planning.affordable_batch(experiment, CPU) == 1
