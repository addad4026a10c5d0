"""What a grid would cost: step times measured here, and how long so many devices would take.

`rainlens plan --scale paper` prints it.
"""

from __future__ import annotations

import heapq
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd
import torch
from torch import nn

from rainlens import training
from rainlens.tasks import Experiment, Training

STEPS = 3  # timed, after one that is not
MEMORY_SHARE = 0.4  # of what is free, that the tensors kept for the backward pass may take


@dataclass(frozen=True)
class Kind:
    """Experiments of a grid whose steps take equally long.

    example: one of them. iterations: of each. step: seconds of a step, measured with `batch`
    pictures and, where memory allowed only fewer than the experiments ask for, scaled up.
    """

    example: Training
    iterations: tuple[int, ...]
    step: float
    batch: int

    @property
    def seconds(self) -> list[float]:
        """How long each experiment trains."""
        return [self.step * count for count in self.iterations]


def kinds(grid: Iterable[Experiment], device: torch.device) -> list[Kind]:
    """The kinds of networks in a grid, each with its measured step."""
    groups: dict[Training, list[int]] = {}
    for experiment in grid:
        if experiment.iterations:  # else nothing is trained
            example = cast(Training, experiment).alike()
            groups.setdefault(example, []).append(experiment.iterations)
    found = []
    for example, iterations in groups.items():
        batch = affordable_batch(example, device)
        step = step_seconds(replace(example, batch=batch), device) * example.batch / batch
        found.append(Kind(example, tuple(iterations), step, batch))
    return found


def step_seconds(experiment: Training, device: torch.device) -> float:
    """The median of a few training steps, as experiments take them."""
    times: list[float] = []

    def progress(steps: int) -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter())

    short = replace(experiment, iterations=STEPS + 1)
    short.fit(_model(short, device), _unmeasured, progress=progress)
    # times[0] is the start; the first step, which sets things up, is left out as well.
    return statistics.median(b - a for a, b in zip(times[1:], times[2:], strict=False))


def affordable_batch(experiment: Training, device: torch.device) -> int:
    """The batch of an experiment, halved until its activations fit into the memory there is."""
    kept: dict[int, int] = {}  # storage -> bytes; views of one tensor share it

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    one = torch.zeros(1, *experiment.input_shape, device=device)
    hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with hooks, training.precision(device):
        output = _model(experiment, device)(one)
    batch, per_picture = experiment.batch, sum(kept.values())
    del output
    while batch > 1 and batch * per_picture > MEMORY_SHARE * _free_memory(device):
        batch //= 2
    return batch


def makespan(seconds: Sequence[float], devices: int) -> float:
    """How long so many devices take when each fetches the longest experiment that is left."""
    loads = [0.0] * devices
    for duration in sorted(seconds, reverse=True):
        heapq.heappush(loads, heapq.heappop(loads) + duration)
    return max(loads)


def table(found: Sequence[Kind], devices: Sequence[int]) -> pd.DataFrame:
    """A row for each kind of network, then one for all of them on so many devices."""
    rows = [
        {
            "what": kind.example.about,
            "networks": len(kind.iterations),
            "s/step": kind.step,
            "measured at batch": kind.batch,
            "hours": sum(kind.seconds) / 3600,
        }
        for kind in found
    ]
    everything = [seconds for kind in found for seconds in kind.seconds]
    for count in devices:
        hours = makespan(everything, count) / 3600
        rows.append({"what": f"all, on {count}", "networks": len(everything), "hours": hours})
    return pd.DataFrame(rows).astype({"measured at batch": "Int64"})


def _model(experiment: Training, device: torch.device) -> nn.Module:
    return experiment.fresh_model().to(device).to(memory_format=torch.channels_last)


def _unmeasured(model: nn.Module) -> dict[str, float]:
    return {}


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
