"""What is there: complete, missing, damaged or not of the set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from PIL import Image

from rainlens.data.catalogue import (
    SETS,
    DataError,
    DataSet,
    Original,
    data_root,
    default_root,
    read_registry,
    visible_files,
)
from rainlens.data.convert import expected, jobs_of


def listing(root: Path | None = None) -> pd.DataFrame:
    """All sets at a glance, without reading the files.

    Args:
        root: the data folder; by default RAINLENS_DATA.

    Returns:
        Indexed by `set`: `what`, `files` expected, `megabytes` of the originals to download
        (10^6 bytes, NaN where there are none), `licence`, `present` ("yes", "no" or
        "<found> of <expected>").

    Raises:
        DataError: RAINLENS_DATA names no folder.
    """
    root, rows = data_root() if root is None else Path(root), read_registry()
    table = [
        (e.name, e.what, e.count, _megabytes(e, rows), e.licence, _present(e, rows, root))
        for e in SETS.values()
    ]
    columns = ["set", "what", "files", "megabytes", "licence", "present"]
    return pd.DataFrame(table, columns=columns).set_index("set")


def _megabytes(entry: DataSet, registry: Iterable[Original]) -> float:
    used = {source for job in jobs_of(entry.name, registry) for source in job.sources}
    return sum(source.bytes for source in used) / 1e6 if used else float("nan")


def _present(entry: DataSet, registry: Iterable[Original], root: Path | None) -> str:
    if root is None:
        return "no"
    names = expected(entry, registry)
    if names:
        found = sum((root / name).is_file() for name in names)
    else:
        found = len(_pictures(root, entry))
    if found == 0:
        return "no"
    return "yes" if found >= entry.count else f"{found} of {entry.count}"


def _pictures(root: Path, entry: DataSet) -> list[str]:
    """Paths under the root of the pictures in a set's folders, hidden files left out."""
    files = [path for part in entry.folders for path in visible_files(root / part)]
    pictures = (path for path in files if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [path.relative_to(root).as_posix() for path in pictures]


def check(root: Path | None = None, *, registry: Path | None = None) -> pd.DataFrame:
    """Look at every file of every set.

    Copied files must have the checksum of the registry; converted ones must decode. Pictures
    that do not belong to a set count as `extra`, because the experiments would read them.

    Args:
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        registry: a CSV file to use in place of the package's own.

    Returns:
        Indexed by `set`: `complete` (bool), the counts `expected`, `missing`, `damaged` and
        `extra`, `examples` (names of a few of these files), and `note`.

    Raises:
        DataError: there is no such folder.
    """
    root = (data_root() or default_root()) if root is None else Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"There is no data folder {root}: fetch the data first.")
    rows = read_registry(registry)
    table = [_check_set(entry, rows, root) for entry in SETS.values()]
    return pd.DataFrame(table).set_index("set")


def _check_set(entry: DataSet, rows: Iterable[Original], root: Path) -> dict[str, object]:
    pictures = _pictures(root, entry)
    # A set without registered originals is whatever pictures the user put there.
    listed = expected(entry, rows)
    names = listed or dict.fromkeys(pictures)
    missing = [name for name in names if not (root / name).is_file()]
    there = [name for name in names if name not in missing]
    damaged = [name for name in there if not is_sound(root / name, names[name])]
    extra = [name for name in pictures if name not in names]
    short = 0 if listed else max(entry.count - len(pictures), 0)
    return {
        "set": entry.name,
        "complete": not (missing or damaged or extra or short) and bool(names),
        "expected": len(listed) or entry.count,
        "missing": len(missing) + short,
        "damaged": len(damaged),
        "extra": len(extra),
        "examples": ", ".join(damaged[:3] + missing[:3] + extra[:3]),
        "note": _note(entry, listed, missing),
    }


def _note(entry: DataSet, listed: dict[str, str | None], missing: Sequence[str]) -> str:
    """What no download can mend."""
    by_hand = [file for file, _ in entry.by_hand if f"{entry.folder}/{file}" in missing]
    if by_hand:
        return f"cannot be downloaded: {', '.join(by_hand)}"
    return "" if listed else "cannot be downloaded: pictures of your own"


def file_sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sound(path: Path, sha256: str | None = None) -> bool:
    """Whether the file has the checksum, or, where none is given, decodes as a picture."""
    try:
        if sha256 is not None:
            return file_sha256(path) == sha256
        with Image.open(path) as image:
            image.load()
        return True
    # Pillow raises many kinds of error on damaged files, SyntaxError among them.
    except Exception:
        return False
