"""Measures whose weights cannot be shipped, where the reader has them: MUSIQ and MANIQA.

The papers use both (2026 paper, Fig. 19). Their weights lie on their authors' servers, from where
the package `pyiqa` fetches them. It is no requirement of the book, and nothing here asks for it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from rainlens.quality import Measure

PACKAGE = "pyiqa"
NAMES = {"musiq": "MUSIQ", "maniqa": "MANIQA"}
LEAST = 224  # pixels a side that MANIQA needs
SEED = 0  # MANIQA looks at 20 places drawn by chance


def optional() -> dict[str, Measure]:
    """MUSIQ and MANIQA by name, like `quality.MEASURES`; none of them without `pyiqa`.

    Each loads its weights when it is first used; then pyiqa fetches them, if it has not yet.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        return {}
    return {
        name: Measure(label, _scorer(name), True, False, LEAST) for name, label in NAMES.items()
    }


def _scorer(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    def score(output: Tensor, _: Tensor) -> Tensor:
        torch.manual_seed(SEED)
        with torch.inference_mode():
            each = [_metric(name)(picture[None]).reshape(()).double() for picture in output]
        return torch.stack(each)

    return score


@cache
def _metric(name: str) -> Any:
    return importlib.import_module(PACKAGE).create_metric(name, device=torch.device("cpu"))
