"""Filters as experiments: nothing is trained; what does something do that has learned nothing?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from rainlens import evaluation, images, models, origin
from rainlens.evaluation import TestSet
from rainlens.records import Record, RecordStore, described
from rainlens.tasks import Session, Value, pictures
from rainlens.tasks.restore import Restore, with_usual_tests


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
        return Restore(backgrounds=images.EMBEDDED, tests=self.tests).needs()

    def stand_in(self) -> Untrained:
        """The same on embedded photographs and test rain."""
        count = min(16, max((test.count for test in self.tests), default=16))
        embedded = with_usual_tests(Restore(backgrounds=images.EMBEDDED), count, crop=192)
        return replace(self, tests=embedded.tests)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Filters and scores the test pictures; minutes at most, so no deadline is looked at."""
        start = time.monotonic()
        model = models.build(self.model, **dict(self.options))
        tests, kept = {}, {}
        for test in self.tests:
            measures = evaluation.measures_of(test)
            tests[test.name], outputs = evaluation.evaluate(model, *evaluation.load(test), measures)
            if test.keep:
                kept[test.name] = [images.to_bytes(output) for output in outputs]
        where = origin.where(torch.device("cpu"))
        provenance = {**where, "seconds": round(time.monotonic() - start, 1)}
        of_pictures = pictures(self)
        record = Record(
            self.name, described(self), {}, tests, provenance=provenance, data=of_pictures
        )
        return store.save(record, kept)
