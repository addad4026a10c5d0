"""Downloads, compared with the registry's checksums and converted to the layout."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pooch
import requests
from tqdm import tqdm

from rainlens.data.catalogue import (
    SETS,
    DataError,
    Original,
    data_root,
    default_root,
    entry_named,
    read_registry,
)
from rainlens.data.check import is_sound
from rainlens.data.convert import Job, jobs_of

# After so many files in a row that no server would serve, the rest is not tried.
_GIVE_UP_AFTER = 5
_LONGEST_WAIT = 120.0
_PERMANENT = frozenset({400, 401, 403, 404, 410, 451})


class _NotHad(Exception):
    """An original could not be had; `unreachable` where the server is to blame, not the file."""

    def __init__(self, reason: str, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


@dataclass
class _Fetcher:
    """Carries jobs out, and remembers those that failed."""

    root: Path
    attempts: int
    wait: float
    timeout: float
    failed: list[tuple[str, str]] = field(default_factory=list)
    untried: int = 0
    silent: int = 0

    def run(self, job: Job) -> bool:
        """Make one file; False where it failed or was not tried any more."""
        if self.silent >= _GIVE_UP_AFTER:
            self.untried += 1
            return False
        try:
            _make(job, [self._get(source) for source in job.sources], self.root / job.target)
        except _NotHad as error:
            self.silent = self.silent + 1 if error.unreachable else 0
            self.failed.append((job.target, str(error)))
            return False
        self.silent = 0
        return True

    def _get(self, original: Original) -> Path:
        """The original's path on disk; downloaded if need be, tried several times."""
        for attempt in range(self.attempts):
            try:
                return self._download(original)
            except (requests.RequestException, ValueError) as error:
                reason, pause = _reason(error), _pause(error, self.wait * 2**attempt)
                unreachable = _is_unreachable(error)
            if pause is None:
                break
            if attempt + 1 < self.attempts:
                time.sleep(pause)
        raise _NotHad(reason, unreachable)

    def _download(self, original: Original) -> Path:
        # pooch compares the checksum before it gives a file its name, and leaves a file that
        # already has the right one alone.
        place = self.root / "originals" / original.set / original.path
        pooch.retrieve(
            original.url,
            known_hash=f"sha256:{original.sha256}",
            fname=place.name,
            path=place.parent,
            downloader=pooch.HTTPDownloader(chunk_size=2**16, timeout=self.timeout),
        )
        return place


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else response.status_code


def _is_unreachable(error: Exception) -> bool:
    """Whether other files of the same server would fail alike."""
    status = _status(error)
    if status is not None:
        return status == 429 or status >= 500
    return isinstance(error, requests.ConnectionError | requests.Timeout)


def _reason(error: Exception) -> str:
    """Why a download failed, in a few words."""
    if status := _status(error):
        return f"the server answered {status}"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return "wrong checksum" if isinstance(error, ValueError) else type(error).__name__


def _pause(error: Exception, usual: float) -> float | None:
    """Seconds to wait before the next attempt; None where another one is of no use."""
    if _status(error) in _PERMANENT:
        return None
    response = getattr(error, "response", None)
    asked = "" if response is None else response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else usual


def _make(job: Job, sources: Sequence[Path], target: Path) -> None:
    """Convert into a hidden file and rename it, so that no half-written target is ever seen."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        job.make(sources, part)
        os.replace(part, target)
    except (OSError, ValueError, SyntaxError) as error:
        # Errors of the file system carry a number, those of Pillow about a picture do not.
        if getattr(error, "errno", None) is not None:
            raise
        raise _NotHad(f"conversion failed: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def fetch(
    names: Iterable[str] = (),
    root: Path | None = None,
    progress: bool = True,
    *,
    registry: Path | None = None,
    attempts: int = 4,
    wait: float = 1.0,
    timeout: float = 30.0,
) -> pd.DataFrame:
    """Download and convert sets; files that are there and sound are left alone.

    A file of the layout is made as soon as its originals are there, so a run that is stopped
    loses at most the file under way, and the next run continues. The originals stay in
    `root/originals`; they may be deleted once the sets are complete.

    Args:
        names: sets to fetch; none means all that can be downloaded. A set brings those it needs.
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        progress: draw one progress bar a set.
        registry: a CSV file to use in place of the package's own.
        attempts: how often each download is tried.
        wait: seconds before the second attempt; doubled before each further one.
        timeout: seconds without a byte after which an attempt is given up.

    Returns:
        One row a set: files made, files kept as they were.

    Raises:
        DataError: a name is unknown, the set cannot be downloaded, the disk cannot be written,
            or, after all else was done, some files could not be had.
    """
    rows = read_registry(registry)
    plan = {name: jobs_of(name, rows) for name in _with_needs(names, rows)}
    root = (data_root() or default_root()) if root is None else Path(root).expanduser()
    pooch.get_logger().setLevel("WARNING")
    fetcher = _Fetcher(root.resolve(), attempts, wait, timeout)
    try:
        table = [_fetch_set(fetcher, name, jobs, progress) for name, jobs in plan.items()]
    except OSError as error:
        raise DataError(
            f"The data folder {root} cannot be written ({error.strerror or error}): free some "
            "space or choose another folder, then run the same command again."
        ) from error
    _complain(fetcher)
    return pd.DataFrame(table, columns=["set", "made", "kept"]).set_index("set")


def _with_needs(names: Iterable[str], rows: Iterable[Original]) -> list[str]:
    """The sets to fetch, each once, in the order of SETS."""
    listed = {row.set for row in rows}
    asked = [entry_named(name) for name in names]
    for entry in asked:
        if entry.name not in listed:
            raise DataError(
                f"{entry.name} cannot be downloaded, because no lasting address of its files is "
                f"known: put pictures of your own into its folder '{entry.folder}'."
            )
    wanted = {name for entry in asked for name in (entry.name, *entry.needs)} or listed
    return [name for name in SETS if name in wanted]


def _fetch_set(
    fetcher: _Fetcher, name: str, jobs: Sequence[Job], progress: bool
) -> tuple[str, int, int]:
    made = kept = 0
    for job in tqdm(jobs, desc=name, unit="file", disable=not progress):
        if is_sound(fetcher.root / job.target, job.sha256):
            kept += 1
        else:
            made += fetcher.run(job)
    return name, made, kept


def _complain(fetcher: _Fetcher) -> None:
    """Raise one message about all that failed, if anything did."""
    if not fetcher.failed:
        return
    shown = ", ".join(f"{target} ({reason})" for target, reason in fetcher.failed[:10])
    more = f" and {len(fetcher.failed) - 10} more" if len(fetcher.failed) > 10 else ""
    untried = (
        f", and {fetcher.untried} more were not tried because the server serves nothing"
        if fetcher.untried
        else ""
    )
    raise DataError(
        f"{_files(len(fetcher.failed))} could not be had: {shown}{more}{untried}; "
        "all others are in place, and running the same command again continues."
    )


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
