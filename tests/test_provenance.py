"""The page on how the book was made: counts by hand, no result in its source, checks that run."""

import re
import shutil
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

import rainlens
from rainlens import origin, scales
from rainlens.escaping import escaped
from rainlens.records import Record, RecordError, RecordStore, key_of
from rainlens.scales import RECORDS_VARIABLE
from rainlens.site import provenance

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "book" / "provenance.md").read_text(encoding="utf-8")
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOW = datetime(2026, 2, 3, 1, 30, tzinfo=timezone(timedelta(hours=2)))
HERE = {"device": "cpu (abacus)", "threads": 3, "torch": "9.9", "commit": "aaa"}


def made_up(task: str, **provenance: Any) -> Record:
    """A record of an experiment without fields."""
    return Record(f"{task}-x-{key_of(task, {})}", {}, {}, {}, provenance=provenance)


def another(record: Record) -> Record:
    """The same of another experiment."""
    experiment = {"seed": 1}
    name = f"{record.task}-y-{key_of(record.task, experiment)}"
    return replace(record, name=name, experiment=experiment)


MADE_UP = [
    made_up("derain", **HERE, seconds=3600.0),
    another(made_up("derain", **{**HERE, "seconds": 1800.0, "commit": "bbb-dirty"})),
    made_up("toy", **{**HERE, "seconds": 30.0, "threads": 1}),
    made_up("survey"),
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStore:
    """Where the records of the scale smoke would lie; nothing is there yet."""
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records"))
    return scales.SCALES["smoke"].store


def laid_out(folder: Path, scale: str = "smoke") -> str:
    """The page, completed in `folder` as in a staged book."""
    book = folder / "book"
    book.mkdir()
    for name in ("provenance.md", "references.bib"):
        shutil.copy(ROOT / "book" / name, book)
    provenance.lay_out(book, scales.scale_named(scale), NOW)
    return (book / "provenance.md").read_text(encoding="utf-8")


def test_shares_are_counted() -> None:
    assert provenance.shares(MADE_UP, provenance.kind) == [
        provenance.Share(("deraining networks",), 2, 5400.0),
        provenance.Share(("surveys of pictures",), 1, 0.0),
        provenance.Share(("toy networks",), 1, 30.0),
    ]
    assert provenance.shares(MADE_UP, provenance.place) == [
        provenance.Share(("cpu (abacus)", "3", "9.9"), 2, 5400.0),
        provenance.Share(("cpu (abacus)", "1", "9.9"), 1, 30.0),
        provenance.Share(("not said", "not said", "not said"), 1, 0.0),
    ]
    assert provenance.seconds(MADE_UP) == 5430.0
    assert [provenance.is_dirty(record) for record in MADE_UP] == [False, True, False, False]


def test_a_kind_without_words_keeps_its_name() -> None:
    assert provenance.kind(Record("denoise-x", {}, {}, {})) == ("denoise",)


def test_size_counts_the_files_that_are_there(store: RecordStore) -> None:
    record = Record("derain-a", {}, {}, {}, pictures={"shown": ["a.webp", "gone.webp"]})
    store.folder.mkdir(parents=True)
    (store.folder / "a.webp").write_bytes(bytes(70))
    store.path("derain-a").write_bytes(bytes(30))
    assert provenance.size(store, [record]) == 100


def test_the_page_tells_of_made_up_records(store: RecordStore, tmp_path: Path) -> None:
    for record in MADE_UP:
        store.save(record)
    page = laid_out(tmp_path)
    assert "The scale `smoke` has 4 records" in page
    assert "took 5,430 seconds in all, 1.5 h" in page
    for row in (
        "| deraining networks | 2 | 1.5 h |",
        "| toy networks | 1 | 30 s |",
        "| cpu (abacus) | 3 | 9.9 | 2 | 1.5 h |",
        '| <code class="literal">aaa</code> | 2 | 1.0 h |',
        '| <code class="literal">bbb-dirty</code> | 1 | 30 min |',
    ):
        assert row in page
    assert "**1 record with a commit that ends in `-dirty`**" in page


def test_records_of_whole_code_are_said_to_be(store: RecordStore, tmp_path: Path) -> None:
    store.save(MADE_UP[0])
    page = laid_out(tmp_path)
    assert "has 1 record, with" in page
    assert "No commit ends in `-dirty`" in page


def test_a_store_without_records(store: RecordStore, tmp_path: Path) -> None:
    page = laid_out(tmp_path)
    assert "There is no record of the scale `smoke` yet." in page
    assert "Nothing has been computed yet." in page
    assert "that ends in" not in page


def test_the_build_is_told(store: RecordStore, tmp_path: Path) -> None:
    page = laid_out(tmp_path)
    assert "2026-02-02 23:30 UTC" in page  # the time of Greenwich, not of whoever builds
    here = origin.where(provenance.training.device())
    for key in ("rainlens", "commit", "torch", "python", "device"):
        assert escaped(here[key]) in page
    assert "<!--" not in page


def test_the_page_names_no_machine(tmp_path: Path) -> None:
    added = set(laid_out(tmp_path, "cpu").splitlines()) - set(SOURCE.splitlines())
    private = (socket.gethostname(), str(ROOT), str(tmp_path))
    assert [line for line in added if any(word in line for word in private)] == []


def test_the_stored_records_are_counted(tmp_path: Path) -> None:
    records = list(scales.SCALES["cpu"].store)
    page = laid_out(tmp_path, "cpu")
    assert f"has {len(records)} records" in page
    for name in {record.provenance["commit"] for record in records}:
        # Of a training in many legs, the page has as much as fits its table.
        assert f'| <code class="literal">{name[:70]}' in page


def test_the_source_holds_marks_and_no_result() -> None:
    assert [SOURCE.count(mark) for mark in provenance.MARKS.values()] == [1] * len(provenance.MARKS)
    prose = re.sub(r"```.*?```", "", SOURCE, flags=re.DOTALL)
    # SHA-256 is a name; every other number is to come from the build.
    assert re.findall(r"\d+", prose.replace("SHA-256", "")) == []


def test_unknown_packages_are_told() -> None:
    assert provenance._version("no-such-package-of-ours") == "not installed"
    assert provenance._version("numpy")[0].isdigit()


def test_the_book_and_both_papers_can_be_cited(store: RecordStore, tmp_path: Path) -> None:
    page = laid_out(tmp_path)
    entries = page.split("```bibtex")[1].split("```")[0]
    assert re.findall(r"^@\w+\{(\S+),$", entries, re.MULTILINE) == ["rainlens", *provenance.PAPERS]
    assert f"Version {rainlens.__version__}" in entries and rainlens.REPOSITORY in entries
    assert "2502.12600" in entries and "2305.15134" in entries
    assert entries.count("{") == entries.count("}")
    with pytest.raises(ValueError, match="no entry nobody"):
        provenance._entry(entries, "nobody")


def test_the_citation_file_agrees_with_the_package_and_the_references() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == rainlens.__version__
    assert cited["repository-code"] == rainlens.REPOSITORY
    # A list would mean that a reader may choose one of its licences for everything.
    assert cited["license"] == "MIT" and "text and figures are under CC BY 4.0" in cited["message"]
    entries = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    for paper, key in zip(cited["references"], provenance.PAPERS, strict=True):
        entry = provenance._entry(entries, key)
        people = [f"{one['family-names']}, {one['given-names']}" for one in paper["authors"]]
        assert f"{{{' and '.join(people)}}}" in entry
        assert f"{{{paper['title']}}}" in entry and f"{{{paper['year']}}}" in entry
        (number,) = paper["identifiers"]
        assert f"{{{number['value'].removeprefix('arXiv:')}}}" in entry


def test_the_checks_on_the_page_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, by_hand = PYTHON.findall(SOURCE)
    monkeypatch.chdir(ROOT)
    exec(ours, {})
    exec(by_hand, {})
    folder = tmp_path / "records" / "cpu"
    store = RecordStore(folder)
    store.save(MADE_UP[0])
    path = store.path(MADE_UP[0].name)
    path.write_text(path.read_text(encoding="utf-8").replace("3600", "3601"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError):
        exec(by_hand, {})
    with pytest.raises(RecordError, match="checksum"):
        exec(ours, {})


def test_now_is_the_default(store: RecordStore, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    for name in ("provenance.md", "references.bib"):
        shutil.copy(ROOT / "book" / name, tmp_path / "book")
    before = datetime.now(UTC)
    provenance.lay_out(tmp_path / "book", scales.SCALES["smoke"])
    page = (tmp_path / "book" / "provenance.md").read_text(encoding="utf-8")
    days = {f"{time:%Y-%m-%d}" for time in (before, datetime.now(UTC))}
    assert any(f"| built | {day}" in page for day in days)
