"""Learning from rainy pictures without truth: pseudo-labels by Gaussian processes (Syn2Real).

Yasarla, Sindagi, Patel 2020 train on synthetic rain and, beside it, on real rainy pictures of which
only the picture is known. A Gaussian process over latents of synthetic pictures predicts what the
latent of a real one should be. Ours is light: our UNet, small patches, no perceptual loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens import evaluation, images, training
from rainlens.degradations import STREAKS, named
from rainlens.models.unet import UNet
from rainlens.randomness import generator
from rainlens.records import RecordStore, stored
from rainlens.tasks.restore import Restore, Scores, training_batches, training_patches

# Of the published code (`GP.py`); each latent is one vector.
NEIGHBOURS, NOISE = 8, 1.0
WEIGHT, NEAR, FAR = 0.0015, 0.33, 0.33e-6
BANK, REFRESH = 256, 50  # labelled latents, and steps after which they are computed anew
SUPERVISED = 0.25  # of the steps, at the beginning, without unlabelled pictures
HALF = 2  # layers of Rain100 at even places serve as unlabelled rain, the others are for tests


@dataclass(frozen=True, kw_only=True)
class SemiSupervised(Restore):
    """A UNet on labelled pictures of one kind of rain and unlabelled ones of another.

    unlabelled: "rain100l", "rain100h" (the layers at even places) or a name in `DEGRADATIONS`, over
    the training backgrounds; None for none, the arm to compare with.
    """

    unlabelled: str | None = field(default=None, metadata=stored(kept=True))

    @property
    def readable(self) -> str:
        """Which rain without truth, on top of that with."""
        return f"semi-{self.unlabelled or 'none'}-{self.degradation}-s{self.seed}"

    def needs(self) -> set[str]:
        """What supervised training needs, and the layers of the unlabelled rain."""
        return super().needs() | ({self.unlabelled or ""} & set(evaluation.RAIN100))

    def stand_in(self) -> SemiSupervised:
        """The same on embedded photographs, with streaks as the unlabelled rain."""
        found = super().stand_in()
        return replace(found, unlabelled=STREAKS if self.unlabelled else None)

    def alike(self) -> SemiSupervised:
        """Steps take as long as those of this network on patches of this size."""
        return SemiSupervised(
            model=self.model,
            options=self.options,
            backgrounds=images.EMBEDDED,
            patch_size=self.patch_size,
            batch=self.batch,
            unlabelled=STREAKS if self.unlabelled else None,
        )

    def fresh_model(self) -> Banked:
        """The untrained network with its empty bank, on the processor."""
        network = super().fresh_model()
        assert isinstance(network, UNet)
        side = self.patch_size // network.multiple
        channels = dict(self.options)["latent"]
        return Banked(network, channels * side**2 if self.unlabelled else 0)

    def objective(self, model: nn.Module) -> training.Objective:
        """L1 on labelled pictures + what pulls latents of unlabelled ones to their prediction."""
        device = next(model.parameters()).device
        labelled = training_batches(self, device)
        rainy_alone = unlabelled_batches(self, device) if self.unlabelled else None
        begin = round(SUPERVISED * self.iterations)

        def objective(model: nn.Module, step: int) -> Tensor:
            assert isinstance(model, Banked)
            rainy, clean = labelled(step)
            with training.precision(clean.device):
                total = F.l1_loss(model(rainy), clean)
                if rainy_alone is None or step < begin:
                    return total
                if (step - begin) % REFRESH == 0:
                    model.refresh(labelled, step)
                latents = model.network.latents(rainy_alone(step)).flatten(1)
            return total + WEIGHT * gaussian_process_loss(latents.float(), model.bank)

        return objective

    def results(
        self, model: nn.Module, store: RecordStore
    ) -> tuple[Scores, dict[str, list[Tensor]]]:
        """Scores and kept outputs; of Rain100, only where no arm has seen the layer of rain."""
        scores, kept = super().results(model, store)
        for test in self.tests:
            if test.degradation in evaluation.RAIN100:
                of = scores[test.name]
                scores[test.name] = {name: values[1::HALF] for name, values in of.items()}
        return scores, kept


class Banked(nn.Module):
    """A network with a bank of latents of labelled pictures, which checkpoints keep."""

    bank: Tensor

    def __init__(self, network: UNet, length: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("bank", torch.zeros(BANK if length else 0, length))

    def forward(self, rainy: Tensor) -> Tensor:
        cleaned: Tensor = self.network(rainy)
        return cleaned

    @torch.no_grad()
    def refresh(self, draw: training.Draw, step: int) -> None:
        """Fills the bank with latents of labelled pictures, those of steps that are still to come.

        So no rainy picture is in the bank that has just been trained on, though its patch may be.
        """
        found, held = list[Tensor](), 0
        while held < BANK:
            step += 1
            found.append(self.network.latents(draw(step)[0]).flatten(1).float())
            held += len(found[-1])
        self.bank.copy_(torch.cat(found)[:BANK])


def gaussian_process_loss(latents: Tensor, bank: Tensor) -> Tensor:
    """How far latents (N, d) lie from what their neighbours in the bank (M, d) predict; a scalar.

    For each, with its nearest labelled latents Z, the cosine as kernel and noise s^2: prediction
    k(z, Z) (K + s^2)^-1 Z, variance S = k(z, z) - k (K + s^2)^-1 k^T + s^2, and the loss is the
    mean of (z - prediction)^2 / S + 0.33 log S - 0.33e-6 log S', with S' the variance given the
    farthest ones (Yasarla et al. 2020, Sec. 3.2; weights of the published code).
    """
    distances = torch.cdist(latents.detach(), bank)
    near, far = (
        bank[distances.topk(min(NEIGHBOURS, len(bank)), largest=largest).indices]
        for largest in (False, True)
    )
    predicted, variance = _posterior(latents, near)
    _, beyond = _posterior(latents, far)
    off = (latents - predicted).square().mean(1) / variance
    return (off + NEAR * variance.log() - FAR * beyond.log()).mean()


def _posterior(latents: Tensor, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N, d) and variance (N,) of each latent (N, d), given its neighbours (N, K, d)."""
    unit, others = F.normalize(latents, dim=-1), F.normalize(neighbours, dim=-1)
    kernel = (others @ unit[..., None])[..., 0]  # (N, K)
    among = others @ others.transpose(1, 2)  # (N, K, K)
    among = among + NOISE * torch.eye(among.shape[-1], device=among.device)
    weights = torch.linalg.solve(among, kernel)  # (N, K)
    mean = (weights[:, None] @ neighbours)[:, 0]
    return mean, 1 - (weights * kernel).sum(1) + NOISE


