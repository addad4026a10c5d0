"""Kinds of experiments, a file each: what it is, what it trains, what it measures.

An experiment is a frozen value that says everything that decides its record, and that can compute
it. Whoever runs experiments (`running`, `scheduling`, `cluster`, `planning`) knows no more of them
than the protocols below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, Protocol, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from rainlens import data, images, origin, training
from rainlens.checkpoints import SAVE_EVERY, Checkpoint
from rainlens.records import (
    Record,
    RecordError,
    RecordStore,
    Series,
    Trained,
    described,
    key_of,
    training_key_of,
)
from rainlens.training import Curves

AGAIN = "compute the record again with `rainlens run CHAPTER --recompute`"


def _ignore(steps: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Session:
    """How an experiment is computed this time; nothing here changes what comes out.

    deadline: of time.monotonic; what is not finished then raises training.TimeUp and goes on from
    its checkpoint next time. progress: told of so many further steps. fresh: trains although
    weights of an earlier run are there. save_every: seconds between two checkpoints. began: of
    time.time(), when the run began of which this is a part.
    """

    deadline: float | None = None
    progress: Callable[[int], object] = _ignore
    fresh: bool = False
    save_every: float = SAVE_EVERY
    began: float = field(default_factory=time.time)


class Experiment(Protocol):
    """What can be run. Implemented by frozen dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def task(self) -> str:
        """The kind, as records name it."""
        ...

    @property
    def seed(self) -> int:
        """Of all that is random."""
        ...

    @property
    def iterations(self) -> int:
        """Training steps; 0 where nothing is trained."""
        ...

    @property
    def name(self) -> str:
        """Of the record: readable, and unique through the key."""
        ...

    @property
    def key(self) -> str:
        """A hash of everything that decides the record."""
        ...

    @property
    def training_key(self) -> str:
        """A hash of everything that decides the weights, and no more."""
        ...

    @property
    def n(self) -> int | None:
        """The number of backgrounds where it is a point of a sweep."""
        ...

    @property
    def looks_while_training(self) -> int:
        """How much is measured along the way, so that others who want less read its weights."""
        ...

    def needs(self) -> set[str]:
        """The sets of pictures, rain and weights that must be on this machine (`data`)."""
        ...

    def first(self) -> tuple[Experiment, ...]:
        """Experiments whose trained weights it starts from: they are computed before it."""
        ...

    def stand_in(self) -> Self:
        """The same on what comes with the package, which needs no download."""
        ...

    def compute(self, store: RecordStore, session: Session) -> Record:
        """Trains, measures, and writes the record. Raises training.TimeUp at the deadline."""
        ...


class Training(Experiment, Protocol):
    """An experiment that trains a network."""

    @property
    def about(self) -> str:
        """The network in words."""
        ...

    @property
    def batch(self) -> int:
        """Examples a step."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example, without the batch."""
        ...

    def fresh_model(self) -> nn.Module:
        """The untrained network, on the processor."""
        ...

    def fit(self, model: nn.Module, measure: training.Measure, **options: Any) -> Curves:
        """Trains a network as the experiment says; `options` are those of `training.fit`."""
        ...

    def alike(self) -> Self:
        """Equal for all experiments whose steps take equally long; needs no download."""
        ...


class Value:
    """What experiments have in common unless they say otherwise: names, and that they need nothing.

    task: the kind, as records name it. looks: fields that decide the record, but not the trained
    weights.
    """

    task: ClassVar[str]
    looks: ClassVar[tuple[str, ...]] = ()
    seed: int

    @property
    def key(self) -> str:
        """Ten hexadecimal digits of a hash of everything, engine version included."""
        return key_of(self.task, described(self))

    @property
    def training_key(self) -> str:
        """The same of all that decides the trained weights, and of nothing else."""
        deciding = {k: v for k, v in described(self).items() if k not in self.looks}
        return training_key_of(self.task, deciding)

    @property
    def readable(self) -> str:
        """The middle of the name: what tells it from its neighbours."""
        return f"s{self.seed}"

    @property
    def name(self) -> str:
        """What its record is called: readable, and unique through the key."""
        return f"{self.task}-{self.readable}-{self.key}"

    @property
    def n(self) -> int | None:
        """It is no point of a sweep."""
        return None

    @property
    def looks_while_training(self) -> int:
        """Nothing is measured along the way that others could want."""
        return 0

    def needs(self) -> set[str]:
        """No pictures."""
        return set()

    def first(self) -> tuple[Experiment, ...]:
        """It starts from nothing."""
        return ()

    def stand_in(self) -> Self:
        """Itself."""
        return self


