"""Processes that compute experiments beside this one, and may die without taking it along."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

import torch


@dataclass
class _Worker:
    process: BaseProcess
    line: Connection
    job: Any = None


class Workers:
    """So many processes with so many threads each, that call `function(job, *given)`.

    As a context they are ended at once when it is left, whatever they do: what they compute is
    kept in checkpoints.
    """

    def __init__(self, count: int, threads: int, function: Callable[..., Any]) -> None:
        self.count, self.threads, self.function = count, threads, function
        self.crew: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *reason: object) -> None:
        for worker in self.crew:
            worker.process.kill()
        for worker in self.crew:
            worker.process.join()
            worker.line.close()

    @property
    def idle(self) -> int:
        """How many jobs can be handed out now."""
        return self.count - sum(worker.job is not None for worker in self.crew)

    def hand_out(self, job: Any, *given: Any) -> None:
        """Has an idle worker compute a job; one is started if there is none."""
        for worker in [w for w in self.crew if w.job is None]:
            if worker.process.is_alive():
                break
            self._bury(worker)
        else:
            worker = self._start()
        worker.job = job
        with suppress(OSError):  # it died just now: `finished` will notice
            worker.line.send((job, *given))

    def finished(self, seconds: float) -> Iterator[tuple[Any, Any]]:
        """Waits so long at most for jobs to be finished; gives each with its result.

        The result is what the function gave, the exception that it raised, or None where the
        worker was killed.
        """
        busy = {w.line: w for w in self.crew if w.job is not None}
        for line in wait(list(busy), timeout=seconds) if busy else []:
            worker = busy[line]  # type: ignore[index]
            job, worker.job = worker.job, None
            try:
                result = worker.line.recv()
            except (EOFError, OSError):  # the line is closed: it is dead
                self._bury(worker)
                result = None
            yield job, result

    def _start(self) -> _Worker:
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(
            target=_serve, args=(theirs, self.threads, self.function), daemon=True
        )
        process.start()
        theirs.close()  # so that the line closes when the worker dies
        worker = _Worker(process, ours)
        self.crew.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.line.close()
        self.crew.remove(worker)


def _serve(line: Connection, threads: int, function: Callable[..., Any]) -> None:
    """The worker's side: jobs come in, results go out."""
    # Ctrl-C reaches all processes of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    # A killed parent cannot send its workers home; they would wait for work for ever.
    Thread(target=_end_with_parent, daemon=True).start()
    while True:
        job, *given = line.recv()
        try:
            result = function(job, *given)
        except Exception as error:
            result = _portable(error)
        line.send(result)


def _portable(error: Exception) -> Exception:
    """The error itself if it can travel, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
