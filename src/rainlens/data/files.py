"""Folders as people have them: which files are pictures, what was passed over, and a digest."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rainlens.data.catalogue import DataError
from rainlens.data.pictures import ADVICE, FORMAT_OF, formats, printable

# Folders, in lower case, that hold thumbnails, or what archives and file servers leave behind.
# Hidden ones, such as .thumbnails and .Trash-1000, need no name here.
LITTER = frozenset(
    "@eadir @recycle @recently-snapshot #recycle #snapshot __macosx $recycle.bin lost+found "
    "thumbs thumbnails".split()
    + ["system volume information"]
)


@dataclass(frozen=True)
class Listing:
    """What lies below a folder: pictures sorted by path, and what was passed over, with why.

    Reasons are as short as "hidden", "pointing to nothing", or a suffix that is not read.
    """

    pictures: tuple[Path, ...] = ()
    passed_over: tuple[tuple[Path, str], ...] = ()

    def __add__(self, other: Listing) -> Listing:
        return Listing(self.pictures + other.pictures, self.passed_over + other.passed_over)

    @property
    def remark(self) -> str:
        """What was passed over, and why, in a few words; empty where nothing was."""
        counts = Counter(why for _, why in self.passed_over)
        first = {why: path for path, why in reversed(self.passed_over)}
        return ", ".join(
            f"{count} {why} ({_example(first[why], why)})" for why, count in counts.items()
        )


def _example(path: Path, why: str) -> str:
    advice = ADVICE.get(FORMAT_OF.get(why, ""))  # where the suffix is the reason
    return f"{printable(path.name)}; {advice}" if advice else printable(path.name)


def look_into(folder: Path) -> Listing:
    """The pictures below a folder, and what is passed over.

    Hidden files and folders, thumbnails, leftovers of archives and all that is not a file are
    passed over. Links to folders are followed, but no folder is entered twice, so that neither a
    loop nor a second way makes two pictures out of one. Where there is no folder, there is nothing.
    """
    pictures: list[Path] = []
    passed_over: list[tuple[Path, str]] = []
    entered: set[tuple[int, int]] = set()
    waiting = [folder] if folder.is_dir() else []
    while waiting:
        place = waiting.pop()
        entries, why = _enter(place, entered)
        if why:
            passed_over.append((place, why))
        judged = [(Path(entry.path), *_judge(entry)) for entry in entries]
        passed_over += [(path, why) for path, why, _ in judged if why]
        pictures += [path for path, why, is_folder in judged if not (why or is_folder)]
        waiting += [path for path, why, is_folder in reversed(judged) if is_folder and not why]
    # By parts, not by `Path`, which leaves capitals out of account on Windows.
    return Listing(tuple(sorted(pictures, key=lambda path: path.parts)), tuple(passed_over))


def _enter(place: Path, entered: set[tuple[int, int]]) -> tuple[list[os.DirEntry[str]], str]:
    """(what is in a folder, by name; why it is not entered, or nothing)."""
    try:
        status = place.stat()
        with os.scandir(place) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return [], "that cannot be opened"
    if (status.st_dev, status.st_ino) in entered:
        return [], "linked a second time"
    entered.add((status.st_dev, status.st_ino))
    return entries, ""


def _judge(entry: os.DirEntry[str]) -> tuple[str, bool]:
    """(why it is passed over, or nothing; whether it is a folder)."""
    if entry.name.startswith("."):
        return "hidden", False
    try:
        if entry.is_dir():
            litter = entry.name.lower() in LITTER
            return "with thumbnails or leftovers" if litter else "", True
        if entry.is_file():
            return _unread(Path(entry.name).suffix.lower()), False
        return ("pointing to nothing" if entry.is_symlink() else "not a file"), False
    except OSError:
        return "that cannot be opened", False


def _unread(suffix: str) -> str:
    """Why files with this suffix are passed over; empty where they are read."""
    name = FORMAT_OF.get(suffix)
    if name is None:
        return printable(suffix) or "without a suffix"
    return "" if name in formats() else suffix


def digest(files: Iterable[Path], folder: Path) -> str:
    """Sixteen hexadecimal digits that say which files these are: names, order and every byte.

    files: below `folder`; their paths from there count, so that the set may lie anywhere. What
    was read once is remembered as long as size and time of the file stay as they are.

    Raises:
        DataError: a file cannot be read.
    """
    whole = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
            content = _sha256(file, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        except OSError as error:
            raise DataError(
                f"{printable(file)} cannot be read ({error.strerror}); check the file."
            ) from error
        # One name has several spellings in Unicode, and systems change one for another.
        name = unicodedata.normalize("NFC", file.relative_to(folder).as_posix())
        whole.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()[:16]


@lru_cache(maxsize=1 << 16)
def _sha256(path: Path, size: int, modified: int, changed: int) -> str:
    return file_sha256(path)


def file_sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
