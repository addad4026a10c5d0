"""Records come back as written, are whole or absent, and are refused by name when damaged."""

import hashlib
import json
import math
import os
from dataclasses import replace

import pytest
import torch

from rainlens import records
from rainlens.images import PictureError
from rainlens.records import Record, RecordError, RecordStore

RECORD = Record(
    name="derain-test",
    experiment={"model": "resnet", "options": [["blocks", 2]], "seed": 0, "learning_rate": 2e-4},
    curves={"iteration": [0, 3, 6], "loss": [float("nan"), 0.123456789, 1 / 3]},
    tests={"unseen": {"gain": [0.5, math.pi], "psnr": [float("inf"), 25.0]}},
    provenance={"torch": "2.4", "seconds": 1.5},
)


def as_text(record: Record) -> str:
    """Comparable, also where values are nan."""
    return json.dumps([record.results, record.provenance], sort_keys=True)


@pytest.fixture
def store(tmp_path) -> RecordStore:
    return RecordStore(tmp_path / "records" / "smoke")


def test_round_trip(store):
    returned = store.save(RECORD)
    loaded = store.load(RECORD.name)
    assert as_text(loaded) == as_text(returned)
    assert loaded.experiment == RECORD.experiment and loaded.name == RECORD.name
    assert loaded.curves["iteration"] == [0, 3, 6]
    assert loaded.curves["loss"][0] is None
    assert loaded.curves["loss"][1:] == [0.1234568, 0.3333333]  # seven digits
    assert loaded.tests["unseen"] == {"gain": [0.5, 3.141593], "psnr": [None, 25.0]}
    assert loaded.provenance == RECORD.provenance


def test_results_leave_the_provenance_out():
    other = replace(RECORD, provenance={"torch": "3.0"})
    assert other.results == RECORD.results and "provenance" not in RECORD.results


def test_rounding_is_done_once_for_all(store):
    first = store.save(RECORD)
    content = store.path(RECORD.name).read_bytes()
    second = store.save(store.load(RECORD.name))
    assert as_text(second) == as_text(first)
    assert store.path(RECORD.name).read_bytes() == content


def test_no_record_is_none(store):
    assert store.load("derain-never") is None
    assert list(store) == []


def test_checksum_is_the_sha256_of_the_rest(store):
    store.save(RECORD)
    body = json.loads(store.path(RECORD.name).read_text())
    checksum = body.pop("sha256")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert checksum == hashlib.sha256(text.encode()).hexdigest()


def test_layout_of_the_json_does_not_matter(store):
    # Version control may have passed it through a formatter: same content, same record.
    saved = store.save(RECORD)
    path = store.path(RECORD.name)
    body = dict(reversed(json.loads(path.read_text()).items()))
    path.write_text(json.dumps(body, indent=2))
    assert as_text(store.load(RECORD.name)) == as_text(saved)


def edited(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "last byte": lambda content: content[:-2],
    "a number": lambda content: edited(content, b"3.141593", b"3.141594"),
    "provenance": lambda content: edited(content, b'"seconds":1.5', b'"seconds":9.5'),
    "no checksum": lambda content: edited(content, b'"sha256"', b'"sha1"'),
    "another format": lambda content: edited(content, b'"format":1', b'"format":99'),
    "a list": lambda content: b"[" + content + b"]",
    "a word": lambda content: b"12",
    "text": lambda content: b"<<<<<<< HEAD\n" + content,
    "bytes": lambda content: edited(content, b"resnet", b"res\xff\xfet"),
    "zeros": lambda content: b"\0" * len(content),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_record_is_named_and_left_alone(store, damage):
    store.save(RECORD)
    path = store.path(RECORD.name)
    content = DAMAGES[damage](path.read_bytes())
    path.write_bytes(content)
    for read in (lambda: store.load(RECORD.name), lambda: list(store)):
        with pytest.raises(RecordError) as error:
            read()
        message = str(error.value)
        assert str(path) in message and message.endswith(".") and "\n" not in message
    assert path.read_bytes() == content


def test_record_under_another_name_is_refused(store):
    store.save(RECORD)
    os.rename(store.path(RECORD.name), store.path("derain-other"))
    with pytest.raises(RecordError, match="derain-test") as error:
        store.load("derain-other")
    assert str(store.path("derain-other")) in str(error.value)


@pytest.mark.parametrize("fails", ["fsync", "replace"])
@pytest.mark.parametrize("before", [None, b"the old content"])
def test_failed_write_leaves_what_was_there(tmp_path, monkeypatch, fails, before):
    def fail(*_):
        raise OSError("No space left on device")

    path = tmp_path / "record.json"
    if before is not None:
        path.write_bytes(before)
    monkeypatch.setattr(records.os, fails, fail)
    with pytest.raises(OSError, match="No space"):
        records.write_whole(path, b"the new content")
    monkeypatch.undo()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_unfinished_files_are_not_records(store):
    store.save(RECORD)
    (store.folder / ".derain-b.json.123.tmp").write_bytes(b'{"format"')
    store.checkpoint_path("derain-b").parent.mkdir()
    store.checkpoint_path("derain-b").write_bytes(b"state")
    assert [record.name for record in store] == ["derain-test"]


def test_store_iterates_by_name(store):
    for name in ("derain-b", "derain-c", "derain-a"):
        store.save(replace(RECORD, name=name))
    assert [record.name for record in store] == ["derain-a", "derain-b", "derain-c"]


def test_pictures_are_kept_and_found(store):
    ramp = torch.linspace(0, 255, 64).byte().repeat(3, 48, 1)
    flat = torch.full((3, 20, 30), 200, dtype=torch.uint8)
    record = store.save(RECORD, {"shown": [ramp, flat]})
    assert store.load(RECORD.name).pictures == record.pictures
    assert [(store.folder / name).is_file() for name in record.pictures["shown"]] == [True, True]
    for index, picture in enumerate((ramp, flat)):
        kept = store.picture(record, "shown", index)
        assert kept.shape == picture.shape
        assert (kept.double() - picture.double()).abs().mean() < 2
    (store.folder / record.pictures["shown"][1]).unlink()
    with pytest.raises(PictureError, match="shown.1.webp"):
        store.picture(record, "shown", 1)


def test_saving_again_replaces(store):
    store.save(RECORD)
    store.save(replace(RECORD, tests={}))
    assert store.load(RECORD.name).tests == {}
    assert [path.name for path in store.folder.iterdir()] == ["derain-test.json"]
