"""Networks that can be run here: how they want their pictures, and what they give back.

A network is a function on float32 (N, 3, H, W). How its pictures must be laid out is its `Wiring`;
whatever comes back is turned into 8-bit pictures, as if read from files, so that a network gets
the same card whichever way it is run.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import rainlens
from rainlens import data, images, models
from rainlens.audit.inputs import AuditError
from rainlens.audit.kept import Kept
from rainlens.audit.kept import outputs as kept_outputs
from rainlens.audit.tiles import in_tiles
from rainlens.models.unet import mirror_to_multiple
from rainlens.models.weights import WeightsError, load_weights

Network = Callable[[Tensor], Any]
# What a network takes for [0, 1]: factor and offset.
RANGES = {"0-1": (1.0, 0.0), "0-255": (255.0, 0.0), "-1-1": (2.0, -1.0)}
ORDERS = ("rgb", "bgr")
LEAST_TILE = 32  # pixels a side; below, a network sees next to nothing


@dataclass(frozen=True)
class Wiring:
    """How a network wants its pictures, and where in its answer the picture is.

    range: of the values, in and out. order: of the channels. multiple: sides must be multiples of
    it; pictures are mirrored up to that and cut again. output: which part of a tuple or list.
    residual: the network returns the rain, not the picture. tile: it sees so many pixels a side at
    a time, 0 for the whole picture. Raises ValueError for what is none.
    """

    range: str = "0-1"
    order: str = "rgb"
    multiple: int = 1
    output: int = 0
    residual: bool = False
    tile: int = 0

    def __post_init__(self) -> None:
        if self.range not in RANGES:
            raise ValueError(f"range is {self.range!r}; there are: {', '.join(RANGES)}.")
        if self.order not in ORDERS:
            raise ValueError(f"order is {self.order!r}; there are: {', '.join(ORDERS)}.")
        if self.multiple < 1:
            raise ValueError(f"multiple is {self.multiple}; it must be at least 1.")
        if self.tile and self.tile < max(LEAST_TILE, self.multiple):
            least = max(LEAST_TILE, self.multiple)
            raise ValueError(f"tile is {self.tile}; it must be 0, or at least {least}.")


def run(network: Network, picture: Tensor, wiring: Wiring) -> Tensor:
    """The network's answer to a picture, uint8 (3, H, W), as float32 in [0, 1], not yet clipped.

    Raises AuditError where the answer is no picture of the same size.
    """
    factor, offset = RANGES[wiring.range]
    unit = images.to_unit(picture)[None]

    def answer_to(part: Tensor) -> Tensor:
        height, width = part.shape[-2:]
        given = mirror_to_multiple(part, wiring.multiple) * factor + offset
        return _answer(network, given, wiring)[..., :height, :width]

    given = _ordered(unit, wiring)
    side = wiring.tile // wiring.multiple * wiring.multiple  # no tile grows when it is mirrored
    answer = in_tiles(answer_to, given, side) if side else answer_to(given)
    if wiring.residual:  # rain has the scale of pictures, but not their offset
        return (unit - _ordered(answer / factor, wiring))[0]
    return _ordered((answer - offset) / factor, wiring)[0]


def _answer(network: Network, given: Tensor, wiring: Wiring) -> Tensor:
    try:
        with torch.inference_mode():
            answer = _picked(network(given), wiring.output)
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(
            told in str(error).lower() for told in ("out of memory", "not enough memory")
        ):
            raise
        height, width = given.shape[-2:]
        raise AuditError(
            f"The network runs out of memory on {width}x{height} pixels; give it fewer at a time: "
            f"--tile {max(LEAST_TILE, min(height, width) // 2)}."
        ) from error
    if answer.shape != given.shape:
        raise AuditError(
            f"The network was given {tuple(given.shape)} and returned {tuple(answer.shape)}; it "
            "must keep the size. Where it needs sides that are multiples of K, say --multiple K."
        )
    return answer.float().cpu()


def _ordered(pictures: Tensor, wiring: Wiring) -> Tensor:
    return pictures.flip(1) if wiring.order == "bgr" else pictures


def _picked(answer: Any, output: int) -> Tensor:
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if isinstance(answer, tuple | list):
        if not -len(answer) <= output < len(answer):
            raise AuditError(
                f"The network returns {len(answer)} things, so there is no --output {output}."
            )
        return _picked(answer[output], 0)
    if not isinstance(answer, Tensor):
        raise AuditError(
            f"The network returned {type(answer).__name__}, no tensor; wrap it in a function that "
            "returns the picture."
        )
    return answer


def outputs(
    network: Network,
    pictures: Mapping[str, Tensor],
    wiring: Wiring,
    progress: Callable[[int], object] = lambda done: None,
    kept: Kept | None = None,
) -> dict[str, Tensor]:
    """The answers by name as 8-bit pictures, rounded and clipped. Raises as `run` does.

    kept: where they are kept as they come, and taken from.
    """

    def answer(picture: Tensor) -> Tensor:
        found = run(network, picture, wiring)
        if not found.isfinite().all():  # as bytes, it would count as black
            raise AuditError(
                "The network returns values that are not finite (nan or infinite) for some of the "
                "pictures; check its weights, and try --range 0-255 or --range -1-1."
            )
        return images.to_bytes(found)

    return kept_outputs(kept, pictures, answer, progress)


def of_architecture(name: str, weights: Path, **options: object) -> nn.Module:
    """A network of `models` with weights from a file; nothing in the file is run.

    Raises AuditError where the weights are not those of the network, naming what is missing and
    what is too many, or the file cannot be used, and ValueError for an unknown name or option.
    """
    model = models.build(name, **options)
    try:
        load_weights(model, weights)
    except WeightsError as error:
        raise AuditError(data.printable(str(error))) from error
    return model.eval()


def identity(named: str | None, file: Path | None, wiring: Wiring) -> dict[str, Any]:
    """What tells a network from others, for outputs that are kept: name, file, wiring, version."""
    sha = hashlib.sha256(file.read_bytes()).hexdigest() if file else None
    return {"rainlens": rainlens.__version__, "name": named, "file": sha, **asdict(wiring)}


def of_callable(where: str) -> Network:
    """The function, module or class without arguments that `module:name` means; its code is run.

    Looked for in the current folder first. Raises AuditError where there is none.
    """
    module, separator, name = where.partition(":")
    if not separator or not module or not name:
        raise AuditError(f"{where!r} names no function; write module:function, as my_model:derain.")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise AuditError(f"{module} cannot be imported: {error}.") from error
    except AttributeError as error:
        raise AuditError(f"{module} has no {name}; write module:function.") from error
    finally:
        sys.path.pop(0)
    network: Network = found() if isinstance(found, type) else found
    return network.eval() if isinstance(network, nn.Module) else network
