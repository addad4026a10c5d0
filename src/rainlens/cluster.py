"""Experiments on a Ray cluster: `rainlens run --ray ADDRESS` (needs `rainlens[cluster]`).

The machines share no disk. The driver, where the command was typed, owns the record store. A
worker computes in a folder of its own and posts its checkpoints to a mailbox on the driver's
node; the driver collects them, so that an experiment whose worker is lost goes on elsewhere, and
one that is interrupted goes on next time, on the cluster or off it.
"""

from __future__ import annotations

import logging
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

import rainlens
from rainlens import training
from rainlens.records import RecordStore, write_whole
from rainlens.scheduling import Failure, Queue, Result, carried, compute_until, failure
from rainlens.tasks import Experiment, Session

LOSSES = 5  # of its worker, that an experiment is allowed
POST_EVERY = 1.0  # seconds between two looks at what there is to post or to collect


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """Which Ray cluster, and what one experiment takes of it.

    address: as `ray.init` takes it: `auto`, `HOST:PORT`, `ray://HOST:PORT`. threads: processor
    cores an experiment. gpus: GPUs an experiment; 0.25 lets four share one.
    """

    address: str
    threads: int = 1
    gpus: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What a worker gives back: the files of its record, or None where time was up; and the
    networks that it keeps, by training key."""

    files: dict[str, bytes] | None
    weights: dict[str, bytes] = field(default_factory=dict)


class Mailbox:
    """A Ray actor: the newest progress and checkpoint of each experiment until they are taken."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self.files: dict[str, dict[str, bytes]] = {}

    def post(self, name: str, steps: int, files: dict[str, bytes]) -> None:
        """From a worker: how far an experiment is, and the files that have changed."""
        self.steps[name] = steps
        self.files.setdefault(name, {}).update(files)

    def take(self) -> tuple[dict[str, int], dict[str, dict[str, bytes]]]:
        """For the driver: everything since the last time."""
        taken = self.steps, self.files
        self.steps, self.files = {}, {}
        return taken


def on_ray(
    missing: Sequence[Experiment],
    store: RecordStore,
    session: Session,
    cluster: Cluster,
    environment: dict[str, str],
) -> Iterator[Result]:
    """As many at a time as the cluster has room for; yields records as they come home.

    An experiment that fails, or loses its worker too often, gives a `Failure`; the others go on.

    environment: variables that workers need besides those of their node. Raises ClusterError
    where there is no such cluster, and where no node has room for an experiment.
    """
    with _connected(cluster.address, environment) as ray:
        _check_room(ray, cluster)
        desk = _Desk(ray, store, session, cluster)
        try:
            yield from desk.serve(missing)
        finally:
            desk.close()


