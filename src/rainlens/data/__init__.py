"""The data sets: what they are, where they lie, how to get them and how to check them.

`RAINLENS_DATA` names the folder that holds them, one sub-folder for each set. `fetch` fills such
a folder: it downloads the originals that `registry.csv` lists, compares each with its SHA-256
checksum, and converts it to the file that the experiments read. `check` looks at what is there.
"""

from rainlens.data.catalogue import (
    REGISTRY,
    SETS,
    VARIABLE,
    DataError,
    DataSet,
    Original,
    data_root,
    default_root,
    read_registry,
    root_message,
    set_folder,
)
from rainlens.data.check import check, listing
from rainlens.data.convert import on_white, rain_layer, shrink
from rainlens.data.fetch import fetch

__all__ = [
    "REGISTRY",
    "SETS",
    "VARIABLE",
    "DataError",
    "DataSet",
    "Original",
    "check",
    "data_root",
    "default_root",
    "fetch",
    "listing",
    "on_white",
    "rain_layer",
    "read_registry",
    "root_message",
    "set_folder",
    "shrink",
]
