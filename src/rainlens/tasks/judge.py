"""A judge of rain is trained: which of two pictures has less of it, whatever else befell them?

The 2026 paper asks a vision-language model (Fig. 7, 20). This one is small (`models.rain_judge`),
and its examples are made: the same background under more rain and under less, blurred or brightened
by chance, so that nothing but the rain tells which is which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import evaluation, images, rain, tasks, training
from rainlens.degradations import STREAKS, filter_each
from rainlens.evaluation import TestSet
from rainlens.models.rain_judge import RainJudge
from rainlens.randomness import first_weights, generator
from rainlens.records import Record, RecordStore
from rainlens.tasks import Learning, Session

RANGES = (*rain.RANGES, STREAKS)  # never a layer of Rain100, on which it is tested
EQUAL = 0.25  # of the pairs have equally much rain: the judge should be undecided
DAMAGED = 0.5  # of the pictures are blurred or brightened
SIGMA, FACTOR = (0.5, 2.0), (0.8, 1.2)  # of the blur (pixels), of the brightness
STEPS = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)  # amounts of rain by which it is tested


@dataclass(frozen=True, kw_only=True)
class Judge(Learning):
    """One judge, and how it stands on pairs of known rain.

    backgrounds, patches, patch_size: the training crops (`images.patches`). iterations, batch,
    learning_rate: the budget; a step sees `batch` pairs. tests: pictures whose rain layers are
    scaled to the amounts `STEPS`; the record holds the judge's score for each amount, as
    `rain0.30`, and for equal rain under a blur, `blurred0.30`, and under more light,
    `brighter0.30`.
    """

    task: ClassVar[str] = "judge"
    looks: ClassVar[tuple[str, ...]] = ("measure_every", "tests")

    backgrounds: str = "natural"
    patches: int = 2000
    patch_size: int = 96
    iterations: int = 3000
    batch: int = 16
    learning_rate: float = 1e-3
    warmup: int = 50
    measure_every: int = 500
    seed: int = 0
    tests: tuple[TestSet, ...] = ()

    @property
    def about(self) -> str:
        """The network in words."""
        return f"judge of rain, {self.patch_size} px"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of a picture."""
        return (3, self.patch_size, self.patch_size)

    def needs(self) -> set[str]:
        """The training pictures, and the pictures and layers that it is tested on."""
        return {self.backgrounds, *evaluation.sets_of(self.tests)}

    def stand_in(self) -> Judge:
        """The same on embedded photographs, tested on streaks."""
        tests = tuple(
            TestSet(test.name, STREAKS, images.EMBEDDED, count=2, crop=96) for test in self.tests
        )
        return replace(self, backgrounds=images.EMBEDDED, tests=tests)

    def alike(self) -> Judge:
        """Steps take as long as those on pictures of this size."""
        return Judge(backgrounds=images.EMBEDDED, patch_size=self.patch_size, batch=self.batch)

    def fresh_model(self) -> RainJudge:
        """The untrained network, on the processor."""
        with first_weights(self.seed):
            return RainJudge()

    def objective(self, model: nn.Module) -> training.Objective:
        """The judge should be sure of more rain and less, and unsure of equally much."""
        draw = pairs(self, next(model.parameters()).device)

        def objective(model: nn.Module, step: int) -> Tensor:
            less, more, equal = draw(step)
            with training.precision(less.device):
                apart = model(less) - model(more)  # below 0 where the judge is right
            # Of equal pairs, being sure either way costs alike.
            return torch.where(equal, F.softplus(apart.abs()), F.softplus(apart)).mean()

        return objective

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Trains the judge, tests it, writes the record with its weights."""
        usable = tasks.where_equal(self, "measure_every")
        found = tasks.network(self, store, session, lambda model: {}, usable)
        tests = {test.name: scores_by_amount(found.model, test) for test in self.tests}
        weights = tasks.halved(found.model.state_dict())
        record = store.save(tasks.record_of(self, found, tests), weights=weights)
        tasks.finish(store, self)
        return record


def pairs(
    experiment: Judge, device: torch.device
) -> Callable[[int], tuple[Tensor, Tensor, Tensor]]:
    """Step -> (less rain, more rain, whether both have equally much).

    Pictures are float32 (batch, 3, size, size) in [0, 1], the last is bool (batch,).
    """
    e = experiment
    patches = images.patches(e.backgrounds, e.patches, e.patch_size, e.seed).to(device)
    size = e.patch_size, e.patch_size

    def draw(step: int) -> tuple[Tensor, Tensor, Tensor]:
        source = generator(e.seed, "judge", step, device)
        chosen = torch.randint(len(patches), (e.batch,), generator=source, device=device)
        clean = images.to_unit(patches[chosen])
        kind = RANGES[int(torch.randint(len(RANGES), (1,), generator=source, device=device))]
        layer = (
            rain.draw_streaks(e.batch, size, source)
            if kind == STREAKS
            else rain.synthesize(e.batch, size, rain.RANGES[kind], source)
        )
        shape = (2, e.batch, 1, 1, 1)
        little, much = torch.rand(shape, generator=source, device=device).sort(0).values
        equal = torch.rand(e.batch, generator=source, device=device) < EQUAL
        much = torch.where(equal[:, None, None, None], little, much)
        less, more = (
            damaged(rain.add_rain(clean, amount * layer), source) for amount in (little, much)
        )
        return less, more, equal

    return draw


def damaged(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Each picture (N, 3, H, W) as it is, blurred, or under another light; drawn from `source`."""
    count, device = len(pictures), pictures.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=source, device=device)

    sigma, factor, chance = uniform(*SIGMA), uniform(*FACTOR), uniform(0, 1)
    dimmed = (pictures * factor[:, None, None, None]).clamp(max=1)
    blurred = blur(pictures, sigma).clamp(0, 1)  # in floats, weights of sum 1 may give more
    which = chance[:, None, None, None]
    return torch.where(which < DAMAGED / 2, blurred, torch.where(which < DAMAGED, dimmed, pictures))


def blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """A Gaussian blur of each picture (N, C, H, W) by its own sigma (N,), in pixels."""
    reach = round(3 * SIGMA[1])
    axis = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    line = (-(axis**2) / (2 * sigma[:, None] ** 2)).exp()
    line = line / line.sum(1, keepdim=True)  # (N, L)
    return filter_each(pictures, line[:, :, None] * line[:, None, :])


@torch.inference_mode()
def scores_by_amount(model: nn.Module, test: TestSet) -> dict[str, list[float]]:
    """The judge's score of each picture under each amount of its rain, see `Judge`."""
    device = next(model.parameters()).device
    found: dict[str, list[float]] = {}
    for rainy, clean in zip(*evaluation.load(test), strict=True):
        picture, full = (images.to_unit(one[None].to(device)) for one in (clean, rainy))
        for amount in STEPS:
            wet = picture + amount * (full - picture)
            changed = {
                "rain": wet,
                "blurred": blur(wet, torch.full((1,), sum(SIGMA) / 2, device=device)),
                "brighter": (wet * FACTOR[1]).clamp(max=1),
            }
            for name, one in changed.items():
                found.setdefault(f"{name}{amount:.2f}", []).append(model(one).item())
    return found


def trained(experiment: Judge, store: RecordStore) -> RainJudge:
    """The judge whose weights lie beside its record. Raises RecordError where they do not."""
    return named(experiment.name, store)


def named(name: str, store: RecordStore) -> RainJudge:
    """The same by the name of the record, such as that of a stand-in."""
    model = RainJudge()
    tasks.load_beside(model, name, store)
    return model.eval()
