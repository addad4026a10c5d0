"""Where experiments are computed: in this process, or in several beside it.

`here` and `in_processes` take the same: which experiments, the store for their records, and when
to stop. They yield records as they are finished. `cluster.on_ray` is the third of the kind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from multiprocessing import get_context, parent_process
from threading import Thread

import torch
from tqdm.auto import tqdm

from rainlens import training
from rainlens.records import Record, RecordStore
from rainlens.tasks import Experiment, Session


def here(
    missing: Sequence[Experiment], store: RecordStore, session: Session, threads: int
) -> Iterator[Record]:
    """One after another, in their order, each with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        total = sum(experiment.iterations for experiment in missing)
        with tqdm(total=total, unit="it", smoothing=0.01) as bar:
            for index, experiment in enumerate(missing, 1):
                bar.set_description(f"{index}/{len(missing)} {experiment.name}")
                yield experiment.compute(store, replace(session, progress=bar.update))
    except training.TimeUp:
        return
    finally:
        torch.set_num_threads(before)


def in_processes(
    missing: Sequence[Experiment],
    store: RecordStore,
    session: Session,
    threads: int,
    workers: int,
) -> Iterator[Record]:
    """`workers` at a time, each in a process with so many threads."""
    portable, until = carried(session)
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(threads,)
    )
    queue, waiting = Queue(missing), dict[Future[Record], Experiment]()
    try:
        with tqdm(total=len(missing), unit="experiment") as bar:
            while True:
                for experiment in queue.ready():
                    job = pool.submit(compute_until, experiment, store, portable, until)
                    waiting[job] = experiment
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    experiment = waiting.pop(future)
                    if isinstance(future.exception(), training.TimeUp):
                        queue.give_up(experiment)
                        continue
                    yield future.result()
                    queue.finish(experiment)
                    bar.update()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Queue:
    """Experiments to hand out, each when those whose weights it can use are finished.

    The order is that of `running.in_order`: what is used comes before what uses it.
    """

    def __init__(self, missing: Sequence[Experiment]) -> None:
        self.waiting, self.running = list(missing), list[Experiment]()

    def ready(self) -> list[Experiment]:
        """Those that can start now; they count as running from here on."""
        started = []
        for experiment in list(self.waiting):
            if not self._is_held_up(experiment):
                self.waiting.remove(experiment)
                self.running.append(experiment)
                started.append(experiment)
        return started

    def finish(self, experiment: Experiment) -> None:
        """Its record is written."""
        self.running.remove(experiment)

    def give_up(self, experiment: Experiment) -> None:
        """It has no record; what would use its weights is not started either."""
        self.running.remove(experiment)
        self.waiting = [e for e in self.waiting if experiment not in e.first()]

    def _is_held_up(self, experiment: Experiment) -> bool:
        place = self.waiting.index(experiment)
        before = [*self.running, *self.waiting[:place]]
        first = experiment.first()
        return any(e in first or e.training_key == experiment.training_key for e in before)


def carried(session: Session) -> tuple[Session, float | None]:
    """A session for another process or machine, and its deadline as time.time().

    time.monotonic() may start anew there; and who watches the progress stays here.
    """
    portable = Session(fresh=session.fresh, save_every=session.save_every)
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


def _start_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    # A killed parent cannot send its workers home; they would wait for work for ever.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)
