"""Where experiments are computed: in this process, or in several beside it.

`here` and `in_processes` take the same: which experiments, the store for their records, and when
to stop. They yield records as they are finished, and a `Failure` for each experiment that cannot
be computed: the others go on. `cluster.on_ray` is the third of the kind.

Several runs may work on one store: each experiment is claimed by the run that computes it; what
another run holds is left to it, waited for, and taken over if that run dies.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import torch
from tqdm.auto import tqdm

from rainlens import training
from rainlens.records import Record, RecordStore
from rainlens.tasks import Experiment, Session
from rainlens.workers import Workers

LOSSES = 3  # of its worker, that an experiment is allowed
LOOK_EVERY = 0.5  # seconds between two looks at what other runs have finished


@dataclass(frozen=True)
class Failure:
    """An experiment that could not be computed, and why in a sentence."""

    name: str
    reason: str


Result = Record | Failure


def failure(experiment: Experiment, error: BaseException) -> Failure:
    """What to tell of an error."""
    told = " ".join(str(error).split())
    return Failure(experiment.name, told or type(error).__name__)


def here(
    missing: Sequence[Experiment], store: RecordStore, session: Session, threads: int
) -> Iterator[Result]:
    """One after another, in their order, each with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    queue = Queue(missing, store, session)
    total = sum(experiment.iterations for experiment in missing)
    try:
        with queue, tqdm(total=total, unit="it", smoothing=0.01) as bar:
            while not queue.is_over():
                for experiment in queue.start(1):
                    bar.set_description(f"{queue.place()} {experiment.name}")
                    watched = replace(session, progress=bar.update)
                    yield queue.finish(experiment, _result(experiment, store, watched))
                yield from queue.found()
    except training.TimeUp:
        return
    finally:
        torch.set_num_threads(before)


def _result(experiment: Experiment, store: RecordStore, session: Session) -> Result:
    try:
        return experiment.compute(store, session)
    except training.TimeUp:
        raise
    except Exception as error:  # whatever it is, the others go on
        return failure(experiment, error)


def in_processes(
    missing: Sequence[Experiment],
    store: RecordStore,
    session: Session,
    threads: int,
    workers: int,
) -> Iterator[Result]:
    """`workers` at a time, each in a process with so many threads."""
    portable, until = carried(session)
    queue, losses = Queue(missing, store, session), dict[str, int]()
    with (
        queue,
        Workers(workers, threads, compute_until) as crew,
        tqdm(total=len(missing), unit="exp") as bar,
    ):
        while not queue.is_over():
            for experiment in queue.start(crew.idle):
                crew.hand_out(experiment, store, portable, until)
            for experiment, result in crew.finished(LOOK_EVERY):
                if isinstance(result, training.TimeUp):
                    queue.give_up(experiment)
                    continue
                if result is None:  # its worker was killed
                    losses[experiment.name] = losses.get(experiment.name, 0) + 1
                    if losses[experiment.name] < LOSSES:
                        tqdm.write(f"{experiment.name} lost its worker and goes on from there.")
                        crew.hand_out(experiment, store, portable, until)
                        continue
                    result = RuntimeError(f"its worker was killed {LOSSES} times")
                if isinstance(result, BaseException):
                    result = failure(experiment, result)
                yield queue.finish(experiment, result)
                bar.update()
            yield from queue.found()


class Queue:
    """Experiments to hand out, each claimed, when those whose weights it can use are finished.

    The order is that of `running.in_order`: what is used comes before what uses it.
    """

    def __init__(self, missing: Sequence[Experiment], store: RecordStore, session: Session) -> None:
        self.waiting, self.running = list(missing), dict[str, ExitStack]()
        self.store, self.session, self.count = store, session, len(missing)
        self.keys: dict[str, Experiment] = {}  # of what is running
        self._found: list[Result] = []
        self._stuck = False  # whether others hold all that could start

    def __enter__(self) -> Queue:
        self.store.clear_leftovers()
        return self

    def __exit__(self, *reason: object) -> None:
        for claimed in self.running.values():
            claimed.close()

    def is_over(self) -> bool:
        """Whether nothing is left to do, or time is up and other runs hold the rest."""
        if self.running or self._found:
            return False
        deadline = self.session.deadline
        late = deadline is not None and time.monotonic() >= deadline
        return not self.waiting or (self._stuck and late)

    def start(self, most: int) -> list[Experiment]:
        """At most so many that can start now; they count as running from here on."""
        started: list[Experiment] = []
        held_up = 0
        for experiment in list(self.waiting):
            if len(started) == most:
                break
            if self._is_held_up(experiment):
                continue
            claimed = ExitStack()
            if not claimed.enter_context(self.store.claim(experiment.name)):
                claimed.close()
                held_up += 1
                continue
            self.waiting.remove(experiment)
            self.store.clear_finished(experiment.name)
            record = self._by_others(experiment)
            if record is not None:
                claimed.close()
                self._found.append(record)
                continue
            self.running[experiment.name], self.keys[experiment.name] = claimed, experiment
            started.append(experiment)
        self._stuck = held_up > 0 and not (started or self.running or self._found)
        if self._stuck:
            time.sleep(LOOK_EVERY)
        return started

    def found(self) -> list[Result]:
        """Records that other runs have finished meanwhile."""
        found, self._found = self._found, []
        return found

    def place(self) -> str:
        """Which one is being computed, of how many."""
        return f"{self.count - len(self.waiting)}/{self.count}"

    def finish(self, experiment: Experiment, result: Result) -> Result:
        """It is computed, or cannot be; then what starts from its weights is not started."""
        self._release(experiment)
        if isinstance(result, Failure):
            for later in [e for e in self.waiting if experiment in e.first()]:
                self.waiting.remove(later)
                reason = f"{experiment.name}, from whose weights it starts, failed"
                self._found.append(Failure(later.name, reason))
        return result

    def give_up(self, experiment: Experiment) -> None:
        """Time is up: it has no record, and nothing else is started."""
        self._release(experiment)
        self.waiting = []

    def _release(self, experiment: Experiment) -> None:
        self.running.pop(experiment.name).close()
        del self.keys[experiment.name]

    def _by_others(self, experiment: Experiment) -> Record | None:
        """Its record, if another run has written it since this one began.

        Not where others here start from its weights, and these are not kept.
        """
        path = self.store.path(experiment.name)
        if any(experiment in later.first() for later in self.waiting):
            if not self.store.can_start_from(experiment.name, experiment.training_key):
                return None
        if self.session.fresh and not (
            path.exists() and path.stat().st_mtime >= self.session.began
        ):
            return None
        return self.store.load(experiment.name)

    def _is_held_up(self, experiment: Experiment) -> bool:
        before = [*self.keys.values(), *self.waiting[: self.waiting.index(experiment)]]
        first = experiment.first()
        return any(e in first or e.training_key == experiment.training_key for e in before)


def carried(session: Session) -> tuple[Session, float | None]:
    """A session for another process or machine, and its deadline as time.time().

    time.monotonic() may start anew there; and who watches the progress stays here.
    """
    portable = Session(fresh=session.fresh, save_every=session.save_every, began=session.began)
    if session.deadline is None:
        return portable, None
    return portable, time.time() + session.deadline - time.monotonic()


def compute_until(
    experiment: Experiment, store: RecordStore, session: Session, until: float | None
) -> Record:
    """Computes an experiment with a deadline of time.time(), that of `carried`."""
    if until is None:
        return experiment.compute(store, session)
    left = until - time.time()
    if left <= 0:
        raise training.TimeUp
    return experiment.compute(store, replace(session, deadline=time.monotonic() + left))
