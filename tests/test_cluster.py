"""A sweep on a real Ray cluster of two nodes on this machine, one of which is killed."""

import _thread
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
import torch
from test_experiments import KILLS, wait_until

from rainlens import cluster, scales
from rainlens.cluster import Cluster, ClusterError
from rainlens.evaluation import TestSet
from rainlens.records import RecordStore
from rainlens.tasks import Session
from rainlens.tasks.restore import Restore

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'rainlens[cluster]'")
SMOKE = replace(scales.scale_named("smoke"), test_count=2)
OFTEN, EACH_STEP = Session(save_every=0.5), Session(save_every=0)
# Workers cannot import the tests: what is written here travels whole.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


@dataclass(frozen=True, kw_only=True)
class ForAStep(Restore):
    """Time is up when its worker begins: one step is done."""

    def compute(self, store, session):
        return Restore.compute(self, store, replace(session, deadline=time.monotonic()))


@dataclass(frozen=True, kw_only=True)
class Halfway(Restore):
    """Waits, half done, until the file `gate` is there; meanwhile its checkpoint goes home."""

    gate: str

    def compute(self, store, session):
        done = 0

        def progress(steps: int) -> None:
            nonlocal done
            done += steps
            session.progress(steps)
            until = time.monotonic() + 300
            while done == self.iterations // 2 and not Path(self.gate).exists():
                assert time.monotonic() < until, "nobody opened the gate"
                time.sleep(0.1)
                session.progress(0)

        return Restore.compute(self, store, replace(session, progress=progress))


def as_kind(kind: type[Restore], experiment: Restore, **more: str) -> Restore:
    return kind(**{f.name: getattr(experiment, f.name) for f in fields(Restore)}, **more)


def sweep(count: int, iterations: int) -> list[Restore]:
    fields = dict(patches=8, iterations=iterations, measure_every=100)
    return [SMOKE.experiment(seed=seed, **fields) for seed in range(count)]


def state_of(path: Path) -> dict:
    """What a checkpoint holds below its first line."""
    content = path.read_bytes().partition(b"\n")[2]
    return torch.load(io.BytesIO(content), weights_only=True)


@pytest.fixture(scope="module")
def two_nodes() -> Iterator:
    """Two nodes with a core each."""
    from ray.cluster_utils import Cluster as Nodes

    room = dict(num_cpus=1, object_store_memory=80 * 2**20)
    # Ray's workers would step back for everything else that this machine computes.
    head = dict(include_dashboard=False, _system_config={"worker_niceness": 0})
    nodes = Nodes(initialize_head=True, head_node_args=head | room)
    nodes.room, nodes.second = room, nodes.add_node(**room)
    nodes.wait_for_nodes()
    yield nodes
    nodes.shutdown()


@pytest.fixture
def nodes(two_nodes) -> Iterator:
    """Both nodes; what a test has asked of Ray ends with it, and a node that it killed is back."""
    yield two_nodes
    ray.shutdown()
    if two_nodes.second not in two_nodes.list_all_nodes():
        two_nodes.second = two_nodes.add_node(**two_nodes.room)
        two_nodes.wait_for_nodes()


def when(condition: Callable[[], bool], act: Callable[[], None]) -> Thread:
    """Acts, in a thread, as soon as the condition holds."""

    def watch() -> None:
        while not condition():
            time.sleep(0.1)
        act()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_killed_node_changes_nothing(nodes, tmp_path: Path, capsys, monkeypatch) -> None:
    gate = tmp_path / "gate"
    grid = [as_kind(Halfway, e, gate=str(gate)) for e in sweep(3, 40)]
    home, alone = RecordStore(tmp_path / "home"), RecordStore(tmp_path / "alone")
    both = [home.checkpoint_path(e.name) for e in grid[:2]]
    lose = cluster._Desk._lose

    def lose_and_go_on(*given: object) -> object:
        gate.touch()
        return lose(*given)

    # Neither is finished before the loss is known, however fast this machine is.
    monkeypatch.setattr(cluster._Desk, "_lose", lose_and_go_on)
    kill = partial(nodes.remove_node, nodes.second, allow_graceful=False)
    killer = when(lambda: all(path.exists() for path in both), kill)
    found = list(cluster.on_ray(grid, home, EACH_STEP, Cluster(nodes.address), {}))
    killer.join(timeout=1)
    assert not killer.is_alive()
    assert "goes on from its last checkpoint" in capsys.readouterr().out
    assert {record.name for record in found} == {e.name for e in grid}
    assert ["legs" in record.provenance for record in found].count(True) == 1
    torch.set_num_threads(1)
    for experiment in grid:
        undisturbed = experiment.compute(alone, Session())
        assert home.load(experiment.name).results == undisturbed.results
    left = [path for path in home.folder.rglob("*") if ".unfinished" in path.parts]
    assert [path for path in left if path.is_file()] == []


