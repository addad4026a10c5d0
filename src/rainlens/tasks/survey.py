"""Surveys: nothing is trained; how complicated are patches of a category?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import torch

from rainlens import complexity, images, tasks
from rainlens.records import Record, RecordStore, slug
from rainlens.tasks import Session, Value


@dataclass(frozen=True, kw_only=True)
class Survey(Value):
    """How complicated patches of a category are (2026 paper, Fig. 9b).

    backgrounds, patches, patch_size, seed: as in `Restore`. The record's test "patches" holds
    for each patch the number of its `picture`, its `sharpness`, and `structure0`, `structure1`,
    ...: its structural complexity at each scale.
    """

    task: ClassVar[str] = "survey"
    iterations: ClassVar[int] = 0

    backgrounds: str = "natural"
    patches: int = 1024
    patch_size: int = 128
    seed: int = 0

    @property
    def readable(self) -> str:
        """Which patches, how many, how large, by which seed."""
        content = f"{slug(self.backgrounds)}{self.patches}"
        return f"{content}-{self.patch_size}px-s{self.seed}"

    def needs(self) -> set[str]:
        """The pictures that it looks at."""
        return {self.backgrounds}

    def stand_in(self) -> Survey:
        """The same of the embedded photographs."""
        return replace(self, backgrounds=images.EMBEDDED)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Measures the patches; a second, so that no deadline is looked at."""
        start = time.monotonic()
        source = images.numbered_crops(self.backgrounds, self.patch_size, self.seed)
        numbers, crops = zip(*islice(source, self.patches), strict=True)
        patches = torch.stack(crops)
        values: dict[str, list[Any]] = {
            "picture": list(numbers),
            "sharpness": complexity.sharpness(patches).tolist(),
        }
        for scale, column in enumerate(complexity.structural_complexity(patches).unbind(1)):
            values[f"structure{scale}"] = column.tolist()
        return store.save(tasks.record_untrained(self, {"patches": values}, start))
