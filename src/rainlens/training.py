"""The one training loop.

`fit` trains any network on any task: the task is a list of `Update`s, each with an objective that
makes its batch on the device, so that there is no data-loader. What makes training fast is here:
bfloat16 where the processor has it, a fused optimiser, memory that is kept instead of returned.
"""

from __future__ import annotations

import ctypes
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rainlens.checkpoints import Checkpoint, check_shapes
from rainlens.resources import cores as cores

Draw = Callable[[int], tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]
Objective = Callable[[nn.Module, int], Tensor]
Measure = Callable[[nn.Module], dict[str, float]]
Curves = dict[str, list[float]]


class TimeUp(Exception):
    """The time budget is spent; the state is saved in the checkpoint."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn: Adam with cosine annealing to zero over the whole run.

    iterations: steps of the optimiser. learning_rate: at the start. betas: of Adam (0.9, 0.99 in
    the 2023 paper, appendix F.2). measure_every: iterations between two points of the curves.
    weight_decay: 0 is Adam, above 0 is AdamW. warmup: steps over which the rate rises linearly.
    """

    iterations: int
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.99)
    measure_every: int = 100
    weight_decay: float = 0.0
    warmup: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rate = self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.iterations))
        return rate * (step + 1) / self.warmup if step < self.warmup else rate

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, or AdamW where there is weight decay."""
        rate, betas, decay = self.learning_rate, self.betas, self.weight_decay
        if decay == 0:
            return torch.optim.Adam(parameters, rate, betas, fused=True)
        return torch.optim.AdamW(parameters, rate, betas, weight_decay=decay, fused=True)


@dataclass(frozen=True)
class Update:
    """One optimiser's share of a training step: objective(model, step) is made smaller.

    parameters: those that it moves. schedule: its rate and Adam's other settings; that of the
    first update says when to measure. name: what the curves call its loss.
    """

    parameters: Sequence[nn.Parameter]
    schedule: Schedule
    objective: Objective
    name: str = "loss"


def supervised(draw: Draw, loss: Loss = nn.functional.l1_loss) -> Objective:
    """The objective loss(model(input), target) for (input, target) = draw(step).

    The batch is made in float32; the network runs in bfloat16 where that is quick.
    """

    def objective(model: nn.Module, step: int) -> Tensor:
        degraded, target = draw(step)
        with precision(target.device):
            return loss(model(degraded), target)

    return objective


def by_own_loss(draw: Draw) -> Objective:
    """The objective model.objective(input, target), for networks published with their own loss."""

    def objective(model: nn.Module, step: int) -> Tensor:
        degraded, target = draw(step)
        own: Any = model
        with precision(target.device):
            loss: Tensor = own.objective(degraded, target)
        return loss

    return objective


def fit(
    model: nn.Module,
    updates: Sequence[Update],
    measure: Measure,
    *,
    before_step: Callable[[int, nn.Module], None] = lambda step, model: None,
    checkpoint: Checkpoint | None = None,
    deadline: float | None = None,
    progress: Callable[[int], object] = lambda steps: None,
) -> Curves:
    """Trains the model in place; returns its curves, one list a quantity, with `iteration`.

    updates: what happens in a step, one after another; mostly one. An objective must depend on
    the model and the step alone, so that a run resumed from the checkpoint equals one that was
    never stopped. measure(model) is called before the first step, after every `measure_every` and
    after the last; before_step(step, model) before each step. Raises TimeUp at `deadline` (of
    time.monotonic), after saving, and ValueError where the updates are of different lengths.
    """
    keep_memory()
    model.train()
    run = _Run(model, updates, checkpoint)
    progress(run.done)
    if run.done == 0:
        run.record(measure(model))
    while run.done < run.schedule.iterations:
        before_step(run.done, model)
        run.step()
        if run.done % run.schedule.measure_every == 0 or run.done == run.schedule.iterations:
            run.record(measure(model))
        progress(1)
        late = deadline is not None and time.monotonic() >= deadline
        if checkpoint is not None and (late or checkpoint.is_due()):
            checkpoint.save(run.state())
        if late and run.done < run.schedule.iterations:
            raise TimeUp
    model.eval()
    return run.curves


class _Run:
    """A training under way: how many steps are done, the optimisers, the curves so far."""

    def __init__(
        self, model: nn.Module, updates: Sequence[Update], checkpoint: Checkpoint | None
    ) -> None:
        self.model, self.updates, self.schedule = model, updates, updates[0].schedule
        if any(u.schedule.iterations != self.schedule.iterations for u in updates):
            raise ValueError("The updates of a training must have equally many iterations.")
        self.optimizers = [u.schedule.optimizer(u.parameters) for u in updates]
        device = next(model.parameters()).device
        self.summed = [torch.zeros((), device=device) for _ in updates]
        self.done, self.curves = 0, Curves()
        state = checkpoint.load() if checkpoint is not None else None
        if state is not None:
            self._restore(state)

    def step(self) -> None:
        """One step of each optimiser, in turn."""
        for update, optimizer, summed in zip(
            self.updates, self.optimizers, self.summed, strict=True
        ):
            for group in optimizer.param_groups:
                group["lr"] = update.schedule.rate(self.done)
            error = update.objective(self.model, self.done)
            optimizer.zero_grad(set_to_none=True)
            error.backward()
            optimizer.step()
            summed += error.detach()
        self.done += 1

    def record(self, measured: dict[str, float]) -> None:
        """A point of the curves: the mean losses since the last one, and what was measured."""
        since = self.done - int(self.curves["iteration"][-1]) if self.curves else 0
        losses = {
            update.name: summed.item() / since if since else float("nan")
            for update, summed in zip(self.updates, self.summed, strict=True)
        }
        for name, value in {"iteration": self.done, **losses, **measured}.items():
            self.curves.setdefault(name, []).append(value)
        for summed in self.summed:
            summed.zero_()

    def state(self) -> dict[str, Any]:
        """All that resuming needs."""
        return {
            "done": self.done,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "summed": self.summed,
            "curves": self.curves,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        for optimizer, held in zip(self.optimizers, state["optimizers"], strict=True):
            check_shapes(optimizer, held)
            optimizer.load_state_dict(held)
        for summed, held in zip(self.summed, state["summed"], strict=True):
            summed.copy_(held)
        self.done, self.curves = state["done"], state["curves"]


def precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 arithmetic where the device is quick at it, float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(device.type))


@cache
def uses_bfloat16(device_type: str) -> bool:
    """CUDA, and processors with bfloat16 instructions (AMX or AVX-512 BF16, read on Linux)."""
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return "amx_bf16" in flags or "avx512_bf16" in flags
    return False


def device() -> torch.device:
    """Where networks are trained: the CUDA device if there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@cache
def keep_memory() -> None:
    """Tells glibc to keep freed blocks for the next step instead of handing them back.

    Each activation is a few megabytes; fresh pages for all of them cost a tenth of a step.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # not glibc: nothing to gain
        libc = ctypes.CDLL(None)
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, (1 << 31) - 1)
