"""What the operating system says, in one sentence with the path and what to do."""

from __future__ import annotations

import errno

OWN_FOLDER = "name a folder of your own (RAINLENS_RECORDS for records, RAINLENS_DATA for pictures)"
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "your quota on this disk is used up; free some space and run it again",
    errno.EROFS: f"this place is read-only; {OWN_FOLDER}",
    errno.EACCES: f"you may not use this place; ask its owner, or {OWN_FOLDER}",
    errno.EPERM: "this is not permitted; ask the owner of this place, or name a folder of your own",
    errno.ENOTDIR: "a file stands where a folder should be; move it away or name another folder",
    errno.EEXIST: "something stands there already; move it away or name another place",
    errno.EISDIR: "a folder stands where a file should be; name a file",
    errno.ENOENT: "it is not there; check the path",
    errno.ENAMETOOLONG: "the name is too long for this disk; choose a shorter path",
    errno.EMFILE: "too many files are open; close other programs or raise `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine; close other programs",
    errno.ENOMEM: "there is not enough memory; close other programs or use fewer workers",
    errno.EIO: "the disk reports an error; check it before you go on",
}


def told(error: OSError) -> str:
    """One sentence: where, what is wrong, and what to do."""
    where = error.filename if error.filename is not None else error.filename2
    if isinstance(where, bytes):
        where = where.decode(errors="replace")
    what = REMEDIES.get(error.errno or 0, f"{error.strerror or error}; mend that and run it again")
    return f"{where}: {what}." if where is not None else f"{what[0].upper()}{what[1:]}."
