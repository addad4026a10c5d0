"""Downloads, compared with the registry's checksums and converted to the layout."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import requests
from tqdm import tqdm

from rainlens.data.catalogue import (
    SETS,
    DataError,
    Original,
    data_root,
    default_root,
    entry_named,
    packaged_registry,
    read_registry,
)
from rainlens.data.check import is_sound
from rainlens.data.convert import Job, expected, jobs_of
from rainlens.data.download import DownloadError, clear_leftovers, download, partial
from rainlens.data.pictures import printable
from rainlens.data.state import state_in

# After so many files in a row that a server would not serve, the rest of its files is not tried.
_GIVE_UP_AFTER = 5
# Where nothing was ever reached, the machine is offline, and patience is of no use.
_OFFLINE_AFTER = 2


class _NotHad(Exception):
    """A file of the layout could not be made; the message says why in a few words."""


@dataclass
class _Fetcher:
    """Carries jobs out, and remembers those that failed."""

    root: Path
    attempts: int
    wait: float
    timeout: float
    total: float
    made: int = 0
    kept: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    untried: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    reached: bool = False
    offline: str | None = None  # the server to which there was no connection
    session: requests.Session = field(default_factory=requests.Session)

    def run(self, job: Job) -> bool:
        """Make one file; False where it failed or was not tried any more."""
        servers = {_server(source) for source in job.sources}
        if self.offline or any(self.silent[name] >= _GIVE_UP_AFTER for name in servers):
            self.untried += 1
            return False
        try:
            _make(job, [self._get(source) for source in job.sources], self.root / job.target)
        except _NotHad as error:
            self.failed.append((job.target, str(error)))
            return False
        self.made += 1
        return True

    def _get(self, original: Original) -> Path:
        """The original's path on disk; downloaded if need be, tried several times."""
        place = self.root / "originals" / original.set / original.path
        if is_sound(place, original.sha256):
            return place
        for attempt in range(self.attempts):
            try:
                download(original, place, self.session, self.timeout, self.total)
            except DownloadError as error:
                self.session = requests.Session()
                self.reached |= not error.offline
                if self._is_last(attempt, error):
                    raise self._not_had(original, error) from error
                time.sleep(self.wait * 2**attempt if error.pause is None else error.pause)
            else:
                break
        self.reached, self.silent[_server(original)] = True, 0
        return place

    def _is_last(self, attempt: int, error: DownloadError) -> bool:
        offline = error.offline and not self.reached
        return error.final or attempt + 1 >= (_OFFLINE_AFTER if offline else self.attempts)

    def _not_had(self, original: Original, error: DownloadError) -> _NotHad:
        server = _server(original)
        self.silent[server] = self.silent[server] + 1 if error.unreachable else 0
        if error.offline and not self.reached:
            self.offline = server
        return _NotHad(str(error))


def _server(original: Original) -> str:
    return urlsplit(original.url).hostname or original.url


def _make(job: Job, sources: Sequence[Path], target: Path) -> None:
    """Convert into a hidden file and rename it, so that no half-written target is ever seen."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = partial(target)
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
    total: float = 600.0,
) -> pd.DataFrame:
    """Download and convert sets; files that are there and sound are left alone.

    A file of the layout is made as soon as its originals are there, so a run that is stopped
    loses at most the file under way, and the next run continues. The originals stay in
    `root/originals`; they may be deleted once the sets are complete. A folder with pictures of
    one's own is never filled up with those of a registered set.

    Args:
        names: sets to fetch; none means all that can be downloaded. A set brings those it needs.
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        progress: draw one progress bar a set.
        registry: a CSV file to use in place of the package's own.
        attempts: how often each download is tried.
        wait: seconds before the second attempt; doubled before each further one.
        timeout: seconds without a byte after which an attempt is given up.
        total: seconds after which it is given up in any case.

    Returns:
        One row a set: files made, files kept as they were.

    Raises:
        DataError: a name is unknown, the set cannot be downloaded or its folder holds pictures of
            one's own, the disk cannot be written, there is no connection, or, after all else was
            done, some files could not be had.
    """
    rows = packaged_registry() if registry is None else read_registry(registry)
    root = (data_root(must_exist=False) or default_root()) if root is None else Path(root)
    root = root.expanduser().resolve()
    named = list(names)
    plan = {name: jobs_of(name, rows) for name in _without_own(root, named, rows)}
    fetcher = _Fetcher(root, attempts, wait, timeout, total)
    try:
        table = [_fetch_set(fetcher, name, jobs, progress) for name, jobs in plan.items()]
    except OSError as error:
        raise DataError(
            f"The data folder {printable(root)} cannot be written ({error.strerror or error}): "
            "free some space or choose another folder, then run the same command again."
        ) from error
    _complain(fetcher)
    return pd.DataFrame(table, columns=["set", "made", "kept"]).set_index("set")


def _without_own(root: Path, named: Sequence[str], rows: Sequence[Original]) -> list[str]:
    """The sets to fetch, but for those in whose place pictures of one's own are."""
    wanted = _with_needs(named, rows)
    own = [name for name in wanted if state_in(root, SETS[name], expected(SETS[name], rows)).is_own]
    for name in own:
        if name in named:
            raise DataError(
                f"{printable(root / name)} holds pictures of your own, among which {name} does not "
                "belong: move them to a folder of another name, or fetch to another with --folder."
            )
    return [name for name in wanted if name not in own]


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
    for folder in (fetcher.root / name, fetcher.root / "originals" / name):
        clear_leftovers(folder)
    made = kept = 0
    for job in tqdm(jobs, desc=name, unit="file", disable=not progress):
        if is_sound(fetcher.root / job.target, job.expected.sha256):
            kept += 1
        else:
            made += fetcher.run(job)
    fetcher.kept += kept
    return name, made, kept


def _complain(fetcher: _Fetcher) -> None:
    """Raise one message about all that failed, if anything did."""
    failed, untried = fetcher.failed, fetcher.untried
    if not failed:
        return
    there = fetcher.made + fetcher.kept
    here = f"{_files(there)} {'is' if there == 1 else 'are'} there and kept"
    if fetcher.offline:
        count = _files(len(failed) + untried)
        raise DataError(
            f"There is no connection to {fetcher.offline}, so {count} could not be had: check the "
            f"network, then run the same command again; {here}."
        )
    shown = ", ".join(f"{target} ({reason})" for target, reason in failed[:10])
    more = f" and {len(failed) - 10} more" if len(failed) > 10 else ""
    rest = (
        f", and {untried} more were not tried because the server serves nothing" if untried else ""
    )
    raise DataError(
        f"{_files(len(failed))} could not be had: {shown}{more}{rest}; {here}, and running the "
        "same command again continues."
    )


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
