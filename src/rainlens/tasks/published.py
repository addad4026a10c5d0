"""Published weights as experiments: do their authors' scores come out here?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar

from rainlens import evaluation, images, models, tasks
from rainlens.degradations import STREAKS
from rainlens.evaluation import TestSet
from rainlens.models import published
from rainlens.models.published import PUBLISHED
from rainlens.models.published import by_file as by_file
from rainlens.randomness import first_weights
from rainlens.records import Record, RecordStore
from rainlens.tasks import Session, Value


@dataclass(frozen=True, kw_only=True)
class Repeated(Value):
    """One file of published weights, scored on the test set of its paper.

    weights: the file, below the folder of weights (`models.published.PUBLISHED`); None for the same
    network untrained, which stands in where they are not at hand. test: the pictures.
    """

    task: ClassVar[str] = "published"
    iterations: ClassVar[int] = 0

    model: str
    weights: str | None
    test: TestSet
    seed: int = 0

    @property
    def readable(self) -> str:
        """Which weights."""
        return (self.weights or self.model).split("/")[-1].removesuffix(".pth")

    def needs(self) -> set[str]:
        """The weights, the clean pictures and the layers of rain."""
        return {*evaluation.sets_of([self.test]), *(["weights"] if self.weights else [])}

    def stand_in(self) -> Repeated:
        """The untrained network on embedded photographs and test rain."""
        test = TestSet(self.test.name, STREAKS, images.EMBEDDED, count=2, crop=96)
        return replace(self, weights=None, test=test)

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Scores whole pictures in float32; some minutes, so no deadline is looked at."""
        start = time.monotonic()
        rainy, clean = evaluation.load(self.test)
        if self.weights is None:
            with first_weights(self.seed):
                network = models.build(self.model).eval()
        else:
            network = published.load(by_file(self.weights))
        values = published.score(network, rainy, clean, session.progress)
        tests = {self.test.name: values}
        return store.save(tasks.record_untrained(self, tests, start))


def grid(count: int = 100) -> list[Repeated]:
    """All published weights that can be had, each on so many pictures of its test set."""
    return [
        Repeated(
            model=one.model,
            weights=one.file,
            test=TestSet(one.rain, one.rain, "rain100l", count=count),
        )
        for one in PUBLISHED
    ]
