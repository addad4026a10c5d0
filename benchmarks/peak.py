"""How much memory a process has needed."""

import resource
import sys

UNIT = 1024 if sys.platform == "linux" else 1024**2  # of ru_maxrss, in a MiB


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
