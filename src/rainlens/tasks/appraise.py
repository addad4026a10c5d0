"""What measures of picture quality say of a network's outputs, beside what became of the rain."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch

from rainlens import evaluation, images, quality, tasks
from rainlens.degradations import STREAKS
from rainlens.evaluation import RAINS, TestSet
from rainlens.quality import MEASURES
from rainlens.records import Record, RecordStore
from rainlens.tasks import Experiment, Session
from rainlens.tasks.judge import Judge, trained
from rainlens.tasks.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Appraised(Subject):
    """One network's outputs on a test set, by measures of quality.

    measures: names in `quality.MEASURES`, of outputs in 8 bits. judge: the judge of rain whose
    score of each output is taken, too; None for none. The record's test also holds all measures of
    the degradation, and those of quality of the untouched input under `input_...`.
    """

    task: ClassVar[str] = "quality"

    test: TestSet
    measures: tuple[str, ...] = tuple(MEASURES)
    judge: Judge | None = None

    @property
    def readable(self) -> str:
        """Which network, on which degradation."""
        return f"{super().readable}-on-{self.test.degradation}"

    def first(self) -> tuple[Experiment, ...]:
        """The network's training, and the judge's."""
        return (*super().first(), *([self.judge] if self.judge else []))

    def needs(self) -> set[str]:
        """The test pictures, the files of the measures, and what network and judge take."""
        judge = self.judge.needs() if self.judge else set()
        files = {"weights"} if any(MEASURES[name].files for name in self.measures) else set()
        return {*evaluation.sets_of([self.test]), *judge, *files, *super().needs()}

    def stand_in(self) -> Self:
        """The same on embedded photographs, with the measures that need no files."""
        unseen = STREAKS if self.test.degradation in RAINS else self.test.degradation
        test = TestSet(self.test.name, unseen, images.EMBEDDED, count=2, crop=192)
        judge = self.judge.stand_in() if self.judge else None
        return replace(super().stand_in(), test=test, judge=judge, measures=("psnr", "ssim"))

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Runs the network and measures; some minutes, so no deadline is looked at."""
        start = time.monotonic()
        degraded, clean = evaluation.load(self.test)
        measures = evaluation.measures_of(self.test)
        found, outputs = evaluation.evaluate(self.network(store), degraded, clean, measures)
        judge = trained(self.judge, store) if self.judge else None
        columns = {name: values for name, values in found.items() if name not in MEASURES}
        columns = {name: v for name, v in columns.items() if not name.startswith("input_")}
        for before, truth, output in zip(degraded, clean, outputs, strict=True):
            # As a file holds them: a measure of quality sees pictures of 8 bits.
            pair = images.to_bytes(output), before
            for prefix, picture in zip(("", "input_"), pair, strict=True):
                for name, value in self._measured(picture, truth, judge).items():
                    columns.setdefault(prefix + name, []).append(value)
            session.progress(1)
        tests: dict[str, Any] = {self.test.name: columns}
        return store.save(tasks.record_untrained(self, tests, start))

    def _measured(
        self, picture: torch.Tensor, truth: torch.Tensor, judge: torch.nn.Module | None
    ) -> dict[str, float]:
        unit, clean = images.to_unit(picture)[None], images.to_unit(truth)[None]
        scores = quality.score(unit, clean, list(self.measures))
        values = {name: value.item() for name, value in scores.items()}
        if judge is not None:
            with torch.inference_mode():
                values["judge"] = judge(unit).item()
        return values
