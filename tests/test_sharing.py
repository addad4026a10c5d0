"""Several runs on one store, workers that are killed, and Ctrl-C."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from test_experiments import (
    KILLS,
    as_text,
    children_of,
    finished,
    has_checkpoint,
    is_running,
    tiny,
    wait_until,
)

import rainlens
from rainlens.records import RecordStore

pytestmark = pytest.mark.usefixtures("one_thread")
SOURCE = str(Path(rainlens.__file__).parents[1])
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def script(folder: Path, grid: list, options: str) -> Path:
    """A program that computes a grid and prints what came out of it."""
    path = folder / "run.py"
    path.write_text(
        "import json\n"
        "from rainlens.evaluation import TestSet\n"
        "from rainlens.records import RecordStore\n"
        "from rainlens.running import run_within\n"
        "from rainlens.tasks.restore import Restore\n"
        f"grid = {grid!r}\n"
        "if __name__ == '__main__':\n"
        f"    done = run_within(grid, RecordStore({str(folder / 'records')!r}), {options})\n"
        "    told = [done.computed, done.left, [f.reason for f in done.failures]]\n"
        "    print(json.dumps(told))\n"
    )
    return path


def start(path: Path, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_four_runs_on_one_store_finish_all_experiments_once(tmp_path):
    grid = [tiny(seed=seed, snapshots=(2,)) for seed in range(6)]
    path = script(tmp_path, grid, "threads=1, save_every=0")
    runs = [start(path) for _ in range(4)]
    ends = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, [told[-500:] for _, told in ends]
    told = [json.loads(out) for out, _ in ends]
    assert all(left == 0 and not failures for _, left, failures in told)
    store = RecordStore(tmp_path / "records")
    alone = grid[0].compute(RecordStore(tmp_path / "alone"), rainlens.tasks.Session())
    assert as_text(store.load(alone.name)) == as_text(alone)
    assert len(list(store)) == len(grid)
    # Each was trained once: what another run had finished was read.
    trained = [record.provenance["weights"] for record in store]
    assert trained == ["trained"] * len(grid)
    assert list((store.folder / ".unfinished").iterdir()) == []
    assert not list(store.folder.rglob("*.tmp"))


@needs_proc
def test_a_killed_worker_costs_its_last_seconds_not_the_run(tmp_path):
    grid = [tiny(seed=seed, iterations=150, measure_every=50) for seed in (0, 1)]
    store = RecordStore(tmp_path / "records")
    run = start(script(tmp_path, grid, "workers=2, threads=1, save_every=0"))
    assert wait_until(lambda: store.checkpoint_path(grid[0].name).exists(), 60)
    os.kill(children_of(run.pid)[0], signal.SIGKILL)
    out, error = run.communicate(timeout=120)
    assert run.returncode == 0, error[-1000:]
    assert json.loads(out.splitlines()[-1]) == [2, 0, []]
    assert "lost its worker and goes on" in out
    for experiment in grid:
        undisturbed = experiment.compute(RecordStore(tmp_path / "b"), rainlens.tasks.Session())
        assert as_text(store.load(experiment.name)) == as_text(undisturbed)


@needs_proc
def test_sigkills_of_a_run_and_of_its_workers(tmp_path):
    """RAINLENS_KILLS=70 makes an evening's trial of it; a third is enough for every day."""
    grid = [tiny(seed=seed, iterations=100, measure_every=50) for seed in range(4)]
    alone = RecordStore(tmp_path / "alone")
    for experiment in grid:
        experiment.compute(alone, rainlens.tasks.Session())
    moments = random.Random(1)
    kills = tours = 0
    while kills < max(2, KILLS // 3 if KILLS < 20 else KILLS):
        tours += 1
        folder, before = tmp_path / f"killed{tours}", {}
        folder.mkdir()
        path = script(folder, grid, "workers=2, threads=1, save_every=0")
        while len(before) < len(grid):
            run = start(path)
            assert wait_until(lambda run=run: len(children_of(run.pid)) == 2, 60)
            workers = children_of(run.pid)
            if kills == 0:  # at least this one is at work, and has saved something
                assert wait_until(partial(has_checkpoint, grid, folder / "records"), 60)
            else:
                time.sleep(moments.uniform(0, 5))
            victim = moments.choice([run.pid, *workers])
            if is_running(victim):
                os.kill(victim, signal.SIGKILL)
                kills += 1
            _, error = run.communicate(timeout=120)
            # No orphan; a worker's end is not the run's.
            assert wait_until(lambda: not any(map(is_running, workers)), 15)  # noqa: B023
            assert victim == run.pid or run.returncode == 0, error[-1000:]
            after = finished(folder / "records")
            assert before.items() <= after.items()  # nothing finished was lost or changed
            before = after
        out, error = start(path).communicate(timeout=120)
        assert json.loads(out.splitlines()[-1])[1:] == [0, []], error[-1000:]
        assert before == finished(alone.folder)
        left = RecordStore(folder / "records").folder.glob(".unfinished/*")
        assert not list(left) and not list(folder.rglob("*.tmp"))


@needs_proc
def test_ctrl_c_stops_workers_at_once(tmp_path):
    grid = [tiny(seed=seed, iterations=10**6, measure_every=10**6) for seed in (0, 1)]
    store = RecordStore(tmp_path / "records")
    run = start(
        script(tmp_path, grid, "workers=2, threads=1, save_every=0"), start_new_session=True
    )
    assert wait_until(lambda: all(store.checkpoint_path(e.name).exists() for e in grid), 60)
    workers = children_of(run.pid)
    began = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does, to all of them
    run.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert not any(map(is_running, workers))
    assert all(store.checkpoint_path(e.name).exists() for e in grid)
    assert not list((store.folder / ".unfinished").glob("*.lock"))