def unlabelled_batches(experiment: SemiSupervised, device: torch.device) -> Callable[[int], Tensor]:
    """Step -> rainy pictures alone, float32 (batch, 3, size, size) in [0, 1]."""
    e = experiment
    patches = training_patches(e).to(device)
    layers = rain100_layers(e.unlabelled) if e.unlabelled in evaluation.RAIN100 else None

    def draw(step: int) -> Tensor:
        source = generator(e.seed, "unlabelled", step, device)
        chosen = torch.randint(len(patches), (e.batch,), generator=source, device=device)
        clean = images.to_unit(patches[chosen]).contiguous(memory_format=torch.channels_last)
        if layers is None:
            return named(e.unlabelled or "").apply(clean, source)
        places = torch.randint(1 << 30, (e.batch, 3), generator=source, device=device).tolist()
        cut = torch.stack([_cut(layers, e.patch_size, *place) for place in places])
        return (clean + images.to_unit(cut.to(device))).clamp(max=1)

    return draw


def rain100_layers(name: str | None) -> list[Tensor]:
    """The layers of Rain100L or H at even places, uint8 (1, H, W); tests use those at odd ones."""
    files = images.list_folder(images.find_folder(name or "") / "rain")
    return [images.load_cached(file)[:1] for file in files[::HALF]]


def _cut(layers: list[Tensor], size: int, which: int, top: int, left: int) -> Tensor:
    layer = layers[which % len(layers)]
    height, width = layer.shape[-2:]
    top, left = top % (height - size + 1), left % (width - size + 1)
    return layer[:, top : top + size, left : left + size]