@pytest.mark.skipif(KILLS < 20, reason="an evening's trial: RAINLENS_KILLS=70")
def test_sigkills_of_workers_on_two_nodes(nodes, tmp_path: Path) -> None:
    moments = random.Random(2)
    grid = sweep(4, 200)
    alone = RecordStore(tmp_path / "alone")
    torch.set_num_threads(1)
    expected = {e.name: e.compute(alone, Session()).results for e in grid}
    kills = tours = 0
    over = Event()

    def killer() -> None:
        nonlocal kills
        while not over.wait(moments.uniform(2, 6)) and kills < KILLS:
            workers = [pid for pid in map(int, _numbers()) if _is_at_work(pid)]
            if workers:
                os.kill(moments.choice(workers), signal.SIGKILL)
                kills += 1

    thread = Thread(target=killer, daemon=True)
    thread.start()
    while kills < KILLS:
        tours += 1
        home = RecordStore(tmp_path / f"home{tours}")
        # What lost its worker too often is listed as failed, and goes on in the next run.
        while len(list(home)) < len(grid):
            for _ in cluster.on_ray(grid, home, OFTEN, Cluster(nodes.address), {}):
                pass
        assert {record.name: record.results for record in home} == expected
        left = [path for path in home.folder.rglob("*") if ".unfinished" in path.parts]
        assert [path for path in left if path.is_file()] == []
        assert wait_until(lambda: not any(map(_is_at_work, map(int, _numbers()))), 15)  # no orphan
    over.set()
    thread.join()


def _numbers() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _is_at_work(pid: int) -> bool:
    """A process that computes an experiment now: Ray names it by the function.

    Ray's own agents are called "ray::" too, and a node ends with them; that is another fault.
    """
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended while we looked
        return False
    return title.startswith(b"ray::_work")


def test_what_is_unfinished_comes_home_and_goes_on_anywhere(nodes, tmp_path: Path) -> None:
    (experiment,) = sweep(1, 20)
    cut = as_kind(ForAStep, experiment)
    home, alone = RecordStore(tmp_path / "home"), RecordStore(tmp_path / "alone")
    on = Cluster(nodes.address)
    there = cluster.on_ray([cut], home, Session(), on, {})
    assert list(there) == []
    state = state_of(home.checkpoint_path(experiment.name))
    assert 0 < state["done"] < experiment.iterations
    torch.set_num_threads(1)
    resumed = experiment.compute(home, Session())
    assert resumed.results == experiment.compute(alone, Session()).results


def test_ctrl_c_leaves_the_cluster_idle_and_the_checkpoint_at_home(nodes, tmp_path: Path) -> None:
    (endless,) = sweep(1, 10**6)
    store = RecordStore(tmp_path)
    checkpoint = store.checkpoint_path(endless.name)
    when(checkpoint.exists, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        list(cluster.on_ray([endless], store, OFTEN, Cluster(nodes.address), {}))
    assert state_of(checkpoint)["done"] > 0
    ray.init(nodes.address, logging_level="ERROR")
    until = time.monotonic() + 30
    while ray.available_resources().get("CPU") != 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert ray.available_resources()["CPU"] == 2


def test_an_error_of_the_experiment_is_told_not_tried_again(nodes, tmp_path: Path) -> None:
    experiment = SMOKE.experiment(backgrounds=str(tmp_path / "nowhere"))
    store = RecordStore(tmp_path)
    (failed,) = cluster.on_ray([experiment], store, OFTEN, Cluster(nodes.address), {})
    assert failed.name == experiment.name and "nowhere" in failed.reason


def test_a_node_with_room_is_asked_for(nodes, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="None of the 2 nodes has room .* 1 threads and 2 GPUs"):
        wanted = Cluster(nodes.address, threads=1, gpus=2)
        list(cluster.on_ray(sweep(1, 2), RecordStore(tmp_path), OFTEN, wanted, {}))


@pytest.mark.parametrize("address", ["not an address", "127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_named(tmp_path: Path, address: str) -> None:
    records = cluster.on_ray(sweep(1, 2), RecordStore(tmp_path), OFTEN, Cluster(address), {})
    with pytest.raises(ClusterError, match=f"no Ray cluster at {address!r}"):
        list(records)


def test_a_further_test_set_trains_nothing_on_the_cluster(nodes, tmp_path: Path) -> None:
    (first,) = sweep(1, 20)
    store, on = RecordStore(tmp_path), Cluster(nodes.address)
    more = TestSet("more", "large", "embedded", 2, crop=64)
    second = replace(first, tests=(*first.tests, more))
    found = list(cluster.on_ray([first, second], store, OFTEN, on, {}))
    assert [record.provenance["weights"] for record in found] == ["trained", "read"]
    assert store.trained_path(first.training_key).exists()
    third = replace(first, tests=(more,))
    (looked,) = cluster.on_ray([third], store, OFTEN, on, {})
    assert looked.provenance["weights"] == "read"
    assert looked.tests["more"] == found[1].tests["more"]
