"""The VQGAN's judge of textures: a PatchGAN (Isola et al. 2017), its losses and their weight.

Names and shapes are the official code's (`main.0`, `main.2`, ...), in whose checkpoints they stand
under `loss.discriminator`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU


class Discriminator(nn.Module):
    """Picture (N, 3, H, W) in [-1, 1] -> (N, 1, h, w): each value judges one patch, high = real.

    width: channels of the first layer; they double with each further one, up to 8 times. layers:
    convolutions that halve; one that does not and the output follow. Raises ValueError if layers
    is below 1.
    """

    def __init__(self, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers is {layers}, but it must be at least 1.")
        parts: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        before = width
        for layer in range(1, layers + 1):
            after, stride = width * min(2**layer, 8), 2 if layer < layers else 1
            parts += [
                nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE),
            ]
            before = after
        self.main = nn.Sequential(*parts, nn.Conv2d(before, 1, 4, padding=1))
        self.apply(_initialise)

    def forward(self, picture: Tensor) -> Tensor:
        return self.main(picture)


def hinge_loss(of_real: Tensor, of_fake: Tensor) -> Tensor:
    """What the discriminator minimises: half of mean relu(1 - D(x)) + mean relu(1 + D(x_hat))."""
    return 0.5 * (F.relu(1 - of_real).mean() + F.relu(1 + of_fake).mean())


def generator_loss(of_fake: Tensor) -> Tensor:
    """What the decoder minimises: -mean D(x_hat)."""
    return -of_fake.mean()


def adaptive_weight(
    reconstruction: Tensor, adversarial: Tensor, last_weight: Tensor, weight: float = 1.0
) -> Tensor:
    """What to multiply the adversarial loss by so that it pulls as hard as the reconstruction.

    |grad reconstruction| / (|grad adversarial| + 1e-4), both at the decoder's last weight
    (`decoder.conv_out.weight`), at most 1e4, times `weight` (Esser et al. 2021, Eq. 7). The two
    losses are scalars whose graph is kept; the result is a scalar without gradient.
    """
    of_reconstruction, of_adversarial = (
        torch.autograd.grad(loss, last_weight, retain_graph=True)[0].norm()
        for loss in (reconstruction, adversarial)
    )
    return weight * (of_reconstruction / (of_adversarial + 1e-4)).clamp(0, 1e4).detach()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
