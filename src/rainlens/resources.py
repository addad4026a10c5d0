"""What this machine, or the container on it, gives: cores, memory, and results kept in it."""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import update_wrapper
from pathlib import Path
from threading import Lock
from typing import Generic, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def cores(root: Path = Path("/")) -> int:
    """Processor cores that this process may use; in a container, fewer than there are.

    Both the set of cores (cpuset, affinity) and the share of time (quota of a control group) count;
    of a quota of 1.5 cores, two threads can make use. root: where proc and sys lie.
    """
    ours = getattr(os, "sched_getaffinity", None)  # only Linux can say
    allowed = len(ours(0)) if ours else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, cpu_quota(root))))


def cpu_quota(root: Path = Path("/")) -> float:
    """Cores' worth of processor time that control groups allow; infinite where none sets a limit.

    The least of all groups that this process is in, from its own up to the root: v2 writes
    "quota period" into cpu.max, v1 each into a file of its own, in microseconds.
    """
    quotas = [math.inf]
    for group in _groups("cpu", root):
        quota, _, period = _content(group / "cpu.max").partition(" ")
        quotas.append(_ratio(quota, period))
        quota, period = (_content(group / f"cpu.cfs_{kind}_us") for kind in ("quota", "period"))
        quotas.append(_ratio(quota, period))
    return min(quotas)


def memory(root: Path = Path("/")) -> float:
    """Bytes of memory that this process may use: the machine's, or less by control groups."""
    limits = [math.inf]
    with suppress(AttributeError, ValueError, OSError):  # not every system can say
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for group in _groups("memory", root):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limits.append(_ratio(_content(group / name), "1"))
    return min(limits)


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the control groups of this process for one resource, v1 or v2, up to the top."""
    mounts = root / "sys" / "fs" / "cgroup"
    for line in _content(root / "proc" / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            tops = [mounts, mounts / "unified"]
        elif controller in controllers.split(","):
            tops = [mounts / controllers, mounts / controller]
        else:
            continue
        # In a container the path may be the host's: then only the top is there to be read.
        below = Path(path.lstrip("/"))
        yield from (top / part for top in tops for part in (below, *below.parents))


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _ratio(part: str, whole: str) -> float:
    """part / whole; infinite for "max", -1, and whatever is no limit."""
    try:
        value = float(part) / float(whole)
    except (ValueError, ZeroDivisionError):
        return math.inf
    return value if value > 0 else math.inf


# ---------------------------------------------------------------- results kept within bounds


class CacheInfo(NamedTuple):
    """What a cache holds: results, and bytes of at most `limit`."""

    currsize: int
    bytes: int
    limit: int


class Remembered(Generic[P, R]):
    """A function that remembers its latest results, as many as fit into a number of bytes.

    weigh: bytes of a result; one that alone exceeds the limit is not kept. version: of the
    arguments, for what may change behind them, such as a file.
    """

    def __init__(
        self,
        function: Callable[P, R],
        limit: int,
        weigh: Callable[[R], int],
        version: Callable[P, Hashable],
    ) -> None:
        self._function, self._limit, self._weigh, self._version = function, limit, weigh, version
        self._kept: OrderedDict[Hashable, tuple[R, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result, from memory where it is there."""
        key = (args, tuple(sorted(kwargs.items())), self._version(*args, **kwargs))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        result = self._function(*args, **kwargs)
        self._keep(key, result, self._weigh(result))
        return result

    def _keep(self, key: Hashable, result: R, weight: int) -> None:
        with self._lock:
            if key in self._kept or weight > self._limit:
                return
            self._kept[key] = result, weight
            self._bytes += weight
            while self._bytes > self._limit:
                self._bytes -= self._kept.popitem(last=False)[1][1]

    def cache_clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def cache_info(self) -> CacheInfo:
        """How much is kept."""
        return CacheInfo(len(self._kept), self._bytes, self._limit)


def remember(
    limit: int, weigh: Callable[[R], int], version: Callable[P, Hashable]
) -> Callable[[Callable[P, R]], Remembered[P, R]]:
    """A decorator: remember the latest results, up to `limit` bytes (see `Remembered`)."""
    return lambda function: Remembered(function, limit, weigh, version)


PICTURE_BYTES = int(min(512 << 20, memory() / 8))  # of each of the two caches that hold pictures
