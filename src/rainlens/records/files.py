"""Files are written whole or not at all; one experiment is computed by one process at a time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

try:
    import fcntl
except ImportError:  # not on Windows: there, nobody else is seen
    fcntl = None  # type: ignore[assignment]


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file in one step: whoever reads, or kills us, sees the old or the new one.

    Raises OSError, naming the path; nothing is left behind then.
    """
    # Random, since processes in two containers may have the same number.
    beside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "wb") as file:
            lock(file)  # `clear_leftovers` of another process must not take it for a leftover
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(beside, path)
    except OSError as error:
        raise _about(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # there only if something failed


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises OSError, naming the path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _about(folder, error) from error


def clear_leftovers(folder: Path) -> None:
    """Removes what killed processes have left in a folder: half-written files and their locks.

    Whoever waits to lock such a file finds another or none under its name and opens it anew.
    """
    for path in (*folder.glob(".*.tmp"), *folder.glob("*.lock")):
        with suppress(OSError), open(path, "rb") as file:
            if lock(file):
                path.unlink(missing_ok=True)


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Whether this process holds the lock file, which it then does until the block ends.

    What a killed process held is free at once. The file is gone afterwards.
    """
    make_folder(path.parent)
    file = _claimed(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            file.close()


def _claimed(path: Path) -> BinaryIO | None:
    """The open lock file, or None where another process holds it."""
    while True:
        try:
            file = open(path, "ab")  # noqa: SIM115 - it stays open for as long as it is held
        except OSError as error:
            raise _about(path, error) from error
        if not lock(file):
            file.close()
            return None
        # Its last holder may have removed it between our opening and our locking.
        with suppress(OSError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()


def lock(file: IO[Any]) -> bool:
    """Whether the lock of an open file could be had, without waiting; it lasts until it closes."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a disk that knows no locks: as if there were nobody else
    return True


def _about(path: Path, error: OSError) -> OSError:
    """The same error of the path that was meant, not of the one written beside it."""
    return type(error)(error.errno, error.strerror, str(path))