class Learning(Value):
    """What experiments have in common that make one objective smaller, by Adam with cosine rate."""

    iterations: int
    learning_rate: float
    warmup: int | None
    measure_every: int

    def objective(self, model: nn.Module) -> training.Objective:
        """What training makes smaller."""
        raise NotImplementedError

    def fit(self, model: nn.Module, measure: training.Measure, **options: Any) -> Curves:
        """Trains a network as the experiment says; `options` are those of `training.fit`."""
        return training.fit(model, self.updates(model), measure, **options)

    def updates(self, model: nn.Module) -> list[training.Update]:
        """What happens in a step: all parameters follow the objective."""
        return [training.Update(list(model.parameters()), self.schedule, self.objective(model))]

    @property
    def schedule(self) -> training.Schedule:
        """How long and how fast it learns."""
        return training.Schedule(
            self.iterations,
            self.learning_rate,
            measure_every=self.measure_every,
            warmup=self.warmup or 0,
        )


@dataclass(frozen=True)
class Network:
    """A trained network and how it came about: `how` is "trained" or "read"."""

    model: nn.Module
    curves: Series
    how: str
    provenance: dict[str, Any]


def network(
    experiment: Training,
    store: RecordStore,
    session: Session,
    measure: training.Measure,
    usable: Callable[[Trained], Series | None] = lambda kept: kept.curves,
    begin: Callable[[nn.Module], object] = lambda model: None,
    **options: Any,
) -> Network:
    """The network of an experiment: its kept weights where there are any, else trained and kept.

    measure: points of the curves. usable(kept) gives the curves of an earlier training as this
    experiment would have them, or None where they tell too little, so that it is trained again.
    begin(model): what happens to the fresh network before it is trained. options: further ones of
    `training.fit`.
    """
    device = training.device()
    model = experiment.fresh_model().to(device).to(memory_format=torch.channels_last)
    used, begun = pictures(experiment), _weights_of_first(experiment, store)
    kept = None if session.fresh else store.trained(experiment.training_key)
    same = kept is not None and _is_of(kept, used) and kept.about.get("first", {}) == begun
    known = usable(kept) if kept is not None and same else None
    if kept is not None and known is not None:
        model.load_state_dict(kept.weights)
        told = {"weights": "read", "training": kept.about["provenance"]}
        return Network(model.eval(), known, "read", {**origin.where(device), **told})
    begin(model)
    checkpoint = Checkpoint(
        store.checkpoint_path(experiment.name),
        session.save_every,
        owner={"experiment": experiment.name, "data": used, **({"first": begun} if begun else {})},
        leg=origin.where(device),
    )
    curves = experiment.fit(
        model,
        measure,
        checkpoint=checkpoint,
        deadline=session.deadline,
        progress=session.progress,
        **options,
    )
    provenance = _provenance([*checkpoint.legs, checkpoint.this_leg()])
    about = {"experiment": described(experiment), "provenance": provenance, "data": used}
    about |= {"first": begun} if begun else {}
    store.keep_trained(experiment.training_key, Trained(model.state_dict(), curves, about))
    return Network(model, curves, "trained", {**provenance, "weights": "trained"})


def where_equal(experiment: Experiment, *names: str) -> Callable[[Trained], Series | None]:
    """Says of an earlier training what its curves are, where these fields of it are the same."""

    def curves(kept: Trained) -> Series | None:
        theirs, ours = kept.about["experiment"], described(experiment)
        return kept.curves if all(theirs[name] == ours[name] for name in names) else None

    return curves


