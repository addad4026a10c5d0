"""The record store: what was measured, written whole, under a checksum, with where it came from."""

from rainlens.records.archive import Merged, merge, pack
from rainlens.records.checking import Checked, check
from rainlens.records.files import write_whole
from rainlens.records.record import FORMAT, Record, RecordError, Series
from rainlens.records.store import RecordStore
from rainlens.records.values import described, key_of, rebuilt, slug, stored, training_key_of
from rainlens.records.weights import Trained

__all__ = [
    "FORMAT",
    "Checked",
    "Merged",
    "Record",
    "RecordError",
    "RecordStore",
    "Series",
    "Trained",
    "check",
    "described",
    "key_of",
    "merge",
    "pack",
    "rebuilt",
    "slug",
    "stored",
    "training_key_of",
    "write_whole",
]
