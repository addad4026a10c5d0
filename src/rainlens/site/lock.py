"""One build at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rainlens.records.files import lock
from rainlens.site.sources import BookError


@contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """Holds a lock until the block ends, or the process does, however it does.

    The file stays, empty: were it removed, two processes could hold locks of one name. doing: what
    the holder does. Raises BookError, which says so, where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="ascii") as file:
        if not lock(file):
            raise BookError(
                f"Another build{_holder(path)} {doing}; wait for its end, and run this again."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def _holder(path: Path) -> str:
    told = path.read_text(encoding="ascii").strip()
    return f" (process {told})" if told else ""
