"""Records come back as written, are whole or absent, and are refused by name when damaged."""

import errno
import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rainlens import records
from rainlens.records import Record, RecordError, RecordStore, Trained, archive, files, key_of
from rainlens.records.record import checksum, parse, to_bytes

EXPERIMENT = {"model": "resnet", "options": [["blocks", 2]], "seed": 0, "learning_rate": 2e-4}


def named(readable: str, seed: int = 0, task: str = "derain") -> dict[str, Any]:
    """Name and experiment of a made-up record; a name ends in the key of its experiment."""
    experiment = {**EXPERIMENT, "seed": seed}
    key = key_of(task, experiment)
    return {"name": f"{task}-{readable}-{key}", "experiment": experiment}


RECORD = Record(
    **named("test"),
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
    os.rename(store.path(RECORD.name), store.path("derain-other-0123456789"))
    with pytest.raises(RecordError, match=RECORD.name) as error:
        store.load("derain-other-0123456789")
    assert str(store.path("derain-other-0123456789")) in str(error.value)


@pytest.mark.parametrize("fails", ["fsync", "replace"])
@pytest.mark.parametrize("before", [None, b"the old content"])
def test_failed_write_leaves_what_was_there(tmp_path, monkeypatch, fails, before):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "record.json"
    if before is not None:
        path.write_bytes(before)
    monkeypatch.setattr(files.os, fails, fail)
    with pytest.raises(OSError, match="No space.*record.json"):
        records.write_whole(path, b"the new content")
    monkeypatch.undo()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_unfinished_files_are_not_records(store):
    store.save(RECORD)
    (store.folder / ".derain-b.json.123.tmp").write_bytes(b'{"format"')
    store.checkpoint_path("derain-b").parent.mkdir()
    store.checkpoint_path("derain-b").write_bytes(b"state")
    assert [record.name for record in store] == [RECORD.name]


def test_store_iterates_by_name(store):
    for readable in ("b", "c", "a"):
        store.save(replace(RECORD, **named(readable)))
    assert [record.name[:8] for record in store] == ["derain-a", "derain-b", "derain-c"]


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
    with pytest.raises(RecordError, match="shown.1.webp is missing"):
        store.picture(record, "shown", 1)


def test_saving_again_replaces(store):
    store.save(RECORD)
    store.save(replace(RECORD, tests={}))
    assert store.load(RECORD.name).tests == {}
    assert [path.name for path in store.folder.iterdir()] == [f"{RECORD.name}.json"]


# --- archives


TOY = replace(RECORD, **named("test", task="toy"), task="toy")
PICTURE = torch.zeros(3, 16, 16, dtype=torch.uint8)


@pytest.fixture
def packed(store, tmp_path):
    """An archive of two records, one with a picture, one with weights."""
    store.save(RECORD, {"shown": [PICTURE]})
    store.save(TOY, weights={"w": torch.ones(2)})
    archive = tmp_path / "records.tar.gz"
    assert records.pack(store, "smoke", archive) == 2
    return archive


def repack(archive, change) -> None:
    """Rewrites an archive; change(contents) edits name -> bytes, without mending any sum."""
    with tarfile.open(archive) as tar:
        contents = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}
    change(contents)
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def contents_of(folder) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}


def test_packed_records_arrive_whole(packed, store, tmp_path):
    other = RecordStore(tmp_path / "other")
    merged = records.merge(packed, lambda scale: {"smoke": other}[scale])
    assert set(merged.added) == {RECORD.name, TOY.name} and merged.known == ()
    assert contents_of(other.folder) == contents_of(store.folder)
    again = records.merge(packed, lambda scale: other)
    assert again.added == () and set(again.known) == {RECORD.name, TOY.name}


