"""Files of weights: read without unpickling, or converted once in a process of its own.

Trainers such as Lightning save their callbacks with the weights. Loading such a file means running
what it says, so `load_state` refuses it, and `convert` takes the tensors out of it without.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from rainlens.models import checkpoint_reader as reader

SECONDS = 600.0  # a conversion takes at most so long


class CheckpointError(RuntimeError):
    """A file of weights cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Conversion:
    """kept: tensors written. dropped: names left out, those of the training loss. stubs: classes
    that the file asks for and that were not loaded."""

    kept: int
    dropped: tuple[str, ...]
    stubs: tuple[str, ...]


def convert(source: Path, target: Path, seconds: float = SECONDS) -> Conversion:
    """Writes the weights of a PyTorch file as safetensors, without executing anything in it.

    Weights of the training loss (`loss.*`, `colorize`) are left out. Reading happens in a process
    of its own with bounds on memory and time. Raises CheckpointError where the source cannot be
    converted, with the reason, or the target exists already.
    """
    if not source.is_file():
        raise CheckpointError(f"{source} does not exist; check the path.")
    if target.exists():
        raise CheckpointError(f"{target} exists already; remove it, or name another target.")
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.touch(exist_ok=False)
        answer = _read_apart(source, beside, seconds)
        with safetensors.safe_open(beside, "pt"):
            pass  # another reader agrees that it is sound
        os.replace(beside, target)
    except SafetensorError as error:
        raise CheckpointError(f"{source} was not converted: {error}.") from error
    except OSError as error:
        raise CheckpointError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)
    return Conversion(answer["kept"], tuple(answer["dropped"]), tuple(answer["stubs"]))


def load_state(path: Path) -> dict[str, Tensor]:
    """The weights in a file, by name: safetensors, or what torch.save made of a state dict.

    What a trainer wrapped them in is taken off, weights of the training loss are left out, and
    nothing is executed. Raises CheckpointError for a file that is missing, damaged, or holds more
    than tensors.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; check the path.")
    try:
        state = reader.find_state(_read_here(path))
    except reader.Refused as error:
        raise CheckpointError(f"{path} cannot be used: {error}.") from error
    kept = {name: value for name, value in state.items() if not reader.is_dropped(name)}
    other = [name for name, value in kept.items() if not isinstance(value, Tensor)]
    if other:
        raise CheckpointError(f"{path} cannot be used: its entry {other[0]} is not a tensor.")
    return kept


def _read_here(path: Path) -> object:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors, or is damaged, and is not run; "
            f"`rainlens data convert {path}` takes the tensors out. If it is a whole network, save "
            "its weights instead: torch.save(model.state_dict(), FILE)."
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged ({type(error).__name__}); get it again."
        ) from error


def _read_apart(source: Path, target: Path, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-I", reader.__file__, os.fspath(source), os.fspath(target)]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(
            f"{source} was not converted: it took more than {seconds:g} s."
        ) from error
    except ValueError as error:  # no answer: the process was ended
        raise CheckpointError(
            f"{source} was not converted: reading it needs too much memory or time."
        ) from error
    if "refused" in answer:
        raise CheckpointError(f"{source} was not converted: {answer['refused']}.")
    return answer
