"""Fine-tuning a prior of pictures, so that it answers degraded pictures with clean ones.

The encoder's side learns; the code book and the decoder, which know what pictures look like, stay
as they are (2026 paper, Sec. 6.2). What is frozen, pre-trained and quantised can be chosen, to find
out which of the three does the work.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import evaluation, images, metrics, models, tasks, training
from rainlens.evaluation import TestSet
from rainlens.models import taef2, vqgan
from rainlens.models.prior import Prior, freeze
from rainlens.models.taef2 import TAEF2
from rainlens.models.vqgan import VQGAN
from rainlens.records import Record, RecordStore
from rainlens.tasks import Experiment, Session, Value, codebook
from rainlens.tasks.codebook import Codebook
from rainlens.tasks.restore import (
    Pictures,
    Restore,
    Scores,
    results,
    training_batches,
)


class Arm(NamedTuple):
    """What a fine-tuning keeps of a prior: its weights, its frozen decoder, its code book."""

    pretrained: bool
    frozen: bool
    quantised: bool


# The first is the papers' method, the fifth their ablation, which changes three things at once.
ARMS = {
    "method": Arm(pretrained=True, frozen=True, quantised=True),
    "no book": Arm(pretrained=True, frozen=True, quantised=False),
    "free": Arm(pretrained=True, frozen=False, quantised=True),
    "free, no book": Arm(pretrained=True, frozen=False, quantised=False),
    "ablation": Arm(pretrained=False, frozen=False, quantised=False),
    "scratch, book": Arm(pretrained=False, frozen=False, quantised=True),
}
# What learns where the rest is frozen.
ENCODERS = {"vqgan": vqgan.FINE_TUNED, "taef2": ("encoder",)}
BOOK_PICTURES = 64  # whose latents give the product codes
AT_ONCE = 8  # pictures of one size that are encoded together


@dataclass(frozen=True, kw_only=True)
class Published:
    """TAEF2's published weights (`weights/taef2` of RAINLENS_DATA), as a start.

    backgrounds, crop: where the model has product codes, they come by k-means from the latents of
    the centres of the first training pictures of that set (`BOOK_PICTURES`).
    """

    backgrounds: str = "photos"
    crop: int = 192


Start = Codebook | Published


@dataclass(frozen=True, kw_only=True)
class FineTuned(Restore):
    """A prior (`models.prior.Prior`) that learns to undo a degradation.

    start: whose weights it starts from; None trains it from scratch. trained: the children that
    learn, such as ("encoder", "quant_conv"); empty for all. match: weight of the distance between
    the latent of the degraded picture and the codes that the prior, as it was, gives the clean one
    (part of the loss only where there is a start). unharmed: it learns from pictures without any
    degradation, which shows how near the frozen parts let it come to a picture.
    """

    start: Start | None = None
    trained: tuple[str, ...] = ()
    match: float = 1.0
    unharmed: bool | None = None

    @property
    def readable(self) -> str:
        """Which prior, what of it is trained, on which degradation, by which seed."""
        begun = "tuned" if self.start else "scratch"
        parts = "encoder" if self.trained else "all"
        kind = "clean" if self.unharmed else self.degradation
        book = "" if is_quantised(self.model, self.options) else "-nobook"
        return f"{self.model}{book}-{begun}-{parts}-{kind}-s{self.seed}"

    def first(self) -> tuple[Experiment, ...]:
        """The code book that it starts from, unless its weights are published."""
        return first_of(self.start)

    def needs(self) -> set[str]:
        """Pictures and layers of rain; and the weights that it starts from."""
        return super().needs() | needs_of(self.start)

    def stand_in(self) -> FineTuned:
        """The same on embedded photographs and test rain; without published weights."""
        return replace(super().stand_in(), start=stand_in_of(self.start), options=own_options(self))

    def alike(self) -> FineTuned:
        """Steps take as long as those of this network on patches of this size."""
        return FineTuned(
            model=self.model,
            options=own_options(self),
            backgrounds=images.EMBEDDED,
            patch_size=self.patch_size,
            batch=self.batch,
            trained=self.trained,
        )

    def begin(self, model: nn.Module, store: RecordStore) -> None:
        """Gives the fresh network the weights of its start."""
        assert isinstance(model, Prior)
        load_start(model, self.start, store, self.seed)

    def trained_state(self, model: nn.Module) -> dict[str, Tensor]:
        """Of the weights, those of the children that learn: the others lie beside the start."""
        state, learns = model.state_dict(), tuple(f"{child}." for child in self.trained)
        return {name: value for name, value in state.items() if name.startswith(learns or "")}

    def objective(self, model: nn.Module) -> training.Objective:
        """L1 through the straight-through estimator + what pulls latents to the right codes."""
        assert isinstance(model, Prior)
        freeze(model, self.trained or dict(model.named_children()))
        # Before a checkpoint is read: the weights of the start.
        original = copy.deepcopy(model).requires_grad_(False).eval() if self.start else None
        share_codes(original, model)
        draw = training_batches(self, next(model.parameters()).device)

        def objective(model: nn.Module, step: int) -> Tensor:
            assert isinstance(model, Prior)
            degraded, clean = draw(step)
            if self.unharmed:
                degraded = clean
            with training.precision(clean.device):
                latent = model.encode(degraded)
                quantised = model.quantise(latent)
                total = F.l1_loss(model.decode(quantised.values).float(), clean)
                if original is not None:
                    target = original.quantise(original.encode(clean)).values
                    total = total + self.match * F.mse_loss(latent.float(), target.float())
            # A book that learns needs its own loss; for a frozen one it is a constant pull.
            learns = not self.trained or "quantize" in self.trained
            return total + quantised.loss if learns else total

        return objective

    def results(
        self, model: nn.Module, store: RecordStore
    ) -> tuple[Scores, dict[str, list[Tensor]]]:
        """Scores and kept outputs; with a start also against its answer to the clean pictures.

        `ceiling_psnr`: of that answer, against the clean picture. `ceiling_e_b`, of rain: the rms
        difference of output and that answer where it does not rain.
        """
        if self.start is None:
            return results(self, model)
        original = models.build(self.model, **dict(self.options))
        assert isinstance(original, Prior)
        load_weights(original, self.start, store)
        original.to(next(model.parameters()).device)
        share_codes(original, model)
        has_region = self.task == "derain"

        def further(outputs: Pictures, degraded: Pictures, clean: Pictures) -> Any:
            found: dict[str, list[float]] = {"ceiling_psnr": []}
            ceilings = evaluation.restore(original, clean)
            for output, before, truth, ceiling in zip(
                outputs, degraded, clean, ceilings, strict=True
            ):
                before, truth = images.to_unit(before)[None], images.to_unit(truth)[None]
                found["ceiling_psnr"].append(metrics.psnr_rgb(ceiling[None], truth).item())
                if has_region:
                    outside = ~metrics.rain_mask(before, truth)
                    off = metrics.region_error(output[None], ceiling[None], outside)
                    found.setdefault("ceiling_e_b", []).append(off.item())
            return found

        return results(self, model, further)


@dataclass(frozen=True, kw_only=True)
class Unchanged(Value):
    """A prior as it is, not fine-tuned: what does it let through, how near does it come?

    model, options, start: as in `FineTuned`. tests: as in `Restore`. Its `damage` on pictures
    without rain is the way to the code book and back, the ceiling of fine-tuning.
    """

    task: ClassVar[str] = "prior"
    iterations: ClassVar[int] = 0

    model: str = "taef2"
    options: tuple[tuple[str, Any], ...] = ()
    start: Start | None = Published()
    tests: tuple[TestSet, ...] = ()
    seed: int = 0

    @property
    def readable(self) -> str:
        """Which prior, and whether it has a code book."""
        book = "" if is_quantised(self.model, self.options) else "-nobook"
        return f"{self.model}{book}-s{self.seed}"

    def first(self) -> tuple[Experiment, ...]:
        """The code book whose weights it has, unless they are published."""
        return first_of(self.start)

    def needs(self) -> set[str]:
        """What it is tested on, and its weights."""
        return self._network.needs() | needs_of(self.start)

    def stand_in(self) -> Unchanged:
        """The same on embedded photographs and test rain."""
        tests = self._network.stand_in().tests
        return replace(self, tests=tests, start=stand_in_of(self.start), options=own_options(self))

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Scores the prior; minutes at most, so no deadline is looked at."""
        start = time.monotonic()
        model = models.build(self.model, **dict(self.options)).to(training.device())
        assert isinstance(model, Prior)
        load_start(model, self.start, store, self.seed)
        tests, kept = results(self._network, model)
        return store.save(tasks.record_untrained(self, tests, start), kept)

    @property
    def _network(self) -> Restore:
        """A network that is tested on the same; it needs no pictures of its own."""
        return Restore(backgrounds=images.EMBEDDED, tests=self.tests)


