"""Audits as records: the cards of published networks, of the book's own, and of filters.

Chapter 13 shows them, and a card of one's own names the one that it is nearest to.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rainlens import tasks
from rainlens.audit import inputs as made
from rainlens.audit import networks, scores
from rainlens.audit.inputs import CROP, LIMIT, Inputs, Kind
from rainlens.audit.networks import Wiring
from rainlens.audit.scores import Scored
from rainlens.evaluation import RAIN100
from rainlens.records import Record, RecordStore
from rainlens.tasks import Session, subject
from rainlens.tasks.restore import Restore
from rainlens.tasks.subject import Subject
from rainlens.tasks.untrained import FILTERS

MAP = "map"  # the test set of a record that holds the cells of the maps
SHOWN = ("streaks", "large")  # kinds of rain whose outputs are kept
KEPT = 2  # pictures of each
# How much of an audit's measures count when two networks are compared.
COMPARED = ("rejection", "damage")


@dataclass(frozen=True, kw_only=True)
class Audited(Subject):
    """One network, audited on the pictures of the package and, where at hand, Rain100.

    limit, crop, inputs_seed: as in `inputs.make`. sets: of Rain100's.
    """

    task: ClassVar[str] = "audit"

    limit: int = LIMIT
    crop: int = CROP
    inputs_seed: int = 0
    sets: tuple[str, ...] = RAIN100

    def needs(self) -> set[str]:
        """Rain100, and what the network takes."""
        return {*self.sets, *super().needs()}

    def stand_in(self) -> Self:
        """The same without Rain100."""
        return replace(super().stand_in(), sets=())

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Runs the network on all pictures, scores them; a minute, so no deadline is looked at."""
        start = time.monotonic()
        inputs = made.make(limit=self.limit, crop=self.crop, seed=self.inputs_seed, sets=self.sets)
        network = self.network(store)
        found = networks.outputs(network, inputs.pictures(), Wiring())
        tests: dict[str, Any] = {
            one.kind.name: {name: list(values) for name, values in one.measures.items()}
            for one in scores.score(inputs, found)
        }
        cells = scores.kept_out(inputs, found)
        tests[MAP] = {name: [value] for name, value in cells.items()}
        tests["inputs"] = {"digest": digits(inputs)}
        kept = {
            kind.name: [found[name] for name in kind.names()[:KEPT]]
            for kind in inputs.kinds
            if kind.name in SHOWN
        }
        return store.save(tasks.record_untrained(self, tests, start), kept)


def of_published(**fields: Any) -> list[Audited]:
    """The published weights that can be had, each to be audited; fields: further ones."""
    return [Audited(**told, **fields) for told in subject.all_published()]


def of_filter(name: str, **fields: Any) -> Audited:
    """A filter of `tasks.untrained.FILTERS`, to be audited."""
    model, options = FILTERS[name]
    return Audited(title=name, model=model, options=options, **fields)


def of_own(network: Restore, **fields: Any) -> Audited:
    """A network of the book, to be audited."""
    return Audited(**subject.of_own(network), **fields)


def digits(inputs: Inputs) -> list[float]:
    """The digest of the inputs as numbers of at most seven digits, which a record holds exactly."""
    digest = inputs.digest()
    return [float(int(digest[at : at + 5], 16)) for at in range(0, 30, 5)]


def scored(record: Record) -> list[Scored]:
    """The scores in a record, without its pictures."""
    found = []
    for name, measures in record.tests.items():
        if name in (MAP, "inputs"):
            continue
        values = {
            measure: tuple(float("nan") if v is None else v for v in column)
            for measure, column in measures.items()
        }
        estimates = {measure: scores.mean(column) for measure, column in values.items()}
        kind = Kind(name, made.TITLES[name], (), (), ("",) * len(values["rejection"]))
        found.append(Scored(kind, scores.word_for(estimates), values, estimates))
    return found


def cells(record: Record) -> dict[str, float]:
    """The rejection in each cell of the maps."""
    return {
        name: float("nan") if values[0] is None else values[0]
        for name, values in record.tests[MAP].items()
    }


@dataclass(frozen=True)
class Nearest:
    """The recorded network that a card is nearest to.

    distance: between the two, see `nearest`. sentence: what that one does, as its card says.
    """

    title: str
    distance: float
    sentence: str


def nearest(
    card: Sequence[Scored], inputs: Inputs, store: RecordStore, without: str = ""
) -> Nearest | None:
    """Of the recorded audits on the same pictures, that whose scores differ least.

    The distance is the mean over kinds of rain of the difference in the rain that is gone, plus the
    difference in damage to pictures without rain, in units of `scores.RUINED`. None where no audit
    of these pictures is recorded. without: the title of one that is not compared.
    """
    told, found = digits(inputs), list[Nearest]()
    for path in store.folder.glob(f"{Audited.task}-*.json"):
        record = store.load(path.stem)
        if record is None or record.experiment["title"] == without:
            continue
        if list(record.tests["inputs"]["digest"]) != told:
            continue
        theirs = {one.kind.name: one for one in scored(record)}
        distance = _distance({one.kind.name: one for one in card}, theirs)
        sentence = scores.sentence(list(theirs.values()))
        found.append(Nearest(record.experiment["title"], distance, sentence))
    return min(found, key=lambda one: one.distance, default=None)


def _distance(ours: Mapping[str, Scored], theirs: Mapping[str, Scored]) -> float:
    both = [name for name in ours if name in theirs]
    gaps = {
        measure: [
            abs(ours[name].estimates[measure].value - theirs[name].estimates[measure].value)
            for name in both
        ]
        for measure in COMPARED
    }
    return float(np.mean(gaps["rejection"]) + np.mean(gaps["damage"]) / scores.RUINED)
