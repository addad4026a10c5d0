"""What there is of a set: the registered files, pictures of one's own, or neither; said in a line.

Half a set, or a set with strangers in it, is refused: what is measured on it would carry the name
of the whole. A folder that holds none of the registered files is one's own without further ado,
because no download that broke off looks like that. Where some of one's own pictures bear
registered names, only their owner can say so: with an empty file named `OWN` in the set's folder.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from rainlens.data.catalogue import (
    SETS,
    VARIABLE,
    DataSet,
    data_root,
    entry_named,
    packaged_registry,
)
from rainlens.data.convert import Expected, expected
from rainlens.data.files import Listing, look_into
from rainlens.data.pictures import FORMAT_OF, printable

MARKERS = ("OWN", "OWN.txt")
Kind = Literal["registered", "own", "missing", "unfit"]


@dataclass(frozen=True)
class State:
    """What there is of a set, judged by names and sizes; the files themselves are not read.

    kind: "registered": every file that the registry lists and no other picture. "own": pictures
    of one's own in their place. "missing": nothing. "unfit": only a part, or a mixture.
    is_own: whether the pictures there are one's own, even where they do not make a set.
    found: files of the set, or pictures of one's own. lacking, altered, strange: paths under the
    root of files that are not there, have another size than registered, or are not of the set.
    """

    entry: DataSet
    kind: Kind
    found: int = 0
    listing: Listing = Listing()
    lacking: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    is_own: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether experiments may read the set."""
        return self.kind in ("registered", "own")


def state(name: str) -> State:
    """What there is of a set below RAINLENS_DATA.

    Raises:
        DataError: there is no set of that name, or RAINLENS_DATA names no folder.
    """
    entry, root = entry_named(name), data_root()
    if root is None:
        return State(entry, "missing")
    return state_in(root, entry, _registered(name))


@cache
def _registered(name: str) -> dict[str, Expected]:
    return expected(entry_named(name), packaged_registry())


def state_in(root: Path, entry: DataSet, names: dict[str, Expected]) -> State:
    """What there is of a set below any folder, where it should have the files `names`."""
    parts = {part: look_into(root / part) for part in entry.folders}
    listing = sum(parts.values(), Listing())
    pictures = {path.relative_to(root).as_posix() for path in listing.pictures}
    there = [name for name in names if name in pictures or _is_other_file(root, name)]
    strange = tuple(sorted(pictures - names.keys()))
    if is_declared_own(root / entry.folder) or (strange and not there):
        empty = tuple(f"{part}/" for part, found in parts.items() if not found.pictures)
        kind: Kind = "unfit" if empty and pictures else "own" if pictures else "missing"
        return State(entry, kind, len(pictures), listing, empty, is_own=bool(pictures))
    if not there:
        return State(entry, "missing", 0, listing)
    lacking = tuple(n for n, known in names.items() if known.fetched and n not in set(there))
    altered = _altered(root, tuple((name, names[name].bytes) for name in there))
    kind = "unfit" if lacking or altered or strange else "registered"
    return State(entry, kind, len(there), listing, lacking, altered, strange)


def is_declared_own(folder: Path) -> bool:
    """Whether the pictures in a set's folder are declared to be one's own."""
    return any((folder / marker).is_file() for marker in MARKERS)


def _is_other_file(root: Path, name: str) -> bool:
    """Whether a file that is no picture, and so in no listing, is there."""
    return Path(name).suffix.lower() not in FORMAT_OF and (root / name).is_file()


_RIGHT_SIZES: set[Hashable] = set()  # asked for each experiment, and file servers take their time


def _altered(root: Path, sizes: tuple[tuple[str, int | None], ...]) -> tuple[str, ...]:
    if (root, sizes) in _RIGHT_SIZES:
        return ()
    known = [(name, size) for name, size in sizes if size is not None]
    altered = tuple(name for name, size in known if _size(root / name) != size)
    if not altered:
        _RIGHT_SIZES.add((root, sizes))
    return altered


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone since it was listed
        return -1


def set_folder(name: str) -> Path | None:
    """The folder of the set `name`, or None where it is not there or not fit to be used.

    Raises:
        DataError: there is no set of that name, or RAINLENS_DATA names no folder.
    """
    found, root = state(name), data_root()
    return root / found.entry.folder if root is not None and found.is_usable else None


def refusal(found: State) -> str:
    """Why a set cannot be used and what to do, in one sentence."""
    name = found.entry.name
    if found.kind == "missing":
        fetch = f"fetch them with `rainlens data fetch {name}`"
        passed = f" (passed over there: {found.listing.remark})" if found.listing.remark else ""
        return (
            f"There are no pictures named '{name}'{passed}: set {VARIABLE} to a folder that has "
            f"them in {name}/, or {fetch if _can_fetch(name) else 'put some there'}."
        )
    return (
        f"{name} in {printable(data_root() or '.')} is not fit to be used, because "
        f"{_faults(found)}; {_remedy(found)}."
    )


