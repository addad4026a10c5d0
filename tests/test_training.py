"""The fast path learns what the plain path learns, in memory that does not grow."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rainlens import scales, training
from rainlens.tasks import restore
from rainlens.training import Schedule

pytestmark = pytest.mark.usefixtures("one_thread")
STEPS, EVERY = 80, 10
EXPERIMENT = replace(
    scales.SCALES["smoke"].experiment(
        options=(("blocks", 2), ("channels", 16)), patches=16, iterations=STEPS, measure_every=EVERY
    ),
    curves=(),
    tests=(),
)


def plainly(draw: training.Draw) -> list[float]:
    """Loss curve of the loop that one would write first: float32, default layout, no fusing."""
    model = EXPERIMENT.fresh_model()
    schedule = Schedule(STEPS, EXPERIMENT.learning_rate)
    optimizer = torch.optim.Adam(model.parameters(), betas=schedule.betas, fused=False)
    losses: list[float] = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = schedule.rate(step)
        rainy, clean = (part.contiguous() for part in draw(step))
        loss = nn.functional.l1_loss(model(rainy), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [sum(losses[i : i + EVERY]) / EVERY for i in range(0, STEPS, EVERY)]


def update(model: nn.Module, draw: training.Draw, schedule: Schedule) -> training.Update:
    return training.Update(list(model.parameters()), schedule, training.supervised(draw))


def fast(draw: training.Draw, measure: training.Measure = lambda model: {}) -> list[float]:
    model = EXPERIMENT.fresh_model().to(memory_format=torch.channels_last)
    schedule = Schedule(STEPS, EXPERIMENT.learning_rate, measure_every=EVERY)
    return training.fit(model, [update(model, draw, schedule)], measure)["loss"][1:]


# In float32 the two differ by the order of sums. bfloat16 carries three digits; what it does to
# single steps is noise that the loss, an average over ten of them, hardly shows.
@pytest.mark.parametrize(("bfloat16", "tolerance"), [(False, 1e-3), (True, 0.03)])
def test_the_fast_path_has_the_loss_curve_of_the_plain_path(monkeypatch, bfloat16, tolerance):
    monkeypatch.setattr(training, "uses_bfloat16", lambda device: bfloat16)
    draw = restore.training_batches(EXPERIMENT, torch.device("cpu"))
    expected = plainly(draw)
    assert expected[-1] < 0.7 * expected[0]  # it has learned: the curves are not flat
    assert fast(draw) == pytest.approx(expected, rel=tolerance)


def test_another_seed_has_another_curve():
    """So that a tolerance that passes anything would be noticed."""
    cpu = torch.device("cpu")
    draw = restore.training_batches(EXPERIMENT, cpu)
    other = restore.training_batches(replace(EXPERIMENT, seed=1), cpu)
    assert fast(other) != pytest.approx(fast(draw), rel=0.03)


PROBE = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
import torch
from rainlens import scales
from rainlens.tasks import Session
from rainlens.records import RecordStore
torch.set_num_threads(1)
experiment = scales.SCALES["smoke"].experiment(patches=16, iterations=500, measure_every=100)
peaks = []
def progress(steps):
    progress.done += steps
    if progress.done in (200, 500):  # after the second and the last measurement
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
progress.done = 0
experiment.compute(RecordStore(sys.argv[1]), Session(progress=progress))
print(json.dumps(peaks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
def test_memory_does_not_grow_with_iterations(tmp_path: Path):
    answer = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    early, late = json.loads(answer.stdout)  # MiB
    assert late - early < 16
    assert late < 3 * 1024


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_no_step_waits_for_the_processor():
    device = torch.device("cuda")
    draw = restore.training_batches(EXPERIMENT, device)
    draw(0)  # tables that are made once are copied to the device
    model = EXPERIMENT.fresh_model().to(device, memory_format=torch.channels_last)

    def strict(step: int) -> tuple[Tensor, Tensor]:
        torch.cuda.set_sync_debug_mode("error" if 2 <= step < STEPS - 1 else "default")
        return draw(step)

    try:
        short = Schedule(STEPS, measure_every=STEPS)
        training.fit(model, [update(model, strict, short)], lambda model: {})
    finally:
        torch.cuda.set_sync_debug_mode("default")
