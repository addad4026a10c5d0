"""Cores and memory as containers give them, and caches that stay within their bytes."""

import os
from pathlib import Path

import pytest

from rainlens import resources, training


def machine(root: Path, groups: str, **files: str) -> Path:
    """A made-up /proc and /sys; the names of files have __ for each slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/")
        path = path.with_name(path.name.replace("_dot_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


@pytest.mark.parametrize(
    ("content", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 64)]
    + [("", 64), ("nonsense", 64), ("-1 100000", 64), ("100000 0", 64), ("9900000 100000", 64)],
)
def test_quota_of_version_2(tmp_path, many_cores, content, cores):
    root = machine(tmp_path, "0::/\n", cpu_dot_max=f"{content}\n")
    assert resources.cores(root) == cores


def test_the_tightest_group_above_counts(tmp_path, many_cores):
    files = {"a__b__cpu_dot_max": "max 100000", "a__cpu_dot_max": "300000 100000"}
    root = machine(tmp_path, "0::/a/b\n", **files, cpu_dot_max="800000 100000")
    assert resources.cores(root) == 3


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize("place", ["docker/17", ""])  # where the container sees only its own top
def test_quota_of_version_1(tmp_path, many_cores, folder, place):
    inside = f"{folder}__{place.replace('/', '__')}__" if place else f"{folder}__"
    files = {f"{inside}cpu_dot_cfs_quota_us": "400000", f"{inside}cpu_dot_cfs_period_us": "100000"}
    groups = "5:cpuset:/\n4:cpu,cpuacct:/docker/17\n3:cpuset:/docker/17\n0::/\n"
    root = machine(tmp_path, groups, **files)
    assert resources.cores(root) == 4


def test_no_quota_is_no_limit(tmp_path, many_cores):
    files = {"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}
    assert resources.cores(machine(tmp_path, "1:cpu:/\n", **files)) == 64
    assert resources.cores(tmp_path / "no such system") == 64


def test_fewer_cores_than_the_quota(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert resources.cores(machine(tmp_path, "0::/\n", cpu_dot_max="400000 100000")) == 1


def test_training_counts_the_same_cores():
    assert training.cores is resources.cores and resources.cores() >= 1


def test_memory_of_a_group(tmp_path):
    whole = resources.memory(tmp_path / "no groups")
    second, first = tmp_path / "v2", tmp_path / "v1"
    assert resources.memory(machine(second, "0::/\n", memory_dot_max="1000000")) == 1e6
    files = {"memory__box__memory_dot_limit_in_bytes": "2000000"}
    assert resources.memory(machine(first, "7:memory:/box\n", **files)) == 2e6
    unlimited = machine(tmp_path / "v3", "0::/\n", memory_dot_max="max")
    assert resources.memory(unlimited) == whole > 1e8


# --- caches


def counted(limit: int, version=lambda size: None):
    calls = []

    @resources.remember(limit, weigh=len, version=version)
    def make(size: int) -> bytes:
        """Bytes."""
        calls.append(size)
        return bytes(size)

    return make, calls


def test_what_is_remembered_stays_within_the_limit():
    make, calls = counted(100)
    for size in (30, 40, 20, 30, 60, 30, 40):
        assert len(make(size)) == size
        assert make.cache_info().bytes <= 100
    # 60 drove out 40 and 20, the ones not used for longest; 40 drove out 60.
    assert calls == [30, 40, 20, 60, 40]
    assert make.__doc__ == "Bytes." and make.cache_info().currsize == 2
    make.cache_clear()
    assert make.cache_info() == (0, 0, 100)


def test_what_exceeds_the_limit_alone_drives_nothing_out():
    make, calls = counted(100)
    for size in (50, 101, 101, 50):
        make(size)
    assert calls == [50, 101, 101]


def test_a_new_version_is_made_anew():
    state = [1]
    make, calls = counted(100, version=lambda size: state[0])
    make(5), make(5)
    state[0] = 2
    make(5)
    assert calls == [5, 5]
