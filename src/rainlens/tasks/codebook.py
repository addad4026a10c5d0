"""A prior of pictures is trained: a VQGAN learns to draw photographs from the codes of its book.

The papers take one that others trained on ImageNet (2026 paper, Sec. 6.2); this is our small one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import evaluation, images, metrics, tasks, training
from rainlens.evaluation import TestSet
from rainlens.models.discriminator import (
    Discriminator,
    adaptive_weight,
    generator_loss,
    hinge_loss,
)
from rainlens.models.prior import Prior, live_fraction, perplexity
from rainlens.models.vqgan import OWN, VQGAN
from rainlens.quality import lpips
from rainlens.randomness import first_weights, generator
from rainlens.records import Record, RecordError, RecordStore
from rainlens.tasks import Learning, Session

Draw = Callable[[int], Tensor]
JUDGE = "discriminator."  # names of the weights that only training needs
SCALES = 2  # at which differences between neighbours are compared


@dataclass(frozen=True, kw_only=True)
class Codebook(Learning):
    """One VQGAN, trained to give pictures back through its code book.

    options: of `models.vqgan.VQGAN`. backgrounds, patches, patch_size: of each set, so many crops
    (`images.crops`). iterations, batch, learning_rate, warmup: the budget. edges: weight of the
    loss on differences between neighbours. adversarial: weight of a discriminator's loss, which
    sets in at the iteration adversarial_from; None for none. perceptual: weight of the LPIPS-style
    distance. Neither is the default: L1 and edges repeat to the bit, and need no foreign weights.
    seed: crops, initial weights and all draws.
    measure_every: iterations between two points of the curves. curves, tests: whose clean pictures
    are to be given back, along the way and at the end; along the way all of one size.
    """

    task: ClassVar[str] = "codebook"
    looks: ClassVar[tuple[str, ...]] = ("measure_every", "curves", "tests")

    options: tuple[tuple[str, Any], ...] = (("config", "A"), ("restart_after", 20))
    backgrounds: tuple[str, ...] = ("natural", "photos")
    patches: int = 15_000
    patch_size: int = 64
    iterations: int = 8000
    batch: int = 16
    learning_rate: float = 1e-3
    warmup: int = 100
    edges: float = 0.5
    seed: int = 0
    measure_every: int = 500
    curves: tuple[TestSet, ...] = ()
    tests: tuple[TestSet, ...] = ()
    adversarial: float | None = None
    adversarial_from: int | None = None
    perceptual: float | None = None

    @property
    def readable(self) -> str:
        """Which configuration, by which seed."""
        return f"vqgan-{dict(self.options).get('config', 'A')}-s{self.seed}"

    @property
    def about(self) -> str:
        """The network in words."""
        return f"VQGAN {dict(self.options).get('config', 'A')}, {self.patch_size} px"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of a crop."""
        return (3, self.patch_size, self.patch_size)

    def needs(self) -> set[str]:
        """The pictures that it is trained on and gives back."""
        files = {"weights"} if self.perceptual else set()
        return {*self.backgrounds, *evaluation.sets_of((*self.curves, *self.tests)), *files}

    def stand_in(self) -> Codebook:
        """The same on embedded photographs."""
        curves, tests = (
            tuple(
                replace(test, degradation="medium", backgrounds=images.EMBEDDED, crop=128, count=2)
                for test in looked_at
            )
            for looked_at in (self.curves, self.tests)
        )
        own = (images.EMBEDDED,)
        return replace(self, backgrounds=own, curves=curves, tests=tests, perceptual=None)

    def alike(self) -> Codebook:
        """Steps take as long as those of this network on crops of this size."""
        return Codebook(
            options=self.options,
            backgrounds=(images.EMBEDDED,),
            patch_size=self.patch_size,
            batch=self.batch,
            adversarial=self.adversarial,
        )

    def fresh_model(self) -> VQGAN:
        """The untrained network, with its discriminator if it gets one, on the processor."""
        with first_weights(self.seed):
            network = VQGAN if self.adversarial is None else Disputed
            return network(**dict(self.options))

    def updates(self, model: nn.Module) -> list[training.Update]:
        """In a step the VQGAN learns, then its discriminator, if it has one."""
        if self.adversarial is None:
            return super().updates(model)
        assert isinstance(model, Disputed)
        draw = batches(self, next(model.parameters()).device)
        judge = list(model.discriminator.parameters())
        others = [p for name, p in model.named_parameters() if not name.startswith(JUDGE)]
        return [
            training.Update(others, self.schedule, self._likeness(draw)),
            training.Update(judge, self.schedule, self._dispute(draw), "discriminator"),
        ]

    def objective(self, model: nn.Module) -> training.Objective:
        """What is given back should be what came in; and what the book needs to learn."""
        return self._likeness(batches(self, next(model.parameters()).device))

    def _likeness(self, draw: Draw) -> training.Objective:
        """The same on given batches."""

        def objective(model: nn.Module, step: int) -> Tensor:
            assert isinstance(model, Prior)
            clean = draw(step)
            with training.precision(clean.device):
                quantised = model.quantise(model.encode(clean))
                output = model.decode(quantised.values)
            total = difference(output.float(), clean, self.edges)
            if self.perceptual:
                distance = lpips.style(clean.device)(output.float(), clean).mean()
                total = total + self.perceptual * distance.float()
            if self.adversarial and step >= (self.adversarial_from or 0):
                assert isinstance(model, Disputed)
                total = total + model.doubt(total, output, self.adversarial)
            return total + quantised.loss

        return objective

    def _dispute(self, draw: Draw) -> training.Objective:
        """The discriminator learns to tell what is given back from what came in, once it counts."""

        def objective(model: nn.Module, step: int) -> Tensor:
            assert isinstance(model, Disputed)
            if step < (self.adversarial_from or 0):
                return next(model.discriminator.parameters()).sum() * 0
            clean = draw(step)
            with training.precision(clean.device):
                with torch.no_grad():
                    output = model.decode(model.quantise(model.encode(clean)).values)
                real, fake = (model.discriminator(2 * one - 1) for one in (clean, output))
            return hinge_loss(real.float(), fake.float())

        return objective

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Trains the network, looks what it gives back, writes the record with its weights."""
        found = tasks.network(
            self,
            store,
            session,
            lambda model: _means(given_back(model, self.curves)[0]),
            usable=tasks.where_equal(self, "measure_every", "curves"),
        )
        tests, kept = given_back(found.model, self.tests)
        told = tasks.record_of(self, found, tests)
        record = store.save(told, kept, weights=_handed_on(found.model.state_dict()))
        tasks.finish(store, self)
        return record


class Disputed(VQGAN):
    """A VQGAN in training, with the discriminator that judges its textures (Esser et al. 2021).

    A small one, of 167,841 parameters: its patches are 34 pixels, half of a crop.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.discriminator = Discriminator(width=32, layers=2)

    def doubt(self, reconstruction: Tensor, output: Tensor, weight: float) -> Tensor:
        """The adversarial loss, `weight` times as heavy as the reconstruction (Eq. 7)."""
        with training.precision(output.device):
            loss = generator_loss(self.discriminator(2 * output - 1).float())
        last = self.decoder.conv_out.weight
        return adaptive_weight(reconstruction, loss, last, weight) * loss


