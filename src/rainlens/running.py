"""A grid of experiments in, their records out: what is recorded is read, the rest is computed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rainlens import cluster, data, images, origin, scheduling, training
from rainlens.checkpoints import SAVE_EVERY
from rainlens.records import Record, RecordError, RecordStore
from rainlens.scales import Scale, flag
from rainlens.tasks import Experiment, Session, which_pictures

QUICK = 100  # training steps that nobody minds waiting for


class RunError(RuntimeError):
    """Some experiments cannot be computed; the message says which and why."""


@dataclass
class Outcome:
    """What `run_within` did: records in the order asked for, None where time was up.

    trained, read: how many were computed by training a network, and from one that was kept; other
    experiments train nothing. expected_seconds: how long the rest would take at the pace of the
    records there are. failures: experiments that cannot be computed, and why.
    """

    records: list[Record | None]
    trained: int = 0
    read: int = 0
    computed: int = 0
    seconds: float = 0.0
    expected_seconds: float = float("nan")
    failures: list[scheduling.Failure] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many experiments of the grid have no record yet."""
        return sum(record is None for record in self.records)

    @property
    def recorded(self) -> int:
        """How many had one before."""
        return len(self.records) - self.left - self.computed


def run(grid: Iterable[Experiment], setting: Scale, *, recompute: bool = False) -> list[Record]:
    """The records of a grid, in its order; missing ones are computed, with a progress bar.

    Raises RunError where some cannot be computed, after all others are recorded, and ValueError
    where `recompute` is neither True nor False.
    """
    recompute = flag(recompute)
    grid = with_stand_ins(list(grid), setting, recompute)
    outcome = run_within(grid, setting.store, recompute=recompute)
    if outcome.failures:
        raise RunError(failures_told(outcome.failures))
    return [record for record in outcome.records if record is not None]


def failures_told(failures: Sequence[scheduling.Failure]) -> str:
    """Which experiments could not be computed, a line each."""
    lines = [f"{failure.name}: {failure.reason}" for failure in failures]
    return "\n".join([f"{len(lines)} could not be computed; the others are recorded.", *lines])


def run_within(
    grid: Sequence[Experiment],
    store: RecordStore,
    *,
    recompute: bool = False,
    minutes: float | None = None,
    workers: int = 1,
    threads: int | None = None,
    on: cluster.Cluster | None = None,
    save_every: float = SAVE_EVERY,
) -> Outcome:
    """`run` with a time budget; what does not fit stays None.

    workers: experiments at a time; threads: of each, by default the cores shared out. on: a
    Ray cluster that computes instead of this machine. Experiments under way when time is up keep
    their checkpoint, written every `save_every` seconds, and go on from there next time. Raises
    ClusterError (`cluster.on_ray`).
    """
    start = time.monotonic()
    deadline = None if minutes is None else start + 60 * minutes
    done: dict[str, Record] = {}
    for experiment in grid:
        record = None if recompute else store.load(experiment.name)
        if record is not None:
            _check_pictures(record)
            store.clear_finished(experiment.name)
            done[experiment.name] = record
    missing = in_order([e for e in grid if e.name not in done], store, recompute)
    results: list[scheduling.Result] = []
    if missing:
        given = missing, store, Session(deadline, fresh=recompute, save_every=save_every)
        results += _compute_all(*given, workers, threads, on)
    else:
        store.clear_leftovers()  # of a run that was killed after its last record
    computed = [result for result in results if isinstance(result, Record)]
    done |= {record.name: record for record in computed}
    told = [record.provenance.get("weights") for record in computed]
    return Outcome(
        records=[done.get(e.name) for e in grid],
        trained=told.count("trained"),
        read=told.count("read"),
        computed=len({e.name for e in grid} & {record.name for record in computed}),
        seconds=time.monotonic() - start,
        expected_seconds=_expected_seconds(grid, done) / workers,
        failures=[result for result in results if isinstance(result, scheduling.Failure)],
    )


def with_stand_ins(
    grid: Sequence[Experiment], setting: Scale, recompute: bool = False
) -> list[Experiment]:
    """The grid as it is where it is recorded or computable, else its embedded stand-in, whole.

    A sweep is never mixed from two kinds of pictures. Says so in one line.
    """
    recorded = all(not recompute and setting.store.path(e.name).exists() for e in grid)
    if recorded:
        return list(grid)
    if all(can_compute(e) for e in grid):
        if told := data.on_hand_line(set[str]().union(*(e.needs() for e in grid))):
            print(told)  # pictures of one's own
        return list(grid)
    needed = set[str]().union(*(e.needs() for e in grid))
    lacking = ", ".join(sorted(name for name in needed if not images.is_available(name)))
    print(
        data.on_hand_line(needed)
        or f"Pictures: {lacking} cannot be found; the embedded photographs stand in for all."
    )
    return [e.stand_in() for e in grid]


