"""What a claim needs of a scale, and the records of that, as its judge reads them.

A claim states its experiments in named parts. Its judge reads these parts and nothing else, so that
what the claims state is also all that has to be computed for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rainlens.records import Record
from rainlens.scales import Scale
from rainlens.tasks import Experiment
from rainlens.tasks.survey import Survey

CATEGORIES = ("natural", "faces", "comics", "urban")
NETWORKS = ("resnet", "unet", "swinir")
SWEEPS = tuple((network, category) for network in NETWORKS for category in CATEGORIES)
TOY_SEEDS = (0, 1)  # those of chapter 3

Parts = Mapping[str, Sequence[Experiment]]
Needs = Callable[[Scale], Parts]
Sweep = dict[int, list[Record]]
Find = Callable[[str], Record | None]  # by name


# --- what claims need: the parts of a scale


def nothing(setting: Scale) -> Parts:
    """No experiment."""
    return {}


def ranges(*names: str) -> Needs:
    """Sweeps over N on natural pictures, by the range of the training rain."""
    return lambda setting: {name: setting.sweep(degradation=name) for name in names}


def categories(setting: Scale) -> Parts:
    """Coarse sweeps over N of the usual network, by category of the pictures."""
    return {name: setting.sweep(True, backgrounds=name) for name in CATEGORIES}


def networks(setting: Scale) -> Parts:
    """The same for each network, by "network, category".

    Of the usual network on natural pictures it is the whole sweep, which is trained for longer.
    """
    parts = {
        f"{model}, {name}": setting.sweep(True, model=model, backgrounds=name)
        for model, name in SWEEPS
    }
    return {**parts, "resnet, natural": setting.sweep(degradation="medium")}


def sizes(setting: Scale) -> Parts:
    """Coarse sweeps over N by size of the ResNet, from narrow to wide."""
    return {name: setting.sweep(True, options=o) for name, o in setting.sizes.items()}


def sharpness(*kinds: str) -> Needs:
    """The networks of chapter 6, one a seed, by class of sharpness."""
    return lambda setting: {
        kind: [setting.of_sharpness(kind, seed) for seed in setting.coarse_seeds] for kind in kinds
    }


def surveys(setting: Scale) -> Parts:
    """How complicated patches are, by category."""
    return {name: [Survey(backgrounds=name)] for name in CATEGORIES}


def toys(*orders: int) -> Needs:
    """Toy networks, one a seed, by order: "order1" and so on, as their matched tests are called."""
    return lambda setting: {
        f"order{order}": [setting.toy(order, seed) for seed in TOY_SEEDS] for order in orders
    }


# --- what a judge reads


class Missing(Exception):
    """Records that a judge needs are not there."""


class OutOfReach(Exception):
    """A scale has no experiments that could decide a claim; the message says which it lacks."""


class Evidence:
    """The records of the parts that a claim states; `read` holds those that its judge has read."""

    def __init__(self, parts: Parts, find: Find) -> None:
        # Names are hashes of all that an experiment says: each is made once.
        self.parts = {part: {e.name: e for e in group} for part, group in parts.items()}
        self.read: dict[str, Record] = {}
        self._find = find

    @property
    def names(self) -> list[str]:
        """What the records of all parts are called, each once."""
        return list(dict.fromkeys(name for part in self.parts.values() for name in part))

    @property
    def missing(self) -> list[str]:
        """Those that are not there."""
        return [name for name in self.names if self._find(name) is None]

    def records(self, part: str) -> list[Record]:
        """The records of a part, in its order.

        Raises Missing where one is not there, LookupError where the claim states no such part.
        """
        if part not in self.parts:
            stated = ", ".join(map(repr, self.parts)) or "nothing"
            raise LookupError(f"The claim does not state that it needs {part!r}, but {stated}.")
        found = {name: self._record(name) for name in self.parts[part]}
        self.read.update(found)
        return list(found.values())

    def sweep(self, part: str) -> Sweep:
        """The records of a part by N: N -> one record a seed. Raises as `records` does."""
        sweep: Sweep = {}
        for record in self.records(part):
            experiment = self.parts[part][record.name]
            if experiment.n is None:
                raise TypeError(f"{experiment.name} has no N; read {part!r} with `records`.")
            sweep.setdefault(experiment.n, []).append(record)
        return sweep

    def sweeps(self) -> dict[str, Sweep]:
        """All parts by N, under their names. Raises as `records` does."""
        return {part: self.sweep(part) for part in self.parts}

    def _record(self, name: str) -> Record:
        record = self._find(name)
        if record is None:
            raise Missing(name)
        return record
