"""Records travel between machines in an archive (`pack`, `merge`)."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainlens.records.files import write_whole
from rainlens.records.record import FORMAT, NAME, SUM, Record, RecordError, parse
from rainlens.records.store import RecordStore

MANIFEST = "manifest.json"  # of an archive: its scale, and the SHA-256 of every other file
MOST_BYTES = 2 * 2**30  # of an archive, unpacked
LARGEST = 64 * 2**20  # of one file in it, in bytes
MOST_FILES = 100_000


def pack(store: RecordStore, scale: str, archive: Path) -> int:
    """Writes all records of a store, pictures and weights too, to one file; returns how many.

    Raises RecordError where a record or one of its files is damaged or missing, and where there
    is no record at all.
    """
    contents: dict[str, bytes] = {}
    records = list(store)
    if not records:
        raise RecordError(f"{store.folder} holds no record; compute some with `rainlens run`.")
    for record in records:
        for path in store.files(record):
            store.verify(record, path.name)
            if not path.exists():
                raise RecordError(
                    f"{path} is missing, which belongs to the record {record.name}; restore it, "
                    "or delete the record to compute it again."
                )
            contents[path.name] = path.read_bytes()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = json.dumps({"format": FORMAT, "scale": scale, "files": sums}).encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in {MANIFEST: manifest, **contents}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write_whole(archive, target.getvalue())
    return len(records)


@dataclass(frozen=True)
class Merged:
    """What `merge` did, by names of records.

    added: new here. known: here already; restored: of those, which had lost files. conflicts:
    here already with other results, and left as they are.
    """

    scale: str
    added: tuple[str, ...]
    known: tuple[str, ...]
    restored: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = field(default=())


def merge(archive: Path, store_of: Callable[[str], RecordStore]) -> Merged:
    """Adds the records of an archive to the store of its scale, which `store_of` gives.

    Everything is checked before anything is written. Raises RecordError for a file that is no
    archive of records, one that was changed on the way, and one that holds anything but records
    and the files that belong to them. A record that is here with other results stays as it is.
    """
    manifest, contents = _unpack(archive)
    store = store_of(manifest["scale"])
    records = _records(archive, store, contents)
    ours = {record.name: store.load(record.name) for record in records}
    added, known, conflicts, restored = [], [], [], []
    wanted: dict[str, bytes] = {}
    for record in records:
        here = ours[record.name]
        names = [*_files_of(record, contents), f"{record.name}.json"]
        if here is None:
            added.append(record.name)
            wanted |= {name: contents[name] for name in names}
        elif here.results != record.results:
            conflicts.append(record.name)
        else:
            known.append(record.name)
            lost = [name for name in names if not (store.folder / name).exists()]
            wanted |= {name: contents[name] for name in lost}
            restored += [record.name] * bool(lost)
    if wanted:
        store.put(wanted)
    lists = added, known, restored, conflicts
    return Merged(manifest["scale"], *map(tuple, lists))


def _records(archive: Path, store: RecordStore, contents: Mapping[str, bytes]) -> list[Record]:
    """The records among the contents; all other files have to belong to one of them."""
    records = [
        parse(store.folder / name, content)
        for name, content in contents.items()
        if name.endswith(".json")
    ]
    belonging = {f"{record.name}.json" for record in records}
    for record in records:
        files = _files_of(record, contents)
        belonging.update(files)
        for name in files:
            told = record.sums.get(name)
            if name not in contents:
                raise RecordError(
                    f"{archive} lacks {name}, which belongs to a record; pack it again."
                )
            if told not in (None, hashlib.sha256(contents[name]).hexdigest()):
                raise RecordError(f"{archive} has {name}, but not as its record knows it.")
    stray = sorted(set(contents) - belonging)
    if stray:
        raise RecordError(f"{archive} has {stray[0]!r}, which belongs to no record; pack it again.")
    return records


def _files_of(record: Record, contents: Mapping[str, bytes]) -> list[str]:
    """Pictures and weights of a record; the first records did not list their weights."""
    weights = f"{record.name}.safetensors"
    return list(dict.fromkeys([*record.files, *([weights] if weights in contents else [])]))


def _unpack(archive: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the contents of an archive, by file name, all sums verified."""
    if not archive.exists():
        raise RecordError(f"{archive} does not exist; check the path.")
    if not archive.is_file():
        raise RecordError(
            f"{archive} is no file; name an archive that `rainlens records pack` wrote."
        )
    try:
        with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
            contents = _contents(archive, tar)
        manifest = json.loads(contents.pop(MANIFEST))
        sums, scale, version = (manifest[name] for name in ("files", "scale", "format"))
        formed = isinstance(scale, str) and all(map(SUM.fullmatch, sums.values()))
    except (
        *(tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile),
        *(ValueError, KeyError, TypeError, AttributeError, RecursionError),
    ) as error:
        raise RecordError(
            f"{archive} is not an archive of records ({type(error).__name__}); "
            "make one with `rainlens records pack`."
        ) from error
    if version != FORMAT or not formed:
        told = str(version)[:20]
        raise RecordError(f"{archive} has format {told!r}, this version reads {FORMAT}.")
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if found != sums:
        wrong = sorted(n for n in found.keys() | sums.keys() if found.get(n) != sums.get(n))
        raise RecordError(
            f"{archive} was damaged or changed on the way ({wrong[0]!r}); copy or pack it again."
        )
    return manifest, contents


def _contents(archive: Path, tar: tarfile.TarFile) -> dict[str, bytes]:
    """All files of an archive, none of them a link, sparse, in a folder, or too large."""
    contents: dict[str, bytes] = {}
    total = 0
    for member in tar:
        plain = member.isreg() and not member.issparse() and member.name not in contents
        if not plain or not _is_ours(member.name):
            raise RecordError(
                f"{archive} has {member.name[:80]!r}, which is not a plain file in one folder that "
                "records have; do not trust it."
            )
        total += member.size
        if member.size > LARGEST or total > MOST_BYTES or len(contents) >= MOST_FILES:
            raise RecordError(f"{archive} unpacks to more than records take; do not trust it.")
        file = tar.extractfile(member)
        assert file is not None, "a regular file"
        contents[member.name] = file.read()
    return contents


def _is_ours(name: str) -> bool:
    """Whether a file is called as those of records are."""
    stem = name.split(".json")[0].split(".safetensors")[0]
    if name.endswith(".webp"):
        stem = name.rsplit(".", 3)[0]
    return name == MANIFEST or NAME.fullmatch(stem) is not None
