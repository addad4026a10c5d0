"""Where a number came from: versions, device, threads, and the commit of the code."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

import rainlens
from rainlens import training
from rainlens.records import values

COMMIT_VARIABLE = "RAINLENS_COMMIT"  # of the code, where that has left its checkout
UNKNOWN = "unknown"


def where(device: torch.device) -> dict[str, Any]:
    """What a number may depend on besides the experiment, as a record's provenance holds it."""
    cuda = device.type == "cuda"
    return {
        "rainlens": rainlens.__version__,
        "engine": values.ENGINE,
        "torch": str(torch.__version__),  # a class of its own, which no checkpoint may hold
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name(device) if cuda else f"cpu ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "bfloat16": training.uses_bfloat16(device.type),
        "commit": commit(),
    }


@cache
def commit() -> str:
    """The commit of the code, with `-dirty` where it had changes; `unknown` outside a checkout.

    The package may lie in a folder of somebody else's repository, whose commit says nothing about
    it: only a repository that has the project itself as its top folder counts.
    """
    if COMMIT_VARIABLE in os.environ:
        return os.environ[COMMIT_VARIABLE]
    project = Path(rainlens.__file__).resolve().parents[2]
    top = _git(["rev-parse", "--show-toplevel"], project)
    if top is None or Path(top).resolve() != project:
        return UNKNOWN
    return _git(["describe", "--always", "--dirty", "--abbrev=12"], project) or UNKNOWN


def _git(words: Sequence[str], folder: Path) -> str | None:
    """What git answers, or None where it cannot."""
    try:
        command = ["git", *words]
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
