"""Networks, and filters that learn nothing, by name: `build("resnet", blocks=8, channels=32)`."""

from __future__ import annotations

import inspect
from fnmatch import fnmatchcase

from torch import nn

from rainlens.models import filters
from rainlens.models.cnn1d import Cnn1d
from rainlens.models.prenet import PRN, PReNet
from rainlens.models.rcdnet import RCDNet
from rainlens.models.resnet import ResNet
from rainlens.models.spdnet import SPDNet
from rainlens.models.swinir import SwinIR
from rainlens.models.taef2 import TAEF2
from rainlens.models.unet import UNet
from rainlens.models.vqgan import VQGAN

MODELS: dict[str, type[nn.Module]] = {
    "resnet": ResNet,
    "unet": UNet,
    "swinir": SwinIR,
    "cnn1d": Cnn1d,
    "copy": filters.Copy,
    "black": filters.Black,
    "dimming": filters.Dimming,
    "median": filters.Median,
    "gaussian": filters.Gaussian,
    "bilateral": filters.Bilateral,
    "guided": filters.Guided,
    "opening": filters.Opening,
    "wiener": filters.Wiener,
    "prenet": PReNet,
    "prn": PRN,
    "rcdnet": RCDNet,
    "spdnet": SPDNet,
    "vqgan": VQGAN,
    "taef2": TAEF2,
}


def build(name: str, **options: object) -> nn.Module:
    """The network of that name with these options, freshly initialised from torch's generator.

    Raises ValueError for an unknown name or option, naming those there are.
    """
    if name not in MODELS:
        raise ValueError(f"There is no model {name!r}; there are: {', '.join(sorted(MODELS))}.")
    known = inspect.signature(MODELS[name]).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has: {', '.join(known)}.")
    return MODELS[name](**options)


def count_parameters(model: nn.Module) -> int:
    """How many numbers the network can learn."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def needs_weights(name: str) -> bool:
    """Whether a network is nothing without training; filters learn nothing."""
    return not MODELS[name].__module__.endswith(".filters")


def unused_parameters(model: nn.Module) -> list[str]:
    """Names of the parameters that never reach the output, in the network's order.

    Some official networks hold layers that they do not use; ours keep them, so that official
    weights load strictly. A class names its own in `UNUSED`, as patterns. Training leaves them
    as they are: they get no gradient.
    """
    patterns = getattr(model, "UNUSED", ())
    names = (name for name, _ in model.named_parameters())
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
