"""Networks that can be run here: how they want their pictures, and what they give back.

A network is a function on float32 (N, 3, H, W). How its pictures must be laid out is its `Wiring`;
whatever comes back is turned into 8-bit pictures, as if read from files, so that a network gets
the same card whichever way it is run.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rainlens import images, models
from rainlens.audit.inputs import AuditError
from rainlens.models import checkpoint_files
from rainlens.models.unet import mirror_to_multiple

Network = Callable[[Tensor], Any]
# What a network takes for [0, 1]: factor and offset.
RANGES = {"0-1": (1.0, 0.0), "0-255": (255.0, 0.0), "-1-1": (2.0, -1.0)}
ORDERS = ("rgb", "bgr")
SHOWN = 3  # names of weights in a message


@dataclass(frozen=True)
class Wiring:
    """How a network wants its pictures, and where in its answer the picture is.

    range: of the values, in and out. order: of the channels. multiple: sides must be multiples of
    it; pictures are mirrored up to that and cut again. output: which part of a tuple or list.
    residual: the network returns the rain, not the picture. Raises ValueError for what is none.
    """

    range: str = "0-1"
    order: str = "rgb"
    multiple: int = 1
    output: int = 0
    residual: bool = False

    def __post_init__(self) -> None:
        if self.range not in RANGES:
            raise ValueError(f"range is {self.range!r}; there are: {', '.join(RANGES)}.")
        if self.order not in ORDERS:
            raise ValueError(f"order is {self.order!r}; there are: {', '.join(ORDERS)}.")
        if self.multiple < 1:
            raise ValueError(f"multiple is {self.multiple}; it must be at least 1.")


def run(network: Network, picture: Tensor, wiring: Wiring) -> Tensor:
    """The network's answer to a picture, uint8 (3, H, W), as float32 in [0, 1], not yet clipped.

    Raises AuditError where the answer is no picture of the same size.
    """
    factor, offset = RANGES[wiring.range]
    unit = images.to_unit(picture)[None]
    given = mirror_to_multiple(_ordered(unit, wiring), wiring.multiple) * factor + offset
    with torch.inference_mode():
        answer = _picked(network(given), wiring.output)
    if answer.shape != given.shape:
        raise AuditError(
            f"The network was given {tuple(given.shape)} and returned {tuple(answer.shape)}; it "
            "must keep the size. Where it needs sides that are multiples of K, say --multiple K."
        )
    height, width = picture.shape[-2:]
    answer = answer.float().cpu()[..., :height, :width]
    if wiring.residual:  # rain has the scale of pictures, but not their offset
        return (unit - _ordered(answer / factor, wiring))[0]
    return _ordered((answer - offset) / factor, wiring)[0]


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
) -> dict[str, Tensor]:
    """The answers by name as 8-bit pictures, rounded and clipped. Raises as `run` does."""
    answers = {}
    for name, picture in pictures.items():
        answers[name] = images.to_bytes(run(network, picture, wiring))
        progress(1)
    return answers


def of_architecture(name: str, weights: Path, **options: object) -> nn.Module:
    """A network of `models` with weights from a file; nothing in the file is run.

    Raises AuditError where the weights are not those of the network, naming what is missing and
    what is too many, ValueError for an unknown name or option, and
    `checkpoint_files.CheckpointError` where the file cannot be used.
    """
    model, state = models.build(name, **options), checkpoint_files.load_state(weights)
    own = model.state_dict()
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or extra:
        parts = [f"lacks {_some(missing)}"] * bool(missing)
        parts += [f"has {_some(extra)} too many"] * bool(extra)
        raise AuditError(
            f"{weights} is not for {name}: it {' and '.join(parts)}. Is it another network, or one "
            "of another size?"
        )
    other = [key for key in own if own[key].shape != state[key].shape]
    if other:
        raise AuditError(
            f"{weights} is for {name} of another size: {other[0]} has the shape "
            f"{tuple(state[other[0]].shape)}, not {tuple(own[other[0]].shape)}."
        )
    model.load_state_dict(state)
    return model.eval()


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


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