def _weights_of_first(experiment: Experiment, store: RecordStore) -> dict[str, dict[str, str]]:
    """Checksums of the weights that an experiment starts from, where they belong to a record.

    They may have been computed anew since it was interrupted, or since its network was kept.
    """
    records = [store.load(earlier.name) for earlier in experiment.first()]
    return {record.name: record.sums for record in records if record is not None and record.sums}


def pictures(experiment: Experiment) -> dict[str, str]:
    """Set -> which pictures it consists of, of all sets that an experiment uses.

    "registered" for those whose originals the registry lists, one by one; a digest of the files
    for others (`images.digest`), since anyone may have a folder of that name.
    """
    return {name: which_pictures(name) for name in sorted(experiment.needs())}


def which_pictures(name: str) -> str:
    """Which pictures a set consists of on this machine. Raises PictureError where it is not."""
    if name in data.SETS and data.state(name).kind == "registered":
        return "registered"
    return images.digest(name)


def _provenance(legs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Where a training was computed: the last leg, all legs' seconds, and what differed."""
    told = {**legs[-1], "seconds": round(sum(leg["seconds"] for leg in legs), 3)}
    if len(legs) == 1:
        return told
    for name in ("threads", "torch", "device", "commit"):
        values = list(dict.fromkeys(leg[name] for leg in legs))
        if len(values) > 1:  # the numbers may depend on it
            told[name] = ", then ".join(map(str, values))
    return {**told, "legs": list(legs)}


def _is_of(kept: Trained, used: Mapping[str, str]) -> bool:
    """Whether a network was trained, and measured on the way, with the pictures that are here.

    Sets that only one of the two uses do not matter: a further test set trains nothing.
    """
    theirs = kept.about.get("data", {})
    return all(used[name] == told for name, told in theirs.items() if name in used)


def record_of(
    experiment: Experiment, found: Network, tests: Mapping[str, Mapping[str, Any]]
) -> Record:
    """What an experiment on a network showed, to be saved."""
    return Record(
        experiment.name,
        described(experiment),
        found.curves,
        tests,
        provenance=found.provenance,
        data=pictures(experiment),
    )


def record_untrained(
    experiment: Experiment, tests: Mapping[str, Mapping[str, Any]], start: float
) -> Record:
    """What an experiment showed that trains nothing; start: `time.monotonic()` at its beginning."""
    where = origin.where(torch.device("cpu"))
    provenance = {**where, "seconds": round(time.monotonic() - start, 1)}
    of_pictures = pictures(experiment)
    return Record(
        experiment.name, described(experiment), {}, tests, provenance=provenance, data=of_pictures
    )


def halved(weights: Mapping[str, Tensor] | None) -> dict[str, Tensor] | None:
    """Weights to be handed on, in half precision: its steps are far below a grey level."""
    if weights is None:
        return None
    return {
        name: value.half() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def weights_beside(name: str, store: RecordStore) -> dict[str, Tensor]:
    """The weights that lie beside the record of a name, verified, in float32.

    Raises RecordError where they are missing or damaged.
    """
    path, record = store.weights_path(name), store.load(name)
    if not path.exists():
        raise RecordError(f"{path} is not there; {AGAIN}.")
    if record is not None:
        store.verify(record, path.name)
    try:
        return {n: v.float() if v.is_floating_point() else v for n, v in load_file(path).items()}
    except SafetensorError as error:
        raise RecordError(f"{path} does not hold this network's weights; {AGAIN}.") from error


def load_beside(
    model: nn.Module, name: str, store: RecordStore, frozen: Mapping[str, Tensor] | None = None
) -> None:
    """Gives a network the weights that lie beside its record, which has that name.

    frozen: weights that are not written there, as they were not trained. Raises RecordError where
    they are missing, damaged, or not those of this network.
    """
    try:
        model.load_state_dict({**(frozen or {}), **weights_beside(name, store)})
    except RuntimeError as error:
        if isinstance(error, RecordError):
            raise
        path = store.weights_path(name)
        raise RecordError(f"{path} does not hold this network's weights; {AGAIN}.") from error


def finish(store: RecordStore, experiment: Experiment) -> None:
    """Once the record is written, nothing unfinished is left of it."""
    store.checkpoint_path(experiment.name).unlink(missing_ok=True)