def difference(output: Tensor, clean: Tensor, edges: float) -> Tensor:
    """L1 + `edges` times the L1 of the differences between neighbours, at full and half size.

    Pictures (N, 3, H, W); a scalar. The second term keeps edges sharp without a discriminator.
    """
    total = F.l1_loss(output, clean)
    for scale in range(SCALES):
        if scale:
            output, clean = F.avg_pool2d(output, 2), F.avg_pool2d(clean, 2)
        for dim in (-1, -2):
            total = total + edges / SCALES * F.l1_loss(output.diff(dim=dim), clean.diff(dim=dim))
    return total


def given_back(
    model: nn.Module, tests: Sequence[TestSet]
) -> tuple[dict[str, dict[str, list[float]]], dict[str, list[Tensor]]]:
    """Test set -> measure -> one value a picture, for its clean pictures; and outputs to keep.

    psnr (dB), ssim; `live` and `perplexity` of the codes of all pictures of the set together,
    which stand once for each picture.
    """
    assert isinstance(model, VQGAN)
    found, kept = {}, {}
    for test in tests:
        clean = evaluation.load(test)[1]
        outputs = evaluation.restore(model, clean)
        pairs = [(o[None], images.to_unit(c)[None]) for o, c in zip(outputs, clean, strict=True)]
        values = {
            "psnr": [metrics.psnr_rgb(*pair).item() for pair in pairs],
            "ssim": [metrics.ssim_rgb(*pair).item() for pair in pairs],
        }
        if hasattr(model, "quantize"):
            codes = codes_of(model, clean)
            count = len(model.state_dict()["quantize.embedding.weight"])
            for name, value in (("live", live_fraction), ("perplexity", perplexity)):
                values[name] = [value(codes, count).item()] * len(clean)
        found[test.name] = values
        if test.keep:
            kept[test.name] = [images.to_bytes(output) for output in outputs]
    return found, kept


