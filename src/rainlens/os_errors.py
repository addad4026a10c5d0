"""What the operating system refuses, as one sentence: where, what, and what to do."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

# Of an error, what is wrong and what to do about it.
_TOLD = {
    errno.ENOSPC: ("there is no space left on this disk", "free some, and run it again"),
    errno.EDQUOT: ("your share of this disk is used up", "free some of it, and run it again"),
    errno.EROFS: ("this disk can only be read", "work in a folder on one that can be written"),
    errno.EACCES: ("you lack the right to it", "get that, or work in a folder of your own"),
    errno.EPERM: ("you lack the right to it", "get that, or work in a folder of your own"),
    errno.ENOENT: ("it does not exist", "check the path"),
    errno.EISDIR: ("it is a folder where a file should be", "move it away, and run it again"),
    errno.ENOTEMPTY: ("another program writes into it", "end that, and run it again"),
    errno.EBUSY: ("another program uses it", "end that, and run it again"),
    errno.ENAMETOOLONG: ("its name is too long for this disk", "use a folder with a shorter path"),
    errno.ELOOP: ("it is a link that leads in a circle", "remove the link"),
    errno.EMFILE: ("too many files are open", "raise the limit with `ulimit -n 4096`"),
    errno.ENFILE: ("too many files are open", "close other programs, and run it again"),
    errno.ENOMEM: ("there is too little memory", "close other programs, and run it again"),
    errno.EIO: ("the disk reports a fault", "save what you need of it, and have it checked"),
}
_IN_THE_WAY = "it is a file where a folder should be", "move it away, and run it again"
_UNKNOWN = "see to that, and run it again"
# As Python prints such an error: [Errno 28] No space left on device: 'file'
_PRINTED = re.compile(r"\[Errno (\d+)\] ([^:\n]*)(?:: '([^'\n]*)')?")


def sentence(error: OSError, place: Path | None = None) -> str:
    """Where, what is wrong, what to do; `place` is said where the error names no file."""
    if isinstance(error, shutil.Error):  # a list of what could not be copied, and why not
        error = from_text(str(error)) or error
    number = error.errno or 0
    # Of a file that is to take another's place, the other is in the way, unless the first is gone.
    second = error.filename2 if number != errno.ENOENT else None
    named = second or error.filename
    path = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else place
    what, remedy = _TOLD.get(number, (error.strerror or f"{error}", _UNKNOWN))
    if number in (errno.ENOTDIR, errno.EEXIST) and path is not None:
        blocking = _file_among(path)
        if blocking is not None:
            path, (what, remedy) = blocking, _IN_THE_WAY
    where = "" if path is None else f"{_printable(path)}: "
    return f"{where}{what}; {remedy}."


def from_text(text: str) -> OSError | None:
    """The last such error that another process printed, or None where there is none."""
    found = list(_PRINTED.finditer(text))
    if not found:
        return None
    number, told, name = found[-1].groups()
    return OSError(int(number), told, name) if name else OSError(int(number), told)


def _file_among(path: Path) -> Path | None:
    """What stands in the way of the folder: itself, or the first above it that is a file."""
    return next((one for one in (path, *path.parents) if os.path.isfile(one)), None)


def _printable(path: Path) -> str:
    """A name may hold control characters, which would act on the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))
