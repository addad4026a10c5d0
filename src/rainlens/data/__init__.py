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
)
from rainlens.data.check import check, listing
from rainlens.data.convert import rain_layer, shrink
from rainlens.data.fetch import fetch
from rainlens.data.files import Listing, digest, look_into
from rainlens.data.pictures import (
    PictureError,
    formats,
    on_white,
    open_picture,
    printable,
    read_picture,
)
from rainlens.data.state import State, on_hand_line, refusal, set_folder, state

__all__ = [
    "REGISTRY",
    "SETS",
    "VARIABLE",
    "DataError",
    "DataSet",
    "Listing",
    "Original",
    "PictureError",
    "State",
    "check",
    "data_root",
    "default_root",
    "digest",
    "fetch",
    "formats",
    "listing",
    "look_into",
    "on_hand_line",
    "on_white",
    "open_picture",
    "printable",
    "rain_layer",
    "read_picture",
    "read_registry",
    "refusal",
    "root_message",
    "set_folder",
    "shrink",
    "state",
]