def is_quantised(model: str, options: tuple[tuple[str, Any], ...]) -> bool:
    """Whether a prior with these options has a code book."""
    told = dict(options)
    return bool(told.get("quantised", True) if model == "vqgan" else told.get("groups", 0))


def first_of(start: Start | None) -> tuple[Experiment, ...]:
    """The experiment that trains a start, unless its weights are published."""
    return (start,) if isinstance(start, Codebook) else ()


def stand_in_of(start: Start | None) -> Start | None:
    """A start that needs no download; none in the place of published weights."""
    return start.stand_in() if isinstance(start, Codebook) else None


def own_options(experiment: FineTuned | Unchanged) -> tuple[tuple[str, Any], ...]:
    """Its options without product codes, which come from published weights alone."""
    return experiment.options if experiment.model == "vqgan" else ()


def needs_of(start: Start | None) -> set[str]:
    """The sets that a start takes."""
    if isinstance(start, Published):
        return {"weights", start.backgrounds}
    return start.needs() if start else set()


def load_start(model: Prior, start: Start | None, store: RecordStore, seed: int) -> None:
    """Gives a prior the weights of its start, and product codes where it has such.

    Nothing where there is no start. Raises as `load_weights` does.
    """
    load_weights(model, start, store)
    if isinstance(start, Published) and isinstance(model, TAEF2) and model.codes is not None:
        model.codes.fit(latents(model, start), seed)