def _can_fetch(name: str) -> bool:
    return any(row.set == name for row in packaged_registry())


def _faults(found: State) -> str:
    if found.is_own:
        return f"there are no pictures in {' and '.join(found.lacking)}"
    kinds = (
        (found.lacking, "is missing", "are missing"),
        (found.altered, "has another size than registered", "have another size than registered"),
        (found.strange, "is not of the set", "are not of the set"),
    )
    return ", ".join(
        f"{len(names)} {'file' if len(names) == 1 else 'files'} {one if len(names) == 1 else many} "
        f"({_examples(names)})"
        for names, one, many in kinds
        if names
    )


def _examples(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:3])
    return f"{shown}, ..." if len(names) > 3 else shown


def _remedy(found: State) -> str:
    if found.is_own:
        return "put some there, or move the others to a folder of another name"
    name, ways = found.entry.name, []
    if found.lacking or found.altered:
        ways.append(f"complete it with `rainlens data fetch {name}`")
    if found.strange:
        ways.append("take out what is not of it")
    return (
        f"{' and '.join(ways)}, or, if the pictures are your own, say so with an empty file "
        f"named {MARKERS[0]} in {name}/"
    )


# ---------------------------------------------------------------- one line about any mixture


def on_hand_line(sets: Iterable[str]) -> str:
    """Which of these sets are one's own, registered, missing or unfit, and what stands in.

    sets: all that some experiments need: sets of the catalogue, folders, "embedded". Empty where
    nothing needs to be said, because all that is needed is there as it is registered. Where one
    set cannot be used, it says that the embedded photographs stand in for all.
    """
    needed = set(sets)
    states = [state(name) for name in SETS if name in needed]
    folders = sorted(name for name in needed - SETS.keys() if Path(name).is_dir())
    if not states and not folders:
        return _left_aside()
    told = [*map(_told_folder, folders), *map(_told_own, _of(states, "own"))]
    lacking = [found for found in states if not found.is_usable]
    if not told and not lacking:
        return ""
    if registered := _of(states, "registered"):
        told.append(_told(registered, "the registered set", "the registered sets"))
    if missing := _of(states, "missing"):
        told.append(_told(missing, "missing", "missing") + _why_missing(missing))
    told += [f"{s.entry.name} is not fit to be used ({_faults(s)})" for s in _of(states, "unfit")]
    line = f"Pictures: {'; '.join(told)}."
    return f"{line} {_stand_in(lacking)}" if lacking else line


def _of(states: Iterable[State], kind: Kind) -> list[State]:
    return [found for found in states if found.kind == kind]


def _told(states: Sequence[State], one: str, many: str) -> str:
    names = [found.entry.name for found in states]
    if len(names) == 1:
        return f"{names[0]} is {one}"
    return f"{', '.join(names[:-1])} and {names[-1]} are {many}"


def _told_own(found: State) -> str:
    whose = "your own" if _can_fetch(found.entry.name) else "in no registry"
    return f"{found.entry.name} is {whose} ({own_pictures(found.listing)})"


def _told_folder(folder: str) -> str:
    return f"the folder {printable(folder)} is your own ({own_pictures(look_into(Path(folder)))})"


def own_pictures(listing: Listing) -> str:
    """How many pictures, and what was passed over, such as "12 pictures, passed over: 1 hidden"."""
    count = len(listing.pictures)
    remark = f", passed over: {listing.remark}" if listing.remark else ""
    return f"{count} {'picture' if count == 1 else 'pictures'}{remark}"


def _why_missing(missing: Sequence[State]) -> str:
    if data_root() is None:
        return f", because {VARIABLE} is not set"
    remarks = [f"{s.entry.name}: {s.listing.remark}" for s in missing if s.listing.remark]
    return f" (passed over, {'; '.join(remarks)})" if remarks else ""


def _stand_in(lacking: Sequence[State]) -> str:
    names = [
        s.entry.name
        for s in lacking
        if not s.is_own and (s.kind == "missing" or s.lacking or s.altered)
    ]
    fetchable = " ".join(name for name in names if _can_fetch(name))
    ways = [f"`rainlens data fetch {fetchable}` gets what is missing"] if fetchable else []
    if any(found.kind == "unfit" for found in lacking):
        ways.append("`rainlens data check` names the files that are at fault")
    told = "".join(f"; {way}" for way in ways)
    return f"The embedded photographs stand in for all of them, and the numbers differ{told}."


def _left_aside() -> str:
    own = _of([state(name) for name in SETS], "own") if data_root() else []
    if not own:
        return ""
    told = ", ".join(f"{s.entry.name} ({own_pictures(s.listing)})" for s in own)
    return (
        f"Pictures: only the embedded photographs are used at this scale; your own {told} "
        f"{'is' if len(own) == 1 else 'are'} left aside."
    )
