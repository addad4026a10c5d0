"""Where experiments are computed: in this process, or in several beside it.

`here` and `in_processes` take the same: how to compute one experiment, which ones, the store for
their records, and when to stop. They yield records as they are finished. `cluster.on_ray` is the
third of the kind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Protocol

import torch
from tqdm.auto import tqdm

from rainlens import training
from rainlens.records import Record, RecordStore


class Job(Protocol):
    """What is asked of an experiment here: its name, and how long it is."""

    name: str
    iterations: int


Progress = Callable[[int], None]
# (experiment, store, deadline of time.monotonic, progress in steps) -> its record, written.
# Raises training.TimeUp at the deadline.
Compute = Callable[[Job, RecordStore, float | None, Progress], Record]


def here(
    compute: Compute,
    missing: Sequence[Job],
    store: RecordStore,
    deadline: float | None,
    threads: int,
) -> Iterator[Record]:
    """One after another, each with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        total = sum(experiment.iterations for experiment in missing)
        with tqdm(total=total, unit="it", smoothing=0.01) as bar:
            for index, experiment in enumerate(missing, 1):
                bar.set_description(f"{index}/{len(missing)} {experiment.name}")
                yield compute(experiment, store, deadline, bar.update)
    except training.TimeUp:
        return
    finally:
        torch.set_num_threads(before)


def in_processes(
    compute: Compute,
    missing: Sequence[Job],
    store: RecordStore,
    deadline: float | None,
    threads: int,
    workers: int,
) -> Iterator[Record]:
    """`workers` at a time, each in a process with so many threads."""
    # time.monotonic() may start anew in another process; wall-clock time does not.
    until = None if deadline is None else time.time() + deadline - time.monotonic()
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(threads,)
    )
    try:
        waiting: set[Future[Record]] = {
            pool.submit(compute_until, compute, experiment, store, until) for experiment in missing
        }
        with tqdm(total=len(missing), unit="experiment") as bar:
            while waiting:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ready:
                    error = future.exception()
                    if isinstance(error, training.TimeUp):
                        continue
                    yield future.result()
                    bar.update()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def compute_until(
    compute: Compute,
    experiment: Job,
    store: RecordStore,
    until: float | None,
    progress: Progress = lambda steps: None,
) -> Record:
    """`compute` with a deadline of time.time(), which all processes and machines share."""
    left = None if until is None else until - time.time()
    if left is not None and left <= 0:
        raise training.TimeUp
    return compute(experiment, store, None if left is None else time.monotonic() + left, progress)


def _start_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    # A killed parent cannot send its workers home; they would wait for work for ever.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)