class _Desk:
    """The driver's side: hands experiments out, and files what comes back."""

    def __init__(self, ray: Any, store: RecordStore, session: Session, cluster: Cluster) -> None:
        self.ray, self.store, self.session = ray, store, session
        self.portable, self.until = carried(session)
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self.mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
        # Losses are counted here, not by Ray, which would start an experiment from the beginning.
        self.work = ray.remote(_work).options(
            num_cpus=cluster.threads, num_gpus=cluster.gpus, max_retries=0
        )
        self.threads = cluster.threads
        self.waiting: dict[Any, Experiment] = {}
        self.lost: dict[str, int] = {}

    def serve(self, missing: Sequence[Experiment]) -> Iterator[Result]:
        """All experiments, whatever happens to those who compute them."""
        queue, steps = Queue(missing, self.store, self.session), dict[str, int]()
        total = sum(experiment.iterations for experiment in missing)
        with queue, tqdm(total=total, unit="it", smoothing=0.01) as bar:
            while not queue.is_over():
                for experiment in queue.start(self._room()):
                    self._hand_out(experiment)
                yield from queue.found()
                if not self.waiting:
                    continue
                ready, _ = self.ray.wait(list(self.waiting), timeout=POST_EVERY)
                steps.update(self._collect())
                for answered in ready:
                    experiment = self.waiting.pop(answered)
                    result = self._file(answered, experiment)
                    if result is not None:
                        steps[experiment.name] = experiment.iterations
                        yield queue.finish(experiment, result)
                    elif experiment not in self.waiting.values():  # time is up
                        queue.give_up(experiment)
                bar.update(sum(steps.values()) - bar.n)
                bar.set_description(queue.place())

    def close(self) -> None:
        """Leaves nothing running; what workers have posted by now is kept."""
        for answer in self.waiting:
            self.ray.cancel(answer, force=True)
        self._collect()
        self.ray.kill(self.mailbox)

    def _hand_out(self, experiment: Experiment) -> None:
        answer = self.work.remote(
            experiment,
            unfinished(self.store, experiment.name),
            kept(self.store, experiment),
            self.portable,
            self.until,
            self.threads,
            self.mailbox,
        )
        self.waiting[answer] = experiment

    def _collect(self) -> dict[str, int]:
        """Writes checkpoints that have come in; returns how far each experiment is."""
        steps: dict[str, int]
        steps, posted = self.ray.get(self.mailbox.take.remote())
        for files in posted.values():
            write_unfinished(self.store, files)
        return steps

    def _room(self) -> int:
        """How many more experiments the cluster can compute now."""
        cores = self.ray.cluster_resources().get("CPU", 0)
        return max(0, int(cores // self.threads) - len(self.waiting))

    def _file(self, answered: Any, experiment: Experiment) -> Result | None:
        """Writes the record that came home; None where time was up or it is handed out again."""
        errors = self.ray.exceptions
        try:
            answer = self.ray.get(answered)
        except errors.RayTaskError as error:  # the experiment itself: that would happen again
            return failure(experiment, error.cause or error)
        except errors.RayError as error:
            return self._lose(experiment, error)
        if answer.files is None:
            return None
        write_kept(self.store, answer.weights)
        self.store.put(answer.files)
        for path in _unfinished_paths(self.store, experiment.name):
            path.unlink()
        return self.store.load(experiment.name)

    def _lose(self, experiment: Experiment, error: Exception) -> Failure | None:
        self._collect()
        count = self.lost[experiment.name] = self.lost.get(experiment.name, 0) + 1
        if count > LOSSES:
            return Failure(
                experiment.name,
                f"it has lost its worker {count} times, the last time by {type(error).__name__}; "
                "look into the nodes' logs and memory, then run it again: it goes on from its "
                "checkpoint",
            )
        tqdm.write(f"{experiment.name} lost its worker and goes on from its last checkpoint.")
        self._hand_out(experiment)
        return None


def _work(
    experiment: Experiment,
    files: dict[str, bytes],
    weights: dict[str, bytes],
    session: Session,
    until: float | None,
    threads: int,
    mailbox: Any,
) -> Answer:
    """The worker's side: one experiment, in a folder of its own."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        store = RecordStore(folder)
        write_unfinished(store, files)
        write_kept(store, weights)
        postman = _Postman(store, experiment.name, mailbox)
        try:
            watched = replace(session, progress=postman.progress)
            record = compute_until(experiment, store, watched, until)
        except training.TimeUp:
            postman.post()
            return Answer(None)
        home = {path.name: path.read_bytes() for path in store.files(record)}
        path = store.trained_path(experiment.training_key)
        told = {str(path.relative_to(folder)): path.read_bytes()} if path.exists() else {}
        return Answer(home, told)


class _Postman:
    """Tells the mailbox, once a second, how far its experiment is and what it has saved."""

    def __init__(self, store: RecordStore, name: str, mailbox: Any) -> None:
        self.store, self.name, self.mailbox = store, name, mailbox
        self.steps, self.last = 0, time.monotonic()
        self.sent = self._states()

    def progress(self, steps: int) -> None:
        """After so many further steps."""
        self.steps += steps
        if time.monotonic() - self.last >= POST_EVERY:
            self.post()

    def post(self) -> None:
        """Sends what has changed, and waits until it is there."""
        import ray

        states = self._states()
        changed = {p.name: p.read_bytes() for p in states if states[p] != self.sent.get(p)}
        ray.get(self.mailbox.post.remote(self.name, self.steps, changed))
        self.sent, self.last = states, time.monotonic()

    def _states(self) -> dict[Path, int]:
        paths = _unfinished_paths(self.store, self.name)
        return {path: path.stat().st_mtime_ns for path in paths}


def unfinished(store: RecordStore, name: str) -> dict[str, bytes]:
    """What an experiment that was interrupted has left: its checkpoint and kept outputs."""
    return {path.name: path.read_bytes() for path in _unfinished_paths(store, name)}


def write_unfinished(store: RecordStore, files: dict[str, bytes]) -> None:
    """Lays the files of `unfinished` where another store looks for them."""
    for name, content in files.items():
        path = store.checkpoint_path(name).with_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def kept(store: RecordStore, experiment: Experiment) -> dict[str, bytes]:
    """The networks that a store keeps of an experiment and of those that it starts from.

    By their place in the store. Weights may also lie beside a record, which then comes along.
    """
    first = experiment.first()
    paths = [store.trained_path(e.training_key) for e in (experiment, *first)]
    for earlier in first:
        if store.weights_path(earlier.name).exists():
            paths += [store.weights_path(earlier.name), store.path(earlier.name)]
    return {str(p.relative_to(store.folder)): p.read_bytes() for p in paths if p.exists()}


def write_kept(store: RecordStore, files: dict[str, bytes]) -> None:
    """Lays what `kept` gave where another store looks for it."""
    for place, content in files.items():
        path = store.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def _unfinished_paths(store: RecordStore, name: str) -> list[Path]:
    checkpoint = store.checkpoint_path(name)
    # Files that are being written end in .tmp.
    return [p for p in sorted(checkpoint.parent.glob(f"{name}.*")) if p.suffix != ".tmp"]


@contextmanager
def _connected(address: str, environment: dict[str, str]) -> Iterator[Any]:
    """Ray, connected; the code of this checkout goes along, so that all nodes run the same."""
    try:
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise ClusterError("Ray is not installed: pip install 'rainlens[cluster]'.") from error
    package = str(Path(rainlens.__file__).parent)
    try:
        _knock(address)
        ray.init(
            address=address,
            runtime_env={"py_modules": [package], "env_vars": environment},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ClusterError(
            f"There is no Ray cluster at {address!r} ({reason}); start one with "
            "`ray start --head`, or check the address."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError at once where nobody answers; Ray itself would try for five minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=5).close()


def _check_room(ray: Any, cluster: Cluster) -> None:
    """Ray would wait for ever for a node with that much room."""
    needed = {"CPU": cluster.threads, "GPU": cluster.gpus}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(node.get(kind, 0) >= n for kind, n in needed.items()) for node in nodes):
        raise ClusterError(
            f"None of the {len(nodes)} nodes has room for an experiment: {cluster.threads} "
            f"threads and {cluster.gpus:g} GPUs are asked for; ask for less."
        )