@torch.inference_mode()
def codes_of(model: VQGAN, clean: Sequence[Tensor]) -> Tensor:
    """The codes of pictures, uint8 (3, H, W) of any size, one after another: (M,) integers."""
    device, was_training, found = next(model.parameters()).device, model.training, []
    model.eval()
    for picture in clean:
        height, width = (side // model.factor * model.factor for side in picture.shape[-2:])
        batch = images.to_unit(picture[None, :, :height, :width].to(device))
        with training.precision(device):
            codes = model.quantise(model.encode(batch)).codes
        assert codes is not None
        found.append(codes.flatten())
    model.train(was_training)
    return torch.cat(found)


def batches(experiment: Codebook, device: torch.device) -> Draw:
    """Step -> clean crops, float32 (batch, 3, size, size) in [0, 1], half of them mirrored."""
    e = experiment
    crops = torch.stack(
        [
            crop
            for backgrounds in e.backgrounds
            for crop in islice(
                images.crops(backgrounds, e.patch_size, e.seed, small=True), e.patches
            )
        ]
    ).to(device)

    def draw(step: int) -> Tensor:
        source = generator(e.seed, "codebook", step, device)
        chosen = torch.randint(len(crops), (e.batch,), generator=source, device=device)
        clean = images.to_unit(crops[chosen]).contiguous(memory_format=torch.channels_last)
        mirrored = torch.rand(e.batch, 1, 1, 1, generator=source, device=device) < 0.5
        return torch.where(mirrored, clean.flip(-1), clean)

    return draw


def trained(experiment: Codebook, store: RecordStore) -> VQGAN:
    """The network, with the weights beside its record, or else those kept on this machine.

    Raises RecordError where they are missing, damaged, or not those of this network.
    """
    model = VQGAN(**dict(experiment.options))
    kept = store.trained(experiment.training_key)
    if kept is not None and not store.weights_path(experiment.name).exists():
        # Of a twin that was looked at in other ways; rounded as if it had been handed on.
        state = {name: value.float() for name, value in _handed_on(kept.weights).items()}
    else:
        state = tasks.weights_beside(experiment.name, store)
    try:
        model.load(state)
    except ValueError as error:
        path = store.weights_path(experiment.name)
        raise RecordError(f"{path} does not hold this network's weights: {error}") from error
    return model.eval()


def _handed_on(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own weights in half precision, without what only training needs."""
    own = {name: value for name, value in state.items() if not name.startswith((OWN, JUDGE))}
    return tasks.halved(own) or {}


def _means(values: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    return {
        f"{test}/{name}": sum(column) / len(column)
        for test, columns in values.items()
        for name, column in columns.items()
        if name != "ssim"
    }