def test_a_record_with_other_results_stays_and_the_rest_is_merged(packed, tmp_path):
    other = RecordStore(tmp_path / "other")
    other.save(replace(RECORD, curves={"iteration": [0], "loss": [1.0]}))
    before = contents_of(other.folder)
    merged = records.merge(packed, lambda scale: other)
    assert merged.conflicts == (RECORD.name,) and merged.added == (TOY.name,)
    assert before.items() < contents_of(other.folder).items()


def test_a_lost_picture_is_restored_by_merging(packed, store, tmp_path):
    whole = contents_of(store.folder)
    (store.folder / f"{RECORD.name}.shown.0.webp").unlink()
    merged = records.merge(packed, lambda scale: store)
    assert merged.restored == (RECORD.name,) and merged.added == ()
    assert contents_of(store.folder) == whole


def test_only_the_provenance_may_differ(packed, tmp_path):
    other = RecordStore(tmp_path / "other")
    other.save(replace(RECORD, provenance={"torch": "9"}), {"shown": [PICTURE]})
    assert records.merge(packed, lambda scale: other).known == (RECORD.name,)
    assert other.load(RECORD.name).provenance == {"torch": "9"}


def flip(contents, name: str) -> None:
    contents[name] = contents[name].replace(b"0.5", b"0.9").replace(b"WEBP", b"WEBQ")


@pytest.mark.parametrize("name", [f"{RECORD.name}.json", f"{RECORD.name}.shown.0.webp"])
def test_a_changed_file_is_named(packed, tmp_path, name):
    repack(packed, lambda contents: flip(contents, name))
    with pytest.raises(RecordError, match=f"changed on the way ..{name}"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def forge(contents) -> None:
    """Changes a result and mends the manifest, but not the record's own checksum."""
    name = f"{RECORD.name}.json"
    flip(contents, name)
    manifest = json.loads(contents[archive.MANIFEST])
    manifest["files"][name] = hashlib.sha256(contents[name]).hexdigest()
    contents[archive.MANIFEST] = json.dumps(manifest).encode()


def test_a_record_with_a_wrong_checksum_is_refused(packed, tmp_path):
    repack(packed, forge)
    with pytest.raises(RecordError, match="its checksum does not fit"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))
    assert contents_of(tmp_path / "other") == {}


@pytest.mark.parametrize("path", ["../evil.json", "/tmp/evil.json", "a/evil.json", "..", ".x"])
def test_a_path_out_of_the_store_is_refused(packed, tmp_path, path):
    repack(packed, lambda contents: contents.update({path: b"{}"}))
    with pytest.raises(RecordError, match="not a plain file in one folder"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))