def share_codes(original: Prior | None, model: nn.Module) -> None:
    """Product codes are one book for both: a checkpoint may bring those along of another machine.

    The book is not trained; to fit it twice would take time, and give nearly the same.
    """
    if isinstance(original, TAEF2) and isinstance(model, TAEF2):
        original.codes = model.codes


def load_weights(model: Prior, start: Start | None, store: RecordStore) -> None:
    """Gives a prior the weights of its start, without product codes.

    Raises RecordError or DataError where they are not there, and ValueError where they are not of
    this prior.
    """
    if isinstance(start, Codebook):
        if not isinstance(model, VQGAN):
            raise ValueError(f"A code book's weights are a VQGAN's, not {type(model).__name__}'s.")
        model.load(codebook.trained(start, store).state_dict())
    elif isinstance(start, Published):
        if not isinstance(model, TAEF2):
            raise ValueError(f"Published weights are TAEF2's, not those of {type(model).__name__}.")
        taef2.load_published(model)


@torch.inference_mode()
def latents(model: TAEF2, start: Published) -> Tensor:
    """Latents of the centres of the first training pictures that are large enough: (M, C, h, w)."""
    device, found = next(model.parameters()).device, list[Tensor]()
    for file in images.names(start.backgrounds, "train"):
        picture = images.load_cached(file)
        if min(picture.shape[-2:]) >= start.crop:
            found.append(images.centre(picture, start.crop))
        if len(found) == BOOK_PICTURES:
            break
    parts = torch.stack(found).split(AT_ONCE)
    # In float32: the book is the same on every machine as nearly as can be.
    encoded = [model.encode(images.to_unit(part.to(device))).float() for part in parts]
    return torch.cat(encoded).clone()
