"""Weights from files, strictly: what fits is loaded, what does not is named, nothing is executed.

Published files wrap the same numbers in several ways: under a key such as `state_dict`, and with
a prefix before every name, which a training wrapper put there. Both are undone here.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

WRAPPERS = ("state_dict", "params_ema", "params", "model")  # looked for in this order
PREFIXES = ("module.", "model.", "net.")
PICKLES = (".pth", ".pt")
SAVED_BY_TORCH = (b"PK", b"\x80")  # how such files begin: an archive, or long ago a pickle
SAFE_TORCH = (2, 6)  # before, `weights_only=True` could be made to run code (CVE-2025-32434)
NAMED = 5  # names written out where many are wrong
SAVE = "torch.save(network.state_dict(), 'weights.pth')"


class WeightsError(ValueError):
    """A file of weights cannot be used; the message says why and what to do."""


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Puts the weights of a file into a network; every name and shape must fit.

    path: a state dict as .pth or .pt, alone or under one of `WRAPPERS`, or as .safetensors. A
    prefix of `PREFIXES` that all names share is taken off. Raises WeightsError where the file is
    missing, is broken, holds more than tensors, or does not fit; then the network is unchanged.
    """
    path = Path(path)
    state = _without_prefixes(_unwrap(_read(path), path), model)
    if complaint := _misfit(model.state_dict(), state):
        raise WeightsError(f"{path} does not fit {type(model).__name__}: {complaint}.")
    model.load_state_dict(state, strict=True)


def _read(path: Path) -> object:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; check the path.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix not in PICKLES:
        known = ", ".join((*PICKLES, ".safetensors"))
        raise WeightsError(f"{path} is no file of weights by its name; known are {known}.")
    return _read_pickle(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); fetch or save it again.") from error


def _read_pickle(path: Path) -> object:
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < SAFE_TORCH:
        raise WeightsError(
            f"{path} is a pickle, which torch {torch.__version__} cannot read without risk: "
            "update torch to 2.6 or later, or convert the file to .safetensors."
        )
    with path.open("rb") as file:
        beginning = file.read(2)
    if not beginning.startswith(SAVED_BY_TORCH):  # a web page, perhaps, or a pointer to the file
        raise WeightsError(_unreadable(path, f"it begins with {beginning!r}"))
    return _read_tensors(path)


def _read_tensors(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(_not_tensors(path)) from error
    except Exception as error:  # torch raises many kinds for files that are cut or foreign
        foreign = "TorchScript" in str(error)
        message = _not_tensors(path) if foreign else _unreadable(path, type(error).__name__)
        raise WeightsError(message) from error


def _unreadable(path: Path, reason: str) -> str:
    return f"{path} cannot be read as a file that torch saved ({reason}); fetch or save it again."


def _not_tensors(path: Path) -> str:
    return (
        f"{path} holds something other than tensors, which is not read because that could run "
        f"code: open it where you trust it and save the weights alone, with {SAVE}."
    )


def _unwrap(content: object, path: Path) -> dict[str, Tensor]:
    """The state dict in what a file holds, alone or wrapped."""
    for _ in WRAPPERS:  # a mapping that holds itself comes to an end
        content = _inside(content)
    if not isinstance(content, Mapping) or not content or not _are_tensors(content):
        raise WeightsError(f"{path} holds no state dict; save one with {SAVE}.")
    return dict(content)


def _inside(content: object) -> object:
    """What the first wrapper of a mapping holds, or the content itself where there is none."""
    if isinstance(content, Mapping):
        for key in WRAPPERS:
            if isinstance(content.get(key), Mapping):
                return content[key]
    return content


def _are_tensors(content: Mapping[object, object]) -> bool:
    return all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())


def _without_prefixes(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Takes off the prefixes that all names share, but for those the network itself has."""
    own = list(model.state_dict())
    while (prefix := _common_prefix(state)) and prefix != _common_prefix(own):
        state = {name.removeprefix(prefix): values for name, values in state.items()}
    return state


def _common_prefix(names: Iterable[str]) -> str | None:
    names = list(names)
    return next((p for p in PREFIXES if all(name.startswith(p) for name in names)), None)


def _misfit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """What is missing, extra or of another shape, in half a sentence; empty if all fits."""
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    shapes = [
        f"{name} is {tuple(found[name].shape)} instead of {tuple(values.shape)}"
        for name, values in expected.items()
        if name in found and found[name].shape != values.shape
    ]
    parts = [("missing", missing), ("not in the network", extra), ("of another shape", shapes)]
    return "; ".join(f"{what}: {_named(names)}" for what, names in parts if names)


def _named(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