def test_a_link_is_refused(packed, tmp_path):
    with tarfile.open(packed, "w:gz") as tar:
        link = tarfile.TarInfo("x.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(RecordError, match="not a plain file"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))


def test_what_is_no_archive_is_called_so(packed, tmp_path):
    for content in (b"", b"not a tar", packed.read_bytes()[:200]):
        (tmp_path / "x.tar.gz").write_bytes(content)
        with pytest.raises(RecordError, match="not an archive of records"):
            records.merge(tmp_path / "x.tar.gz", lambda scale: RecordStore(tmp_path / "other"))
    with pytest.raises(RecordError, match="does not exist"):
        records.merge(tmp_path / "none.tar.gz", lambda scale: RecordStore(tmp_path / "other"))


def test_a_missing_picture_is_named_when_packing(packed, store, tmp_path):
    (store.folder / f"{RECORD.name}.shown.0.webp").unlink()
    with pytest.raises(RecordError, match="shown.0.webp is missing"):
        records.pack(store, "smoke", tmp_path / "second.tar.gz")
    assert not (tmp_path / "second.tar.gz").exists()


# --- trained networks, kept for later looks -----------------------------------------------------


def trained_one() -> Trained:
    weights = {"a.weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}
    curves = {"iteration": [0, 10], "loss": [None, 0.25]}
    return Trained(weights, curves, {"experiment": {"seed": 1}, "provenance": {"threads": 2}})


def test_a_trained_network_comes_back_as_it_was(tmp_path):
    store, kept = RecordStore(tmp_path), trained_one()
    assert store.trained("0123abcd") is None
    store.keep_trained("0123abcd", kept)
    found = store.trained("0123abcd")
    assert found.curves == kept.curves and found.about == kept.about
    assert set(found.weights) == set(kept.weights)
    assert all(torch.equal(found.weights[name], kept.weights[name]) for name in kept.weights)
    assert not list(store), "kept weights are no records"


def test_every_damaged_byte_of_kept_weights_is_noticed(tmp_path):
    store = RecordStore(tmp_path)
    store.keep_trained("0123abcd", trained_one())
    path = store.trained_path("0123abcd")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            found = store.trained("0123abcd")
        except RecordError as error:
            assert str(path) in str(error)
        else:  # only what means the same may pass, such as white space of the header
            assert found is not None and found.curves == trained_one().curves
            assert torch.equal(found.weights["a.weight"], trained_one().weights["a.weight"])


# --- records from elsewhere: data, never a path or markup ---------------------------------------


def signed(**changes: Any) -> bytes:
    """The file of a record with other fields, and a checksum that fits."""
    body = json.loads(to_bytes(RECORD))
    del body["sha256"]
    body = {name: value for name, value in {**body, **changes}.items() if value is not ...}
    return json.dumps({**body, "sha256": checksum(body)}).encode()


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 0


HOSTILE = {
    "a picture that is a path": {"pictures": {"shown": ["../../secret.txt"]}},
    "a picture of another record": {"pictures": {"shown": ["derain-b-0123456789.shown.0.webp"]}},
    "pictures that are no list": {"pictures": {"shown": f"{RECORD.name}.shown.0.webp"}},
    "a test set that is a path": {"tests": {"../x": {"gain": [1]}}},
    "a test set that is markup": {"tests": {"<script>": {"gain": [1]}}},
    "a curve that is markup": {"curves": {"<img src=x>": [1]}},
    "a curve of words": {"curves": {"loss": ["low"]}},
    "a curve of truth": {"curves": {"loss": [True]}},
    "a curve that is a number": {"curves": {"loss": 3}},
    "tests that are a list": {"tests": [1]},
    "a name that is a path": {"name": "../derain-test-0123456789"},
    "a name of something else": {"name": "derain-test-0123456789"},
    "a name that is a list": {"name": ["x"]},
    "another task": {"task": "toy"},
    "another experiment": {"experiment": {**EXPERIMENT, "seed": 9}},
    "another engine": {"provenance": {"engine": 7}},
    "an engine of words": {"provenance": {"engine": "<b>"}},
    "a control character": {"provenance": {"device": "a\x1b[31m"}},
    "a turned direction": {"provenance": {"device": "a\u202eb"}},
    "an endless string": {"provenance": {"device": "x" * 2000}},
    "a deep provenance": {"provenance": {"legs": nested(50)}},
    "a foreign file": {"sums": {"../../secret.txt": "0" * 64}},
    "a sum that is none": {"sums": {f"{RECORD.name}.safetensors": "abc"}},
    "a missing field": {"curves": ...},
    "a further field": {"more": 1},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_has_not_the_form_of_a_record_is_refused(tmp_path, case):
    path = tmp_path / f"{RECORD.name}.json"
    with pytest.raises(RecordError, match=RECORD.name) as error:
        parse(path, signed(**HOSTILE[case]))
    message = str(error.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 600


def test_the_hostile_cases_differ_from_a_good_one_in_one_thing(tmp_path):
    assert parse(tmp_path / f"{RECORD.name}.json", signed()).name == RECORD.name


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(tmp_path, number):
    body = json.loads(to_bytes(RECORD))
    del body["sha256"]
    body["curves"] = {"loss": [float(number)]}
    content = json.dumps({**body, "sha256": checksum(body)}).encode()
    with pytest.raises(RecordError, match="no list of finite numbers"):
        parse(tmp_path / f"{RECORD.name}.json", content)


def test_every_file_of_a_record_is_under_its_checksum(packed, store, tmp_path):
    for file in (f"{RECORD.name}.shown.0.webp", f"{TOY.name}.safetensors"):
        path = store.folder / file
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(RecordError, match=file):
                records.pack(store, "smoke", tmp_path / "second.tar.gz")
        with pytest.raises(RecordError, match=file):
            store.verify(store.load(file.split(".")[0]), file)
        assert [told for told in records.check(store).damaged if file in told]
        path.write_bytes(whole)
    assert records.check(store).told() == "2 records are whole, 0 are damaged."


def test_records_from_before_there_were_checksums_of_files_are_read(store):
    record = store.save(RECORD, {"shown": [PICTURE]})
    body = json.loads(store.path(record.name).read_text())
    for name in ("sha256", "sums", "data", "task"):
        del body[name]
    text = json.dumps({**body, "sha256": checksum(body)})
    store.path(record.name).write_text(text)
    assert store.load(record.name).results == record.results
    assert store.picture(store.load(record.name), "shown", 0).shape == PICTURE.shape
    assert "under no checksum" in records.check(store).told()


def test_the_records_of_the_book_are_whole():
    for folder in sorted((Path(__file__).parents[1] / "records").glob("*/")):
        assert records.check(RecordStore(folder)).damaged == []


ODD_ARCHIVES = {
    "a manifest that is a list": {archive.MANIFEST: b"[1]"},
    "a manifest that is a number": {archive.MANIFEST: b"3"},
    "a deep manifest": {archive.MANIFEST: b"[" * 100_000},
    "sums that are numbers": {
        archive.MANIFEST: b'{"format": 1, "scale": "smoke", "files": {"a": 1}}'
    },
    "a scale that is a list": {archive.MANIFEST: b'{"format": 1, "scale": [], "files": {}}'},
}


@pytest.mark.parametrize("case", ODD_ARCHIVES)
def test_odd_manifests_are_refused_in_a_sentence(packed, tmp_path, case):
    repack(packed, lambda contents: contents.update(ODD_ARCHIVES[case]))
    with pytest.raises(RecordError, match="records.tar.gz"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))


def test_a_bomb_is_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 1000)
    name = f"{RECORD.name}.shown.1.webp"
    repack(packed, lambda contents: contents.update({name: bytes(10_000)}))
    with pytest.raises(RecordError, match="more than records take"):
        records.merge(packed, lambda scale: RecordStore(tmp_path / "other"))


def test_an_empty_store_packs_nothing(tmp_path):
    with pytest.raises(RecordError, match="holds no record"):
        records.pack(RecordStore(tmp_path), "smoke", tmp_path / "x.tar.gz")


# --- one process at a time ----------------------------------------------------------------------


def test_a_claim_is_held_by_one_and_free_afterwards(store):
    with store.claim("derain-a") as ours:
        assert ours
        answer = other_process(store, "derain-a")
        assert answer == "False"
    assert other_process(store, "derain-a") == "True"
    assert list((store.folder / ".unfinished").iterdir()) == []


def other_process(store: RecordStore, name: str) -> str:
    """Whether another process can claim a name."""
    code = (
        "from rainlens.records.files import claim\nfrom pathlib import Path\n"
        f"with claim(Path({str(store.folder / '.unfinished' / (name + '.lock'))!r})) as ours: "
        "print(ours)"
    )
    source = str(Path(records.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": source}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return told.stdout.strip()


def test_leftovers_of_the_dead_are_cleared_and_files_of_the_living_are_not(store):
    store.folder.mkdir(parents=True)
    dead, living = store.folder / ".0.tmp", store.folder / ".1.tmp"
    dead.write_bytes(b"half")
    with open(living, "wb") as file:
        files.lock(file)
        store.clear_leftovers()
        assert not dead.exists() and living.exists()
