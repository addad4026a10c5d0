"""The one training loop.

`fit` trains any network on any task: the task is a function `draw(step)` that returns a batch.
All that makes training fast is here: channels-last, bfloat16 where the processor has it, a fused
optimiser, memory that is kept instead of returned, and no data-loader, since `draw` makes its
batch on the device.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from rainlens.resources import cores as cores

Draw = Callable[[int], tuple[Tensor, Tensor]]
Measure = Callable[[nn.Module], dict[str, float]]
Curves = dict[str, list[float]]
SAVE_EVERY = 20.0  # seconds between two checkpoints


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
        usual = dict(lr=self.learning_rate, betas=self.betas, fused=True)
        if self.weight_decay == 0:
            return torch.optim.Adam(parameters, **usual)
        return torch.optim.AdamW(parameters, weight_decay=self.weight_decay, **usual)


@dataclass
class Checkpoint:
    """Where a run keeps its state, and how often it saves it (seconds)."""

    path: Path
    every: float = SAVE_EVERY
    _saved: float = field(default_factory=time.monotonic)

    def load(self) -> dict | None:
        """The saved state, or None. A file that cannot be read counts as none."""
        if not self.path.exists():
            return None
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # torch raises many kinds here; training again is always right
            self.path.unlink(missing_ok=True)  # another process may have been quicker
            return None

    def save(self, state: dict) -> None:
        """Writes beside the file, then renames: a killed process leaves the old or the new."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(f".{os.getpid()}.tmp")
        torch.save(state, beside)
        os.replace(beside, self.path)
        self._saved = time.monotonic()

    def is_due(self) -> bool:
        """Whether `every` seconds have passed since the last save."""
        return time.monotonic() - self._saved >= self.every


def fit(
    model: nn.Module,
    draw: Draw,
    schedule: Schedule,
    measure: Measure,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = nn.functional.l1_loss,
    checkpoint: Checkpoint | None = None,
    deadline: float | None = None,
    progress: Callable[[int], None] = lambda steps: None,
) -> Curves:
    """Trains the model in place; returns its curves, one list a quantity, with `iteration`.

    draw(step) gives (input, target) for steps 0, 1, ...; it must depend on the step alone, so
    that a run resumed from the checkpoint equals one that was never stopped. measure(model) is
    called before the first step, after every `measure_every` and after the last. Raises TimeUp
    at `deadline` (of time.monotonic), after saving.
    """
    keep_memory()
    model.train()
    optimizer = schedule.optimizer(model.parameters())
    device = next(model.parameters()).device
    summed = torch.zeros((), device=device)
    first, curves = _restore(checkpoint, model, optimizer, summed)
    progress(first)
    if first == 0:
        _record(curves, 0, float("nan"), measure(model))
    for step in range(first, schedule.iterations):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        noisy, target = draw(step)
        with precision(device):
            error = loss(model(noisy), target)
        optimizer.zero_grad(set_to_none=True)
        error.backward()
        optimizer.step()
        summed += error.detach()
        done = step + 1
        if done % schedule.measure_every == 0 or done == schedule.iterations:
            since = done - int(curves["iteration"][-1])
            _record(curves, done, summed.item() / since, measure(model))
            summed.zero_()
        progress(1)
        late = deadline is not None and time.monotonic() >= deadline
        if checkpoint is not None and (late or checkpoint.is_due()):
            checkpoint.save(_state(done, model, optimizer, summed, curves))
        if late and done < schedule.iterations:
            raise TimeUp
    model.eval()
    return curves


def precision(device: torch.device) -> AbstractContextManager:
    """bfloat16 arithmetic where the device is quick at it, float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(device.type))


@cache
def uses_bfloat16(device_type: str) -> bool:
    """CUDA, and processors with bfloat16 instructions (AMX or AVX-512 BF16, read on Linux)."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported()
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text()
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


def _record(curves: Curves, iteration: int, loss: float, measured: dict[str, float]) -> None:
    for name, value in {"iteration": iteration, "loss": loss, **measured}.items():
        curves.setdefault(name, []).append(value)


def _state(
    done: int, model: nn.Module, optimizer: torch.optim.Optimizer, summed: Tensor, curves: Curves
) -> dict:
    return {
        "done": done,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "summed": summed,
        "curves": curves,
    }


def _restore(
    checkpoint: Checkpoint | None,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    summed: Tensor,
) -> tuple[int, Curves]:
    state = checkpoint.load() if checkpoint is not None else None
    if state is None:
        return 0, {}
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    summed.copy_(state["summed"])
    return state["done"], state["curves"]
