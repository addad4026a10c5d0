"""Filters as experiments: nothing is trained; what does something do that has learned nothing?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from rainlens import images, models, tasks
from rainlens.evaluation import TestSet
from rainlens.records import Record, RecordStore
from rainlens.tasks import Session, Value
from rainlens.tasks.restore import Restore, results

# What has learned nothing, as members of `models`; the sizes were chosen before these records.
FILTERS: Mapping[str, tuple[str, tuple[tuple[str, int], ...]]] = {
    "untouched": ("copy", ()),
    "dimmed by half": ("dimming", ()),
    **{f"median {size}": ("median", (("size", size),)) for size in (3, 5, 7)},
    **{f"Gaussian {sigma}": ("gaussian", (("sigma", sigma),)) for sigma in (1, 2, 3)},
    "bilateral": ("bilateral", ()),
    "guided": ("guided", ()),
    **{f"opening {size}": ("opening", (("size", size),)) for size in (5, 9)},
}


@dataclass(frozen=True, kw_only=True)
class Untrained(Value):
    """A member of `models` without parameters, scored like the networks that it stands beside.

    model, options: the filter (`models.build`). tests: as in `Restore`.
    """

    task: ClassVar[str] = "filter"
    iterations: ClassVar[int] = 0

    model: str = "median"
    options: tuple[tuple[str, int], ...] = ()
    tests: tuple[TestSet, ...] = ()
    seed: int = 0

    @property
    def readable(self) -> str:
        """Which filter, and its numbers: "median-size5"."""
        return "-".join([self.model, *(f"{name}{value}" for name, value in self.options)])

    def needs(self) -> set[str]:
        """The pictures and layers of rain that it is tested on."""
        return self._network.needs()

    def stand_in(self) -> Untrained:
        """The same on embedded photographs and test rain."""
        return replace(self, tests=self._network.stand_in().tests)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Filters and scores the test pictures; minutes at most, so no deadline is looked at."""
        start = time.monotonic()
        tests, kept = results(self._network, models.build(self.model, **dict(self.options)))
        return store.save(tasks.record_untrained(self, tests, start), kept)

    @property
    def _network(self) -> Restore:
        """A network that is tested on the same; it needs no pictures of its own."""
        return Restore(backgrounds=images.EMBEDDED, tests=self.tests)
