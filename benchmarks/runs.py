"""Measures of whole runs: sweeps, what scheduling costs, memory, the book."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from peak import peak

from rainlens import cluster, images, planning, running, scales, scheduling
from rainlens.records import Record, RecordStore
from rainlens.site import build, execution, sources, staging
from rainlens.tasks import Session
from rainlens.tasks.survey import Survey


def sweep(workers: int, each: int, count: int, iterations: int) -> dict:
    """Seconds for a sweep of ResNets 8x32 with `each` threads, the start of processes included."""
    setting = scales.SCALES["cpu"]
    grid = [
        setting.experiment(patches=8, seed=seed, iterations=iterations, backgrounds=images.EMBEDDED)
        for seed in range(count)
    ]
    grid = [replace(e, tests=(), curves=()) for e in grid]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        running.run_within(grid, RecordStore(folder), workers=workers, threads=each)
        return {"seconds": time.perf_counter() - start}


class Nothing(Survey):
    """An experiment that takes no time: what is left is the scheduling."""

    def compute(self, store: RecordStore, session: Session) -> Record:
        """An empty record."""
        return store.save(Record(self.name, {}, {}, {}))


def overhead(way: str, count: int) -> dict:
    """Seconds until the first of many empty experiments is back, and a further one."""
    grid = [Nothing(seed=seed) for seed in range(count)]
    with tempfile.TemporaryDirectory() as folder, _finished(way, grid, folder) as records:
        start, ends = time.perf_counter(), []
        for _ in records:
            ends.append(time.perf_counter())
    return {"first": ends[0] - start, "further": (ends[-1] - ends[0]) / (count - 1)}


@contextmanager
def _finished(way: str, grid: list[Survey], folder: str) -> Iterator[Iterator[Record]]:
    store = RecordStore(folder)
    if way == "here":
        yield scheduling.here(grid, store, Session(), 1)
    elif way == "processes":
        yield scheduling.in_processes(grid, store, Session(), 1, 2)
    else:
        with _two_nodes() as address:
            yield cluster.on_ray(grid, store, Session(), cluster.Cluster(address), {})


@contextmanager
def _two_nodes() -> Iterator[str]:
    import ray
    from ray.cluster_utils import Cluster as Nodes

    # Workers cannot import this file; what is written here travels whole.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    nodes = Nodes(initialize_head=True, head_node_args=dict(num_cpus=1, include_dashboard=False))
    try:
        nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        yield nodes.address
    finally:
        ray.shutdown()
        nodes.shutdown()


def memory(model: str, iterations: int, scale: str) -> dict:
    """MiB at most of one experiment of a scale, training and testing apart.

    Tested on real pictures where they are at hand, on embedded ones elsewhere.
    """
    setting = scales.SCALES[scale]
    experiment = setting.experiment(model=model, patches=512, iterations=iterations)
    if not running.can_compute(experiment):
        experiment = experiment.stand_in()
    peaks = {"growth": 0.0}

    def progress(steps: int) -> None:
        progress.done += steps
        peaks["training"] = peak()
        if progress.done == iterations // 2:
            peaks["half"] = peak()

    progress.done = 0
    with tempfile.TemporaryDirectory() as folder:
        experiment.compute(RecordStore(folder), Session(progress=progress))
    return {
        "training": peaks["training"],
        "growth": peaks["training"] - peaks["half"],
        "whole": peak(),
        "pictures": experiment.backgrounds,
    }


def plan(scale: str) -> dict:
    """What all networks of a scale would take, of machines like this one."""
    found = planning.kinds(sources.everything(scale), torch.device("cpu"))
    told = planning.table(found, (1, 8, 64))
    return {"rows": json.loads(told.to_json(orient="records"))}


def book(scale: str) -> dict:
    """Seconds to execute all chapters, from records where there are any, and to build the pages."""
    start = time.perf_counter()
    folder = staging.stage("benchmark")
    try:
        for chapter in sources.chapters():
            execution.execute(chapter, folder / "notebooks" / f"{chapter.stem}.ipynb", scale)
        executed = time.perf_counter()
        build.finish(folder, scale)
        return {"chapters": executed - start, "pages": time.perf_counter() - executed}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
