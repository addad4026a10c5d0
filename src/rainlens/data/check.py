"""All sets at a glance, and a look at every file: complete, missing, damaged or one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from rainlens.data.catalogue import (
    SETS,
    DataError,
    DataSet,
    Original,
    data_root,
    default_root,
    packaged_registry,
    read_registry,
)
from rainlens.data.convert import Expected, expected, jobs_of
from rainlens.data.files import file_sha256
from rainlens.data.pictures import PictureError, open_picture, read_picture
from rainlens.data.state import State, own_pictures, state_in


def listing(root: Path | None = None) -> pd.DataFrame:
    """All sets at a glance, without reading the files.

    Args:
        root: the data folder, which need not be there yet; by default RAINLENS_DATA.

    Returns:
        Indexed by `set`: `what`, `files` expected, `megabytes` of the originals to download
        (10^6 bytes, NaN where there are none), `licence`, `present` ("yes", "no", "own: <count>
        pictures" or "<found> of <expected>", with what does not belong to the set).

    Raises:
        DataError: RAINLENS_DATA names no folder.
    """
    root, rows = data_root(must_exist=False) if root is None else Path(root), packaged_registry()
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
    found = state_in(root, entry, expected(entry, registry))
    if found.kind == "missing":
        return f"no, passed over: {found.listing.remark}" if found.listing.remark else "no"
    if found.kind == "own":
        pictures = own_pictures(found.listing)
        return f"own: {pictures}" if any(row.set == entry.name for row in registry) else pictures
    if found.kind == "registered" and found.found == entry.count:
        return "yes"
    more = f", and {len(found.strange)} not of the set" if found.strange else ""
    return f"{found.found} of {entry.count}{more}"


def check(root: Path | None = None, *, registry: Path | None = None) -> pd.DataFrame:
    """Look at every file of every set.

    Copied files must have the checksum of the registry; converted ones must decode, and so must
    pictures of one's own. Pictures that do not belong to a registered set count as `extra`.

    Args:
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        registry: a CSV file to use in place of the package's own.

    Returns:
        Indexed by `set`: `complete` and `present` (bool: all of it, anything of it, is there);
        `faulty` (bool: it is there, but not as a download or its owner would have left it); the
        counts `expected`, `missing`, `damaged` and `extra`; `examples` (names of a few of these
        files); and `note`.

    Raises:
        DataError: there is no such folder.
    """
    root = (data_root(must_exist=False) or default_root()) if root is None else Path(root)
    root = root.expanduser()
    if not root.is_dir():
        raise DataError(f"There is no data folder {root}: fetch the data first.")
    rows = packaged_registry() if registry is None else read_registry(registry)
    table = [_check_set(entry, rows, root) for entry in SETS.values()]
    return pd.DataFrame(table).set_index("set")


def _check_set(entry: DataSet, rows: Iterable[Original], root: Path) -> dict[str, object]:
    names = expected(entry, rows)
    found = state_in(root, entry, names)
    if found.is_own:
        return _check_own(found, root)
    missing = [name for name in names if not (root / name).is_file()]
    there = [name for name in names if name not in set(missing)]
    damaged = [name for name in there if not is_sound(root / name, names[name].sha256)]
    return {
        "set": entry.name,
        "complete": not (missing or damaged or found.strange) and bool(names),
        "present": found.kind != "missing",
        "faulty": found.kind == "unfit" or bool(damaged),
        "expected": len(names) or entry.count,
        "missing": len(missing) if names else entry.count,
        "damaged": len(damaged),
        "extra": len(found.strange),
        "examples": ", ".join([*damaged[:3], *missing[:3], *found.strange[:3]]),
        "note": _note(entry, names, missing),
    }


def _check_own(found: State, root: Path) -> dict[str, object]:
    """Pictures of one's own: each must be one that the experiments can read."""
    complaints: dict[str, str] = {}
    for path in found.listing.pictures:
        try:
            read_picture(path)
        except PictureError as error:
            complaints[path.relative_to(root).as_posix()] = str(error)
    first = next(iter(complaints.values()), "")
    return {
        "set": found.entry.name,
        "complete": not complaints and found.is_usable,
        "present": True,
        "faulty": bool(complaints) or not found.is_usable,
        "expected": found.found,
        "missing": 0,
        "damaged": len(complaints),
        "extra": 0,
        "examples": ", ".join([*list(complaints)[:3], *found.lacking]),
        "note": f"your own, {own_pictures(found.listing)}" + (f"; {first}" if first else ""),
    }


def _note(entry: DataSet, names: dict[str, Expected], missing: Sequence[str]) -> str:
    """What no download can mend."""
    by_hand = [name for name in missing if not names[name].fetched]
    if by_hand:
        return f"cannot be downloaded: {', '.join(Path(name).name for name in by_hand)}"
    return "" if names else "cannot be downloaded: pictures of your own"


def is_sound(path: Path, sha256: str | None = None) -> bool:
    """Whether the file has the checksum, or, where none is given, decodes as a picture."""
    try:
        if not path.is_file():
            return False
        if sha256 is not None:
            return file_sha256(path) == sha256
        with open_picture(path) as image:
            image.load()
        return True
    # Pillow raises many kinds of error on damaged files, SyntaxError among them.
    except Exception:
        return False
