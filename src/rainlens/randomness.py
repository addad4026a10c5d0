"""Random numbers that depend on a seed and a purpose, and on nothing that happened before.

Training draws step 700 from `generator(seed, "train", 700)`: a resumed run needs no saved state,
and no draw in one place can shift the draws in another.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def first_weights(seed: int) -> Iterator[None]:
    """A block in which networks get the first weights of a seed; torch's own draws go on after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def generator(
    seed: int, purpose: str, step: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A torch generator on `device` for one step of one purpose. seed and step are >= 0."""
    # CRC-32, not hash(): Python salts the latter anew in each process.
    entropy = [seed, zlib.crc32(purpose.encode()), step]
    state = np.random.SeedSequence(entropy).generate_state(1, np.uint32)
    return torch.Generator(device).manual_seed(int(state[0]))
