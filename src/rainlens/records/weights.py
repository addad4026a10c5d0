"""Trained networks, kept for later looks: a safetensors file under a checksum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rainlens.records.files import make_folder, write_whole
from rainlens.records.record import RecordError, Series, rounded


@dataclass(frozen=True)
class Trained:
    """A trained network as it is kept for later looks: its weights, and how it came about.

    curves: of its training, as a record has them. about: the experiment that trained it, and the
    provenance of that, as JSON.
    """

    weights: dict[str, Tensor]
    curves: Series
    about: dict[str, Any]


def save_trained(path: Path, trained: Trained) -> None:
    """Writes a trained network, whole or not at all."""
    weights = {name: value.detach().cpu().contiguous() for name, value in trained.weights.items()}
    held = json.dumps({"curves": rounded(trained.curves), "about": trained.about})
    told = {"trained": held, "sha256": weights_checksum(weights, held)}
    make_folder(path.parent)
    write_whole(path, safetensors.torch.save(weights, told))


def load_trained(path: Path) -> Trained:
    """Reads what `save_trained` wrote. Raises RecordError where the file is damaged."""
    advice = "delete it, and the network is trained again"
    try:
        with safe_open(path, "pt") as file:
            told = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        held = json.loads(told["trained"])
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"{path} is damaged ({type(error).__name__}); {advice}.") from error
    if told.get("sha256") != weights_checksum(weights, told["trained"]):
        raise RecordError(f"{path} is damaged (its checksum does not fit); {advice}.")
    return Trained(weights, held["curves"], held["about"])


def weights_checksum(weights: dict[str, Tensor], about: str) -> str:
    """SHA-256 over what is told of the weights, their names, types, shapes and bytes."""
    total = hashlib.sha256(about.encode())
    for name in sorted(weights):
        value = weights[name].contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
