"""Where the measures' published models lie: `weights/` of the folder that RAINLENS_DATA names."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor

from rainlens.data import DataError, data_root

FETCH = "`rainlens data fetch weights` gets it"
RELEASE = "it is in the folder MATLAB of github.com/utlive/BRISQUE"
TORCHVISION = "it is the file that torchvision downloads for this network"


def find(name: str, hint: str = FETCH) -> Path:
    """The file `weights/name` of RAINLENS_DATA. hint: where a reader gets it.

    Raises DataError in one sentence where the file is not there.
    """
    root = data_root()
    if root is None:
        raise DataError(
            f"weights/{name} is needed: set RAINLENS_DATA to a folder that has it ({hint})."
        )
    path = root / "weights" / name
    if not path.is_file():
        raise DataError(f"{path} is not there: put it there ({hint}).")
    return path


def is_there(name: str) -> bool:
    """Whether RAINLENS_DATA has the file `weights/name`."""
    root = data_root()
    return root is not None and (root / "weights" / name).is_file()


def state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch file by name, on the CPU; nothing in it is run.

    Raises DataError where the file is damaged or holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} cannot be read as weights; fetch it again.") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(f"{path} holds no state dict; fetch it again.")
    return state