def at_hand(grid: Sequence[Experiment], setting: Scale) -> list[Experiment]:
    """What of a grid is recorded, or can be computed here in seconds; all where nothing is.

    For chapters that show what there is of a long grid; `rainlens run` computes the rest.
    """
    store = setting.store
    recorded = {e.name for e in grid if store.path(e.name).exists()}
    if not recorded:
        return list(grid)
    return [e for e in grid if e.name in recorded or _is_quick(e, store)]


def _is_quick(experiment: Experiment, store: RecordStore) -> bool:
    """Whether neither it nor what it starts from has to be trained for long."""
    earlier = [e for e in experiment.first() if not store.can_start_from(e.name, e.training_key)]
    itself = experiment.iterations <= QUICK and can_compute(experiment)
    return itself and all(_is_quick(e, store) for e in earlier)


def _check_pictures(record: Record) -> None:
    """Raises RecordError where a record is of other pictures than those of the same name here."""
    for name, told in record.data.items():
        if images.is_available(name) and which_pictures(name) != told:
            raise RecordError(
                f"The record {record.name} was computed from other pictures than those that are "
                f"called {name} here; give yours a store of their own (RAINLENS_RECORDS), or "
                "compute it again (--recompute)."
            )


def can_compute(experiment: Experiment) -> bool:
    """Whether the pictures and rain that it needs are on this machine."""
    return all(images.is_available(name) for name in experiment.needs())


def skeleton_first(grid: Sequence[Experiment]) -> list[Experiment]:
    """The same experiments in the order in which they tell most, should time run out.

    The first seeds before the others, and of each sweep the fewest and the most backgrounds
    first, then those half-way between, and so on. So every chapter has its outline before any is
    whole.
    """
    counts = sorted({e.n for e in grid if e.n is not None})
    rank: dict[int | None, int] = {
        counts[place]: position for position, place in enumerate(_outside_in(len(counts)))
    }
    return sorted(grid, key=lambda e: (e.seed, rank.get(e.n, 0)))


def in_order(
    grid: Sequence[Experiment], store: RecordStore, recompute: bool = False
) -> list[Experiment]:
    """Each experiment once, after those whose weights it starts from or can read.

    Experiments that start from weights bring those that train them along, unless the weights are
    kept already. Of experiments that train the same network the one that looks at it most closely
    comes first; the others read its weights.
    """
    closest = sorted(grid, key=lambda e: -e.looks_while_training)
    trains = {e.training_key: e for e in reversed(closest)}  # the first of each key wins
    order: dict[str, Experiment] = {}

    def visit(experiment: Experiment) -> None:
        if experiment.name in order:
            return
        for earlier in experiment.first():
            if recompute or not store.can_start_from(earlier.name, earlier.training_key):
                visit(earlier)
        first = trains.get(experiment.training_key, experiment)
        if first != experiment:
            visit(first)
        order[experiment.name] = experiment

    for experiment in grid:
        visit(experiment)
    return list(order.values())


def _outside_in(count: int) -> list[int]:
    """0 .. count - 1: the ends, then the middle, then the middles of the halves, ..."""
    order = list(dict.fromkeys([0, count - 1])) if count else []
    gaps = [(0, count - 1)]
    for low, high in gaps:  # grows while it is read: halves come after all wholes
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return order


def _compute_all(
    missing: list[Experiment],
    store: RecordStore,
    session: Session,
    workers: int,
    threads: int | None,
    on: cluster.Cluster | None,
) -> Iterable[scheduling.Result]:
    if on is not None:
        return cluster.on_ray(missing, store, session, on, _carried())
    threads = threads or max(1, training.cores() // workers)
    if workers > 1:
        return scheduling.in_processes(missing, store, session, threads, workers)
    return scheduling.here(missing, store, session, threads)


def _carried() -> dict[str, str]:
    """What code that runs elsewhere must be told about this machine."""
    root = data.data_root()
    told = {data.VARIABLE: str(root.resolve())} if root else {}
    return {origin.COMMIT_VARIABLE: origin.commit(), **told}


def _expected_seconds(grid: Sequence[Experiment], done: dict[str, Record]) -> float:
    """For what is not done, from the seconds an iteration took in what is; nan without any."""
    left = sum(e.iterations for e in grid if e.name not in done)
    timed = [r for r in done.values() if "seconds" in r.provenance]
    seconds = sum(record.provenance["seconds"] for record in timed)
    iterations = sum(record.experiment.get("iterations", 0) for record in timed)
    return left * seconds / iterations if iterations else float("nan")
