"""LPIPS: the distance of two pictures in the features of a network that knows photographs.

Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a
perceptual metric", 2018; version 0.1. Lower is better, 0 for equal pictures.

The published LPIPS needs torchvision's ImageNet weights, which this project does not carry:
`lpips_rgb` reads them where a reader has them. `lpips_style_rgb` puts the published linear layers
on another training of the same SqueezeNet, the Caffe release. Only the order of its values means
something; it is never to be called LPIPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import scipy.io
import torch
import torchvision
from scipy.io.matlab import MatReadError
from torch import Tensor, nn

from rainlens.data import DataError
from rainlens.quality import weights

STYLE_LABEL = "LPIPS-style (SqueezeNet, Caffe weights)"
CAFFE_FILE = "squeezenet1_1_features.mat"
CAFFE_MEAN = (104.0, 116.7, 122.7)  # of blue, green, red, 0 to 255
SHIFT, SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of RGB in [-1, 1]
LEAST = 32  # ours: the deepest features of every backbone still have a pixel
EPSILON = 1e-10
AT_ONCE = 8  # pictures, so that their features fit the memory


class Tappable(Protocol):
    """A network whose layers stand one after another in `features`."""

    features: nn.Sequential


@dataclass(frozen=True)
class Backbone:
    """Where a torchvision network is tapped: after which children of `features`, how many channels.

    file: the name under which torchvision publishes the weights.
    """

    network: Callable[..., Tappable]
    taps: tuple[int, ...]
    channels: tuple[int, ...]
    file: str


BACKBONES = {
    "alex": Backbone(
        torchvision.models.alexnet,
        (1, 4, 7, 9, 11),
        (64, 192, 384, 256, 256),
        "alexnet-owt-7be5be79.pth",
    ),
    "vgg": Backbone(
        torchvision.models.vgg16,
        (3, 8, 15, 22, 29),
        (64, 128, 256, 512, 512),
        "vgg16-397923af.pth",
    ),
    "squeeze": Backbone(
        torchvision.models.squeezenet1_1,
        (1, 4, 7, 9, 10, 11, 12),
        (64, 128, 256, 384, 384, 512, 512),
        "squeezenet1_1-b8a52dc0.pth",
    ),
}


class Lpips(nn.Module):
    """The distance of two batches of RGB pictures (N, 3, H, W) in [0, 1] -> (N,) float64.

    Features are scaled to length 1 over their channels; the squared differences are weighted by
    channel, averaged over the picture and added up over the taps (Eq. 1).

    backbone: "alex", "vgg" or "squeeze". features: weights of the network's `features` by name;
    those behind the last tap may be among them. heads: the linear layers by their published names
    (`lin0.model.1.weight`, ...). caffe: prepare pictures as the Caffe release wants them (BGR, 0
    to 255, minus its mean). Raises ValueError for weights that do not fit.
    """

    def __init__(
        self,
        backbone: str,
        features: Mapping[str, Tensor],
        heads: Mapping[str, Tensor],
        caffe: bool = False,
    ) -> None:
        super().__init__()
        self.kind, self.caffe = named(backbone), caffe
        with torch.device("meta"):  # VGG's unused classifier alone would take half a gigabyte
            layers = self.kind.network(weights=None).features[: self.kind.taps[-1] + 1]
        self.features = layers.to_empty(device="cpu")
        self.heads = nn.ParameterList(torch.empty(1, n, 1, 1) for n in self.kind.channels)
        tapped = {k: v for k, v in features.items() if int(k.split(".")[0]) < len(layers)}
        numbered = {k.removeprefix("lin").split(".")[0]: v for k, v in heads.items()}
        try:
            self.features.load_state_dict(tapped)
            self.heads.load_state_dict(numbered)
        except RuntimeError as error:
            raise ValueError(f"The weights do not fit LPIPS of {backbone!r}: {error}") from error
        self.eval().requires_grad_(False)

    def forward(self, output: Tensor, clean: Tensor) -> Tensor:
        total = torch.zeros(len(output), dtype=torch.float64, device=output.device)
        pairs = zip(self._tapped(output), self._tapped(clean), strict=True)
        for head, (ours, theirs) in zip(self.heads, pairs, strict=True):
            distance = (ours - theirs).square() * head  # (N, C, h, w)
            total += distance.sum(1).mean((1, 2), dtype=torch.float64)
        return total

    def _tapped(self, pictures: Tensor) -> list[Tensor]:
        """The features at each tap, of length 1 over the channels."""
        values = self._prepared(pictures)
        found = []
        for index, layer in enumerate(self.features):
            values = layer(values)
            if index in self.kind.taps:
                found.append(values / (values.square().sum(1, keepdim=True).sqrt() + EPSILON))
        return found

    def _prepared(self, pictures: Tensor) -> Tensor:
        if self.caffe:
            return pictures.flip(1) * 255 - pictures.new_tensor(CAFFE_MEAN)[:, None, None]
        shift, spread = (pictures.new_tensor(v)[:, None, None] for v in (SHIFT, SPREAD))
        return (pictures * 2 - 1 - shift) / spread


def named(backbone: str) -> Backbone:
    """The backbone of that name. Raises ValueError where there is none."""
    if backbone not in BACKBONES:
        raise ValueError(f"There is no backbone {backbone!r}; there are: {', '.join(BACKBONES)}.")
    return BACKBONES[backbone]


def lpips_rgb(output: Tensor, clean: Tensor, backbone: str = "alex") -> Tensor:
    """The published LPIPS of RGB pictures (N, 3, H, W) in [0, 1] -> (N,) float64.

    Needs torchvision's weights of the backbone in `weights/`, under the name they are published
    with. Raises DataError where they are not there, ValueError for other shapes or below 32x32.
    """
    path = weights.find(named(backbone).file, weights.TORCHVISION)
    return _measure(_published(backbone, path), output, clean)


def lpips_style_rgb(output: Tensor, clean: Tensor) -> Tensor:
    """LPIPS-style (SqueezeNet, Caffe weights), RGB (N, 3, H, W) in [0, 1] -> (N,) float64.

    Not the published LPIPS: compare only the order of its values, and label it `STYLE_LABEL`.
    Raises DataError where the weights are not there, ValueError for other shapes or below 32x32.
    """
    return _measure(_caffe(weights.find(CAFFE_FILE)), output, clean)


def style(device: torch.device) -> Lpips:
    """The network behind `lpips_style_rgb`, through which gradients reach the output.

    Raises DataError where the weights are not there.
    """
    return _caffe(weights.find(CAFFE_FILE)).to(device)


def caffe_features(path: Path) -> dict[str, Tensor]:
    """SqueezeNet 1.1 of a MATLAB file of Caffe layers, by torchvision's names.

    The file holds each layer's kernel (height, width, in, out) and bias (1, out). Raises
    DataError where it is damaged or lacks a layer.
    """
    try:
        stored = scipy.io.loadmat(path)
        layers = {ours: stored[theirs][0] for theirs, ours in _caffe_names()}
        kernels = {f"{name}.weight": kernel for name, (kernel, _) in layers.items()}
        # Copied, because a transposed view of the file's arrays cannot become a tensor's storage.
        state = {k: torch.from_numpy(v.transpose(3, 2, 0, 1).copy()) for k, v in kernels.items()}
        biases = {f"{name}.bias": torch.from_numpy(b.ravel()) for name, (_, b) in layers.items()}
    except (OSError, ValueError, KeyError, TypeError, MatReadError) as error:
        raise DataError(f"{path} cannot be read as SqueezeNet 1.1; copy it again.") from error
    return state | biases


def _caffe_names() -> Iterator[tuple[str, str]]:
    """Caffe's name and torchvision's of each layer."""
    yield "conv1", "0"
    for number, index in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True):
        yield f"fire{number}/squeeze1x1", f"{index}.squeeze"
        yield f"fire{number}/expand1x1", f"{index}.expand1x1"
        yield f"fire{number}/expand3x3", f"{index}.expand3x3"


@lru_cache
def _published(backbone: str, path: Path) -> Lpips:
    state = weights.state_dict(path)
    features = {k.removeprefix("features."): v for k, v in state.items() if k[:9] == "features."}
    return Lpips(backbone, features, _heads(backbone))


@lru_cache
def _caffe(path: Path) -> Lpips:
    return Lpips("squeeze", caffe_features(path), _heads("squeeze"), caffe=True)


def _heads(backbone: str) -> dict[str, Tensor]:
    return weights.state_dict(weights.find(f"lpips_v0.1/{backbone}.pth"))


def _measure(model: Lpips, output: Tensor, clean: Tensor) -> Tensor:
    _check(output, clean)
    model = model.to(output.device)
    batches = zip(output.float().split(AT_ONCE), clean.float().split(AT_ONCE), strict=True)
    with torch.no_grad():
        return torch.cat([model(ours, theirs) for ours, theirs in batches])


def _check(output: Tensor, clean: Tensor) -> None:
    if output.shape != clean.shape or output.ndim != 4 or output.shape[1] != 3:
        raise ValueError(
            f"output is {tuple(output.shape)} and clean {tuple(clean.shape)}; "
            "both must be RGB of the same shape (N, 3, H, W)."
        )
    if not (output.is_floating_point() and clean.is_floating_point()):
        raise ValueError(f"output is {output.dtype}, clean {clean.dtype}; floats in [0, 1] needed.")
    if min(output.shape[-2:]) < LEAST:
        height, width = output.shape[-2:]
        raise ValueError(
            f"LPIPS needs at least {LEAST}x{LEAST} pixels, not {width}x{height}: "
            "the deepest features would be empty."
        )
