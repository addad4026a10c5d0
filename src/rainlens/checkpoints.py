"""Where a training keeps its state, so that a run that is stopped goes on to the same bits.

A checkpoint is evidence in the making: it is checked before it is used. One that is damaged, or
of another experiment, is set aside under another name, never deleted; where it cannot be read for
another reason (no permission, no memory) the run stops and leaves it.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rainlens.records import RecordError
from rainlens.records.files import make_folder, write_whole
from rainlens.records.values import ENGINE

HEAD = b"rainlens checkpoint 1 "  # then the SHA-256 of the rest in hexadecimal, and a line end
SAVE_EVERY = 20.0  # seconds between two checkpoints


@dataclass
class Checkpoint:
    """The file of a run's state.

    every: seconds between two saves. owner: what decides whether a state may be used: all that
    decides the run, such as the experiment and digests of its pictures. leg: where this part of
    the run is computed (`origin.where`). legs: those of earlier parts, once the state is loaded.
    """

    path: Path
    every: float = SAVE_EVERY
    owner: Mapping[str, Any] = field(default_factory=dict)
    leg: Mapping[str, Any] = field(default_factory=dict)
    legs: list[dict[str, Any]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)
    _failed: bool = False

    def load(self) -> dict[str, Any] | None:
        """The saved state, or None where there is none that can be used.

        Raises RecordError where it is there and cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except (OSError, MemoryError) as error:
            raise RecordError(
                f"{self.path} cannot be read ({error}); it holds an unfinished training. Mend "
                "that and run it again, or move the file away to start anew."
            ) from error
        state = self._checked(content)
        if state is None:
            return None
        self.legs = state["legs"]
        return state

    def save(self, state: Mapping[str, Any]) -> None:
        """Writes the state whole. Where it cannot, warns once and goes on without."""
        self._saved = time.monotonic()
        target = io.BytesIO()
        held = {"engine": ENGINE, "owner": dict(self.owner), "legs": [*self.legs, self.this_leg()]}
        torch.save({**held, **state}, target)
        content = target.getvalue()
        try:
            make_folder(self.path.parent)
            write_whole(self.path, _head(content) + content)
        except OSError as error:
            if not self._failed:
                warnings.warn(
                    f"{self.path} could not be written ({error.strerror}): training goes on, but "
                    "would start anew if it were stopped. Free some space.",
                    stacklevel=2,
                )
            self._failed = True

    def is_due(self) -> bool:
        """Whether `every` seconds have passed since the last save."""
        return time.monotonic() - self._saved >= self.every

    def this_leg(self) -> dict[str, Any]:
        """Where this part of the run was computed, and how long it has taken."""
        return {**self.leg, "seconds": round(time.monotonic() - self._began, 3)}

    def set_aside(self, why: str) -> None:
        """Gives the file another name, and says so."""
        aside = self.path.with_name(f"{self.path.name}.{time.time_ns():x}.aside")
        os.replace(self.path, aside)
        warnings.warn(
            f"The unfinished training {self.path.name} {why}: it is kept as {aside}, and the "
            "training starts anew.",
            stacklevel=2,
        )

    def _checked(self, content: bytes) -> dict[str, Any] | None:
        head, _, rest = content.partition(b"\n")
        if head + b"\n" != _head(rest):
            self.set_aside("is damaged or of an earlier version")
            return None
        # The checksum fits, so that these are the bytes that were written.
        try:
            state: dict[str, Any] = torch.load(
                io.BytesIO(rest), map_location="cpu", weights_only=True
            )
        except (pickle.UnpicklingError, RuntimeError, EOFError):
            self.set_aside("holds more than tensors and numbers")
            return None
        if state["engine"] != ENGINE or state["owner"] != dict(self.owner):
            self.set_aside("is of another experiment or of other pictures")
            return None
        return state


def check_shapes(optimizer: torch.optim.Optimizer, held: Mapping[str, Any]) -> None:
    """Raises ValueError where an optimiser's state does not fit its parameters.

    The fused optimisers do not look, and would write past the end of a tensor.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    places = [place for group in held["param_groups"] for place in group["params"]]
    if len(places) != len(parameters):
        raise ValueError(f"{len(places)} parameters in the state, {len(parameters)} in the network")
    for place, parameter in zip(places, parameters, strict=True):
        for name, value in held["state"].get(place, {}).items():
            if torch.is_tensor(value) and value.dim() and value.shape != parameter.shape:
                raise ValueError(f"{name} has shape {tuple(value.shape)}")


def _head(content: bytes) -> bytes:
    return HEAD + hashlib.sha256(content).hexdigest().encode() + b"\n"
